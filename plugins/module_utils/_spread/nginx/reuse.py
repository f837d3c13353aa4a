# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where nginx opens connections that it could use again.

Three things have to come together: an upstream that keeps idle connections, a request of HTTP/1.1, and one that does
not ask the server to close. Since 1.29.7 all of them are so by default, but only for upstreams.
"""

import re
from typing import Dict, Iterator, List, Optional, Tuple

from ..._files import Files
from ..._listeners.nginx.edit import MAIN
from ..._listeners.nginx.sources import Sources
from ..._listeners.nginx.tree import Placed, Tree
from ..unused import Unused
from . import upstreams
from .upstreams import Level, Pass, Upstream

#: ``nginx -v``; others that are made of it count in their own way, and say which nginx that was at its side
_VERSIONS = (re.compile(r"\bnginx/(\d+)\.(\d+)\.(\d+)"), re.compile(r"\bopenresty/(\d+)\.(\d+)\.(\d+)"))
_KEEPS_SINCE = (1, 29, 7)
#: protocols that have requests one after the other on a connection
_KEEPING = ("fastcgi_pass", "grpc_pass", "memcached_pass", "proxy_pass")


def keeps_by_default(version: str) -> bool:
    """Whether an nginx keeps connections to upstreams where nothing is said.

    :param version: what ``nginx -v`` says.
    """
    numbers = [tuple(map(int, match.groups())) for match in (one.search(version) for one in _VERSIONS) if match]
    return bool(numbers) and numbers[0] >= _KEEPS_SINCE


def find(files: Files, by_default: bool, main: str = MAIN) -> List[Unused]:
    """The lines of all that is passed on over HTTP, FastCGI, gRPC or memcached; a line once for each reason.

    :param by_default: see ``keeps_by_default``.
    :raises ConfigurationRefusedError: for a configuration that is not understood.
    """
    tree = Tree(Sources(files, {}), main)
    named = {one.name.lower(): one for one in upstreams.upstreams(tree) if one.kind == "http"}
    found = []
    blocks = _Blocks()
    for one in upstreams.passes(tree):
        if one.kind == "http" and one.host and one.at.directive.name in _KEEPING:
            upstream = None if one.port else named.get(one.host.lower())
            found += list(_of_pass(tree, blocks, one, upstream, by_default))
    return list(dict.fromkeys(found))


class _Blocks:
    """The directives of blocks by name, sorted once for each block: all of a large configuration may be in one."""

    def __init__(self) -> None:
        self._known: Dict[int, Tuple[Level, Dict[str, List[Placed]]]] = {}

    def named(self, level: Level, name: str) -> List[Placed]:
        """Those of one block."""
        known = self._known.get(id(level))
        if known is None:
            known = (level, {})  # the block is kept, so that nothing else gets its id
            for placed in level.directives:
                known[1].setdefault(placed.directive.name, []).append(placed)
            self._known[id(level)] = known
        return known[1].get(name, [])

    def innermost(self, one: Pass, name: str) -> List[Placed]:
        """Those of the innermost block that has some."""
        for level in reversed(one.levels):
            found = self.named(level, name)
            if found:
                return [placed for placed in found if len(placed.directive.words) > 1]
        return []


def _of_pass(
    tree: Tree, blocks: _Blocks, one: Pass, upstream: Optional[Upstream], by_default: bool
) -> Iterator[Unused]:
    if not upstream:
        yield from _without_upstream(tree, blocks, one, by_default)
        return
    if not any(entry.host for entry in upstream.entries):
        return
    keepalive = upstream.setting("keepalive")
    words = [word.value for word in keepalive.directive.words] if keepalive else []
    if words[1:2] == ["0"] or not (words or by_default):
        at = keepalive or upstream.entries[-1].at
        yield Unused(at.path, at.line, upstream.name, "no-keepalive", "keepalive 32;")
    yield from _of_request(tree, blocks, one, upstream.name, by_default)


def _of_request(tree: Tree, blocks: _Blocks, one: Pass, name: str, by_default: bool) -> Iterator[Unused]:
    """What has the connection closed after the request; the line of the pass where something is to be added to it."""
    if one.at.directive.name == "proxy_pass":
        yield from _of_http(tree, blocks, one, name, by_default)
    elif one.at.directive.name == "fastcgi_pass":
        keep = blocks.innermost(one, "fastcgi_keep_conn")
        if not keep or keep[-1].directive.words[1].value.lower() != "on":
            at = keep[-1] if keep else one.at
            yield Unused(at.path, at.line, name, "fastcgi-closed", "fastcgi_keep_conn on;")


def _of_http(tree: Tree, blocks: _Blocks, one: Pass, name: str, by_default: bool) -> Iterator[Unused]:
    version = blocks.innermost(one, "proxy_http_version")
    if version[-1].directive.words[1].value == "1.0" if version else not by_default:
        at = version[-1] if version else one.at
        yield Unused(at.path, at.line, name, "http-1.0", "proxy_http_version 1.1;")
    # they come from outside only where a block has none of its own
    headers = blocks.innermost(one, "proxy_set_header")
    set_here = _setting(headers, "connection")
    if set_here:
        yield from _of_header(tree, blocks, one, set_here[-1], name)
    elif not by_default:
        at = headers[-1] if headers else one.at
        yield Unused(at.path, at.line, name, "connection-close", 'proxy_set_header Connection "";')


def _of_header(tree: Tree, blocks: _Blocks, one: Pass, header: Placed, name: str) -> Iterator[Unused]:
    value = _word(header, 2)
    if "close" in value.lower() and "$" not in value:
        yield Unused(header.path, header.line, name, "connection-close", 'proxy_set_header Connection "";')
    for placed in blocks.named(one.levels[0], "map") if "$" in value else []:
        if _word(placed, 2) == value:
            # the usual map for WebSocket closes for all other requests
            for entry in tree.entries(placed):
                words = entry.directive.words
                if len(words) == 2 and not words[0].value and words[1].value.lower() == "close":
                    yield Unused(entry.path, entry.line, name, "connection-close", "'' '';")


def _without_upstream(tree: Tree, blocks: _Blocks, one: Pass, by_default: bool) -> Iterator[Unused]:
    port = one.port or one.default_port
    name = "%s:%d" % (one.host, port) if port else one.host
    written = one.at.directive.words[1].value
    start = written.lower().find(one.host.lower())
    end = start + len(one.host) + (len(":%d" % one.port) if one.port else 0)
    block = "upstream NAME { server %s; keepalive 32; } in http, and here" % name
    changes = [block, "%s %sNAME%s;" % (one.at.directive.name, written[:start], written[end:])]
    needed = [*_host_of(blocks, one, name, written[start:end]), *_of_request(tree, blocks, one, name, by_default)]
    here = (one.at.path, one.at.line)
    changes += [unused.change for unused in needed if (unused.path, unused.line) == here]
    yield Unused(*here, name, "no-upstream", " ".join(changes))
    yield from (unused for unused in needed if (unused.path, unused.line) != here)


def _host_of(blocks: _Blocks, one: Pass, name: str, passed: str) -> Iterator[Unused]:
    """The header that would have the name of the upstream by default."""
    if one.at.directive.name == "proxy_pass":
        headers = blocks.innermost(one, "proxy_set_header")
        if not _setting(headers, "host"):
            # one more in a block that has none would keep out those from outside
            at = headers[-1] if headers else one.at
            yield Unused(at.path, at.line, name, "no-upstream", "proxy_set_header Host %s;" % passed)


def _setting(headers: List[Placed], name: str) -> List[Placed]:
    return [header for header in headers if _word(header, 1).lower() == name]


def _word(placed: Placed, number: int) -> str:
    words = placed.directive.words
    return words[number].value if len(words) > number else ""
