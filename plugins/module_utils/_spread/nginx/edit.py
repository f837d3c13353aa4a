# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Connections of an nginx backend spread over addresses and ports. Plans only: nothing is written."""

from typing import Dict, List, Optional, Tuple

from ..._files import FileError, Files
from ..._listeners.edited import EditedFiles
from ..._listeners.errors import ConfigurationRefusedError
from ..._listeners.nginx import edit as listeners
from ..._listeners.nginx import insert
from ..._listeners.nginx.sources import Sources
from ..._listeners.nginx.tree import Placed, Tree
from ..plan import Connection, Plan
from ..request import Request, joined, normal, without
from . import bindings, entries, marks, split, targets, upstreams
from .backend import named
from .backend import warnings as notable
from .marks import Change
from .present import Present, read, unused

_NO_UPSTREAM = (
    "requests are passed to an address: put it into an upstream, with keepalive, pass to that, and set the header Host"
    " to what it is now; then it can have more servers"
)


def find(files: Files, main: str = listeners.MAIN) -> List[Connection]:
    """Where the servers of all upstreams, and what is passed to an address, connect to.

    :param main: the main configuration file.
    :raises ConfigurationRefusedError: for a configuration that is not understood.
    """
    tree = Tree(Sources(files, {}), main)
    names = [one.name for one in upstreams.upstreams(tree)]
    found = [one for name in dict.fromkeys(names) for one in _connections(tree, name)]
    seen = set()
    for one in upstreams.passes(tree):
        name = "%s:%d" % (one.host, one.port or one.default_port)
        if one.host and (one.port or one.default_port) and one.host not in names and name not in seen:
            seen.add(name)
            found += _connections(tree, name)
    return found


def add(files: Files, request: Request, main: str = listeners.MAIN) -> Plan:
    """Spread the connections of a backend over what is asked for, besides what it is spread over already.

    :param request: its backend is the name of an upstream or, where requests are passed to an address, that with its
        port: then it takes sources only.
    :raises ConfigurationRefusedError: for a configuration that is not understood, or does not go with that.
    :raises ValueError: for what is no address or port.
    """
    tree = Tree(Sources(files, {}), main)
    present = read(tree, [], request.backend)
    return _plan(files, main, present, joined(present.state, normal(request)))


def remove(files: Files, request: Request, main: str = listeners.MAIN) -> Plan:
    """Take away what is asked for, also in Debian's sites that are not in use; everything where nothing but the backend
    is named.

    :raises ConfigurationRefusedError: for a configuration that is not understood.
    :raises ValueError: for what is no address or port.
    """
    sources = Sources(files, {})
    tree = Tree(sources, main)
    present = read(tree, unused(files, sources, main), request.backend)
    plan = _plan(files, main, present, without(present.state, request))
    return plan._replace(warnings=[])


def state(files: Files, backend: str, main: str = listeners.MAIN) -> Request:
    """What a backend is spread over now.

    :raises ConfigurationRefusedError: for a configuration that is not understood.
    """
    return read(Tree(Sources(files, {}), main), [], backend).state


def _plan(files: Files, main: str, present: Present, wanted: Request) -> Plan:
    contents = {path: one.text.encode("latin-1") for path, one in present.bare.items()}
    contents = {path: b"" if content == split.HEADER.encode() else content for path, content in contents.items()}
    warnings: List[str] = []
    if not wanted.empty:
        try:
            bare = EditedFiles(files, contents)
            tree = Tree(Sources(bare, {}), main)
            made, warnings = _changes(bare, tree, main, wanted, present)
        except ConfigurationRefusedError as error:
            line = present.number(error.path, error.line)
            raise ConfigurationRefusedError(error.path, line, error.reason) from None
        for path, content in made.items():
            contents[path] = content
    edits = {path: content for path, content in contents.items() if content != _content(files, path)}
    after = Tree(Sources(EditedFiles(files, edits), {}), main)
    found = targets.find(after, wanted)
    return Plan(edits, _connections(after, wanted.backend), warnings, found.servers, found.even)


