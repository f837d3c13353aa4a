# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was put into nginx's files for one backend, and the files without it. Pure, but for the reading of files."""

import posixpath
from typing import Dict, Iterable, Iterator, List, NamedTuple

from ..._files import FileError, Files
from ..._listeners.nginx.sources import Source, Sources
from ..._listeners.nginx.syntax import Directive
from ..._listeners.nginx.tree import Tree
from ..request import Request, ServerAddresses, normal
from . import marks, split, upstreams
from .marks import Bare
from .upstreams import PASSES, Upstream

#: Debian's sites that are not in use: they may have been when something was added
_UNUSED = "/sites-available/*"


class Present(NamedTuple):
    """What was put in for one backend. ``bare``: by file, the files that it was put into without it."""

    bare: Dict[str, Bare]
    state: Request

    def number(self, path: str, line: int) -> int:
        """The line of a file as it is, of one of the file without what was put in."""
        return self.bare[path].number(line) if line and path in self.bare else line


def read(tree: Tree, more: List[Source], backend: str) -> Present:
    """Of one backend.

    :param more: files to look through that nginx does not read.
    """
    variable = split.variable(backend)
    named = [one for one in upstreams.upstreams(tree) if one.name.lower() == backend.lower()]
    taken: Dict[str, Dict[int, Directive]] = {}
    for upstream in named:
        for entry in upstream.entries:
            if marks.is_ours(tree.source(entry.at).text, entry.at.directive):
                taken.setdefault(entry.at.path, {})[entry.at.directive.start] = entry.at.directive
    upstreams.passes(tree)  # which reads what locations include
    found: List[str] = []
    texts: Dict[str, str] = {}
    for source in [*tree.source_files(), *more]:
        texts[source.path] = source.text
        for directive in _every(source.directives):
            if not marks.is_ours(source.text, directive):
                continue
            values = [word.value for word in directive.words[1:]]
            if directive.name == "split_clients" and values[1:] == [variable]:
                found += split.sources(directive)
            elif not (directive.name in PASSES.values() and values == [variable]):
                continue
            taken.setdefault(source.path, {})[directive.start] = directive
    bare = {path: marks.bare(texts[path], directives.values()) for path, directives in taken.items()}
    state = _state(tree, named[0], backend) if named else Request(backend)
    return Present(bare, normal(state._replace(sources=tuple(found))))


def _state(tree: Tree, upstream: Upstream, backend: str) -> Request:
    """What its servers are clones for: each is one of the last server before it that is none."""
    ports = []
    addresses = []
    origin = None
    for entry in upstream.entries:
        text, directive = tree.source(entry.at).text, entry.at.directive
        if origin and marks.is_ours(text, directive) and not marks.is_changed(text, directive):
            if entry.port != origin.port:
                ports.append(entry.port)
            if entry.address != origin.address:
                addresses.append(ServerAddresses(origin.address, (entry.address,)))
        else:
            origin = entry
    return Request(backend, (), tuple(ports), tuple(addresses))


def _every(directives: Iterable[Directive]) -> Iterator[Directive]:
    for directive in directives:
        yield directive
        if directive.block:
            yield from _every(directive.block.directives)


def unused(files: Files, sources: Sources, main: str) -> List[Source]:
    """Files with something of ours that nginx does not read."""
    read = {source.path for source in sources.every()}
    found = []
    for path in files.glob(posixpath.dirname(main) + _UNUSED):
        try:
            if marks.MARK.encode() in files.read_bytes(path) and files.real_path(path) not in read:
                found.append(sources.read(path, path, 0))
        except FileError:
            continue  # a folder, or what could not be edited either
    return found
