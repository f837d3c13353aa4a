# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The servers of a configuration and what they listen on, includes followed."""

import posixpath
from typing import Dict, Iterator, List, NamedTuple, Optional, Tuple

from ..errors import ConfigurationRefusedError
from . import address
from .address import Endpoint
from .sources import Source, Sources
from .syntax import Directive

#: kinds of server by the block that they are in, with the port of an address without one
KINDS: Dict[str, Optional[int]] = {"http": 80, "mail": None, "rtmp": 1935, "stream": None}
#: what an http server without a listen directive listens on, as long as root starts nginx
IMPLICIT = Endpoint("", 80, 80)

_DATAGRAMS = {"http": ("quic", "http3"), "stream": ("udp",)}
# What is in them is no directive; the data that they include may be large.
_DATA = ("charset_map", "geo", "map", "match", "split_clients", "types", "upstream")
_MOST_INCLUDES = 1000000


class Placed(NamedTuple):
    """A directive, and the files that lead to it, the main one first and its own last."""

    directive: Directive
    files: Tuple[str, ...]

    @property
    def path(self) -> str:
        return self.files[-1]

    @property
    def line(self) -> int:
        return self.directive.line


class Listen(NamedTuple):
    """A listen directive as one server has it, or, at the directive of the server itself, the lack of one."""

    at: Placed
    endpoint: Endpoint
    options: Tuple[str, ...]
    datagrams: bool

    @property
    def implicit(self) -> bool:
        return self.at.directive.block is not None

    def covers(self, port: int, datagrams: bool = False) -> bool:
        """Whether it listens on a port, of TCP unless it is asked for datagrams."""
        return self.datagrams is datagrams and self.endpoint.first <= port <= self.endpoint.last


class Server(NamedTuple):
    """One server. ``number``: its place among all. ``around``: what is beside the servers, in ``http`` for one."""

    number: int
    kind: str
    at: Placed
    inside: List[Placed]
    around: List[Placed]
    listens: List[Listen]


class Context(NamedTuple):
    """A block of servers, as ``http`` is one, with all that is directly in it."""

    kind: str
    at: Placed
    directives: List[Placed]


class Tree:
    """A whole configuration.

    :param main: path of the main file. Includes are relative to its folder, wherever they stand
        (``ngx_conf_full_name``).
    :raises ConfigurationRefusedError: when it is not understood.
    """

    def __init__(self, sources: Sources, main: str) -> None:
        self._sources = sources
        self._folder = posixpath.dirname(main)
        self._includes = 0
        self.servers: List[Server] = []
        self.contexts: List[Context] = []
        source = sources.read(main, main, 0)
        for outer in self._expand(source.directives, (source.path,)):
            if outer.directive.name in KINDS and outer.directive.block:
                self.contexts.append(Context(outer.directive.name, outer, list(self.inside(outer))))
                self._take(outer.directive.name, self.contexts[-1].directives)

    def inside(self, placed: Placed) -> Iterator[Placed]:
        """The directives of a block, with those of the files that it includes, unless it holds data."""
        block = placed.directive.block
        if block and placed.directive.name in _DATA:
            yield from (Placed(one, placed.files) for one in block.directives)
        elif block:
            yield from self._expand(block.directives, placed.files)

    def entries(self, placed: Placed) -> Iterator[Placed]:
        """The directives of a block with those of the files that it includes, also where they are data."""
        if placed.directive.block:
            yield from self._expand(placed.directive.block.directives, placed.files)

    def source(self, placed: Placed) -> Source:
        """The file that a directive is in."""
        return self._sources.read(placed.path, placed.path, placed.line)

    def source_files(self) -> List[Source]:
        """All files that were read."""
        return self._sources.every()

    def _take(self, kind: str, directives: List[Placed]) -> None:
        around = [one for one in directives if one.directive.name != "server"]
        for placed in directives:
            if placed.directive.name != "server" or not placed.directive.block:
                continue
            inside = list(self.inside(placed))
            written = [one for one in inside if one.directive.name == "listen" and not one.directive.block]
            listens = [found for found in (_listen(one, kind) for one in written) if found]
            if kind == "http" and not written:
                listens = [Listen(placed, IMPLICIT, (), False)]
            self.servers.append(Server(len(self.servers), kind, placed, inside, around, listens))

    def _expand(self, directives: List[Directive], files: Tuple[str, ...]) -> Iterator[Placed]:
        for directive in directives:
            if directive.name == "include" and not directive.block:
                yield from self._include(Placed(directive, files))
            else:
                yield Placed(directive, files)

    def _include(self, placed: Placed) -> Iterator[Placed]:
        path, line, words = placed.path, placed.line, placed.directive.words
        if len(words) != 2:
            raise ConfigurationRefusedError(path, line, "include takes one path")
        for name in self._sources.matching(self._folder, words[1].value, path, line):
            source = self._sources.read(name, path, line)
            if source.path in placed.files:
                raise ConfigurationRefusedError(path, line, "%s includes itself" % source.path)
            self._includes += 1
            if self._includes > _MOST_INCLUDES:
                raise ConfigurationRefusedError(path, line, "more than %d files are included" % _MOST_INCLUDES)
            yield from self._expand(source.directives, (*placed.files, source.path))


def _listen(placed: Placed, kind: str) -> Optional[Listen]:
    """None for a Unix socket."""
    words = placed.directive.words
    if len(words) < 2:
        raise ConfigurationRefusedError(placed.path, placed.line, "listen takes a port or an address")
    try:
        endpoint = address.parse(words[1].value, KINDS[kind])
    except ValueError as error:
        reason = '"listen %s" is not understood: %s' % (words[1].raw, error)
        raise ConfigurationRefusedError(placed.path, placed.line, reason) from None
    if not endpoint:
        return None
    datagrams = any(word.value in _DATAGRAMS.get(kind, ()) for word in words[2:])
    return Listen(placed, endpoint, tuple(word.raw for word in words[2:]), datagrams)