def _changes(
    files: Files, tree: Tree, main: str, wanted: Request, present: Present
) -> Tuple[Dict[str, bytes], List[str]]:
    backend = named(tree, wanted.backend, main)
    found: List[Dict[str, List[Change]]] = []
    upstream = backend.upstream
    if upstream:
        entries.refuse(upstream, wanted)
        found.append(entries.changes(tree, upstream, wanted))
    elif wanted.ports or wanted.addresses:
        one = backend.found[0].at
        raise ConfigurationRefusedError(one.path, one.line, _NO_UPSTREAM)
    created: Dict[str, bytes] = {}
    if wanted.sources:
        bindings.refuse(upstream, backend.found, backend.every, wanted)
        found.append(bindings.changes(tree, backend.found, split.variable(wanted.backend)))
        own = split.own_file(files, next(one for one in tree.contexts if one.kind == backend.kind), main)
        if own:
            created[own] = _own_content(files, own, backend.kind, wanted)
        else:
            found.append(_in_context(tree, backend.kind, wanted))
    result = {**created, **_applied(tree, found)}
    return result, [_sentence(present, at, text) for at, text in notable(backend, wanted)]


def _applied(tree: Tree, found: List[Dict[str, List[Change]]]) -> Dict[str, bytes]:
    paths = {path: [change for one in found for change in one.get(path, [])] for one in found for path in one}
    sources = {source.path: source for source in tree.source_files()}
    return {path: marks.changed(sources[path].text, made).encode("latin-1") for path, made in paths.items()}


def _own_content(files: Files, path: str, kind: str, wanted: Request) -> bytes:
    """The file with a line for this backend, in the order of their names."""
    line = "%s %s\n" % (split.line(kind, wanted.backend, wanted.sources), marks.MARK)
    before = _content(files, path).decode("latin-1") or split.HEADER
    if not before.endswith("\n"):
        before += "\n"
    head, lines = before.partition(split.HEADER)[:2], before.partition(split.HEADER)[2].splitlines(True)
    return "".join([*head, *sorted([*lines, line], key=_by_variable)]).encode("latin-1")


def _by_variable(line: str) -> str:
    return (line.split() + [""] * 3)[2]


def _in_context(tree: Tree, kind: str, wanted: Request) -> Dict[str, List[Change]]:
    at = next(one for one in tree.contexts if one.kind == kind).at
    block = at.directive.block
    if not block:
        return {}
    place = insert.first_in(tree.source(at).text, at.directive, block)
    return {at.path: [marks.inserted(place, split.line(kind, wanted.backend, wanted.sources))]}


def _connections(tree: Tree, backend: str) -> List[Connection]:
    """Of one backend, of its servers or of what passes requests to it."""
    variable = split.variable(backend)
    found: List[str] = []
    for context in tree.contexts:
        for placed in context.directives:
            words = placed.directive.words
            if placed.directive.name == "split_clients" and len(words) == 3 and words[2].value == variable:
                found = list(split.sources(placed.directive))
    named = [one for one in upstreams.upstreams(tree) if one.name.lower() == backend.lower()]
    targets = [(entry.at, entry.address, entry.port) for one in named for entry in one.entries if entry.host]
    if not named:
        passes = [one for one in upstreams.passes(tree) if one.goes_to(backend)]
        targets = [(one.at, one.host.strip("[]"), one.port or one.default_port) for one in passes]
    return [
        Connection(at.path, at.line, backend, source, host, port, marks.is_ours(tree.source(at).text, at.directive))
        for at, host, port in targets
        for source in found or [""]
    ]


def _sentence(present: Present, at: Optional[Placed], text: str) -> str:
    return "%s:%d: %s" % (at.path, present.number(at.path, at.line), text) if at else text


def _content(files: Files, path: str) -> bytes:
    try:
        return files.read_bytes(path)
    except FileError:
        return b""
