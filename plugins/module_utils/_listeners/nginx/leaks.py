# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What tells clients or applications the new port, though the configuration is right."""

import re
from typing import Iterable, Iterator, List, Set, Tuple

from . import listening
from .syntax import is_code
from .tree import Placed, Server, Tree

_SHOWN = 3
_STANDARD = (80, 443)
_PORT_VARIABLE = re.compile(r"\$\{?server_port\b")
_PORT_IN_LUA = re.compile(r"\bserver_port\b")
# a port in a log is where it belongs
_LOGS = ("access_log", "log_format")


def warnings(tree: Tree, existing: int, ports: Iterable[int]) -> List[str]:
    """Sentences about the servers that listen on an existing port and now on more ports."""
    found = []
    servers = listening.sharing(tree, existing)
    redirecting = _places(server.at for server in servers if server.kind == "http" and _names_port(server))
    if redirecting and any(port not in _STANDARD for port in ports):
        found.append(
            "redirects that nginx completes (a folder without its slash, return or rewrite to a path) name the port"
            " that the request came to, in the servers at %s: where clients must see the old port only, set"
            " port_in_redirect off or absolute_redirect off" % redirecting
        )
    uses = _places(_Uses(tree).of(servers))
    if uses:
        found.append(
            "$server_port is used at %s, where it will be the new port: see to it that no redirect, condition or"
            " application needs the old one" % uses
        )
    datagrams = _places(one.at for server in tree.servers for one in server.listens if one.covers(existing, True))
    if datagrams:
        found.append(
            "UDP is left as it is: what listens on port %d with quic or udp, at %s, gets no new port"
            % (existing, datagrams)
        )
    return found


def _names_port(server: Server) -> bool:
    """Whether ``ngx_http_header_filter`` puts a port that is not the scheme's own into Location; both default to on."""
    return all(
        (_setting(server.inside, name) or _setting(server.around, name) or "on") == "on"
        for name in ("port_in_redirect", "absolute_redirect")
    )


def _setting(directives: List[Placed], name: str) -> str:
    words = [one.directive.words for one in directives if one.directive.name == name]
    return words[-1][1].value.lower() if words and len(words[-1]) > 1 else ""


class _Uses:
    """Directives that use the port of the connection; what several servers include is looked at once."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._seen: Set[Tuple[str, int]] = set()

    def of(self, servers: List[Server]) -> Iterator[Placed]:
        for server in servers:
            if server.kind != "http":
                continue
            yield from self._among(server.around)
            yield from self._among(server.inside)

    def _among(self, directives: Iterable[Placed]) -> Iterator[Placed]:
        for placed in directives:
            directive = placed.directive
            key = (placed.path, directive.start)
            if key in self._seen or directive.name in _LOGS:
                continue
            self._seen.add(key)
            if any(_PORT_VARIABLE.search(word.value) for word in directive.words) or self._in_code(placed):
                yield placed
            if directive.block:
                yield from self._among(self._tree.inside(placed))

    def _in_code(self, placed: Placed) -> bool:
        block = placed.directive.block
        if not (block and is_code(placed.directive)):
            return False
        return bool(_PORT_IN_LUA.search(self._tree.source(placed).text, block.start, block.end))


def _places(found: Iterable[Placed]) -> str:
    """The first few, and how many more; empty for none."""
    names = []
    for one in found:
        name = "%s:%d" % (one.path, one.line)
        if name not in names:
            names.append(name)
    more = len(names) - _SHOWN
    if more > 0:
        return "%s and %d more" % (", ".join(names[:_SHOWN]), more)
    return " and ".join(filter(None, (", ".join(names[:-1]), *names[-1:])))
