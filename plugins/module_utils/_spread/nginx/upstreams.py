# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where nginx connects to: upstreams with their servers, and the directives that pass requests on. Pure."""

import re
from typing import Dict, Iterator, List, NamedTuple, Optional, Tuple

from ..._listeners.errors import ConfigurationRefusedError
from ..._listeners.nginx import address
from ..._listeners.nginx.tree import Context, Placed, Tree

#: contexts whose servers connect to others, and what their upstreams take for a port that is not named
KINDS: Dict[str, Optional[int]] = {"http": 80, "stream": None}
#: what passes requests on, and what binds the connections that it opens
PASSES = {
    "fastcgi_pass": "fastcgi_bind",
    "grpc_pass": "grpc_bind",
    "memcached_pass": "memcached_bind",
    "proxy_pass": "proxy_bind",
    "scgi_pass": "scgi_bind",
    "uwsgi_pass": "uwsgi_bind",
}
_SCHEME = re.compile(r"(?:https?|grpcs?|s?uwsgi|scgi)://", re.IGNORECASE)
_SCHEME_PORTS = {"http": 80, "https": 443, "grpc": 80, "grpcs": 443}
# variables that begin with a slash, so that the name before them is whole
_PATHS = re.compile(r"\$\{?(?:request_uri|uri|document_uri)\b")


class Entry(NamedTuple):
    """One server of an upstream. ``host``: as it is written; empty for a Unix socket. ``parameters``: by name."""

    at: Placed
    host: str
    port: int
    parameters: Dict[str, str]

    @property
    def address(self) -> str:
        """The host without brackets."""
        return self.host.strip("[]").lower()

    def number(self, name: str) -> int:
        """A number among the parameters, that nginx takes for it where it is not there.

        :raises ConfigurationRefusedError: when it is none.
        """
        text = self.parameters.get(name, "1" if name == "weight" else "0")
        if not text.isdigit():
            raise ConfigurationRefusedError(self.at.path, self.at.line, "%s=%s is not understood" % (name, text))
        return int(text)


class Upstream(NamedTuple):
    """``directives``: all of it, servers too."""

    kind: str
    name: str
    at: Placed
    directives: List[Placed]
    entries: List[Entry]

    def setting(self, name: str) -> Optional[Placed]:
        """The last directive of that name."""
        found = [one for one in self.directives if one.directive.name == name]
        return found[-1] if found else None


class Level(NamedTuple):
    """A block that a request goes through; ``at`` is None for the outermost one."""

    at: Optional[Placed]
    directives: List[Placed]

    @property
    def name(self) -> str:
        """What the block is."""
        return self.at.directive.name if self.at else ""


class Pass(NamedTuple):
    """A directive that passes requests on. ``levels``: blocks around it, outermost first.

    ``host``: an address or the name of an upstream, empty where only nginx knows it. ``port``: 0 where none is named.
    """

    kind: str
    at: Placed
    levels: Tuple[Level, ...]
    host: str
    port: int

    @property
    def bind(self) -> str:
        """The directive that binds its connections."""
        return PASSES[self.at.directive.name]

    def goes_to(self, name: str) -> bool:
        """Whether it passes to an upstream, or to ``address:port``, of that name."""
        host, colon, port = name.rpartition(":")
        if colon and port.isdigit() and not host.endswith(":"):
            return self.host.lower() == host.lower() and (self.port or self.default_port) == int(port)
        return self.host.lower() == name.lower() and not self.port

    @property
    def default_port(self) -> int:
        """The port of its scheme, 0 where it has none."""
        scheme = self.at.directive.words[1].value.partition("://")[0].lower()
        return _SCHEME_PORTS.get(scheme, 0)


def upstreams(tree: Tree) -> List[Upstream]:
    """Those of all contexts.

    :raises ConfigurationRefusedError: for a server that is not understood.
    """
    return [
        _upstream(tree, context, placed)
        for context in tree.contexts
        if context.kind in KINDS
        for placed in context.directives
        if placed.directive.name == "upstream" and placed.directive.block and len(placed.directive.words) == 2
    ]


def passes(tree: Tree) -> List[Pass]:
    """Those of all contexts."""
    found: List[Pass] = []
    for context in tree.contexts:
        if context.kind in KINDS:
            outer = Level(None, [one for one in context.directives if one.directive.name != "server"])
            for placed in context.directives:
                if placed.directive.name == "server" and placed.directive.block:
                    found += _passes(tree, context.kind, placed, (outer,))
    return found


def _passes(tree: Tree, kind: str, placed: Placed, outer: Tuple[Level, ...]) -> Iterator[Pass]:
    directives = list(tree.inside(placed))
    levels = (*outer, Level(placed, directives))
    for one in directives:
        words = one.directive.words
        if one.directive.block:
            if one.directive.name in ("location", "if", "limit_except"):
                yield from _passes(tree, kind, one, levels)
        elif one.directive.name in PASSES and len(words) == 2:
            yield Pass(kind, one, levels, *_target(words[1].value))


def _target(value: str) -> Tuple[str, int]:
    """Host and port, empty and 0 where they cannot be known from here."""
    scheme = _SCHEME.match(value)
    rest = value[scheme.end() :] if scheme else value
    if rest[:5].lower() == "unix:":
        return "", 0
    paths = _PATHS.search(rest)
    rest = (rest[: paths.start()] if paths else rest).partition("/")[0]
    host, colon, port = rest.rpartition(":")
    if "$" in rest:
        return "", 0
    return (host, int(port)) if colon and port.isdigit() and not host.endswith(":") else (rest, 0)


def _upstream(tree: Tree, context: Context, placed: Placed) -> Upstream:
    directives = list(tree.entries(placed))
    entries = [_entry(one, KINDS[context.kind]) for one in directives if one.directive.name == "server"]
    return Upstream(context.kind, placed.directive.words[1].value, placed, directives, entries)


def _entry(placed: Placed, default_port: Optional[int]) -> Entry:
    words = placed.directive.words
    if len(words) < 2 or placed.directive.block:
        raise ConfigurationRefusedError(placed.path, placed.line, "a server of an upstream has an address")
    try:
        endpoint = address.parse(words[1].value, default_port)
    except ValueError as error:
        reason = '"server %s" is not understood: %s' % (words[1].raw, error)
        raise ConfigurationRefusedError(placed.path, placed.line, reason) from None
    parameters = dict([*word.value.partition("=")][::2] for word in words[2:])
    if not endpoint:
        return Entry(placed, "", 0, parameters)
    if not endpoint.host or endpoint.first != endpoint.last:
        reason = '"server %s" is not understood: it names no address, or several ports' % words[1].raw
        raise ConfigurationRefusedError(placed.path, placed.line, reason)
    return Entry(placed, endpoint.host, endpoint.first, parameters)
