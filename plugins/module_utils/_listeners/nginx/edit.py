# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Listen ports of nginx: find, add, remove. Plans only: nothing is written and no server is touched."""

import posixpath
from typing import Dict, List

from ..._files import FileError, Files
from ..errors import ConfigurationRefusedError
from ..plan import Listener, Plan
from ..request import Request
from . import clones, leaks, listening, marks
from .sources import BareSources, Sources
from .tree import Tree

#: where Debian's packages and those of nginx.org have it; ``invocation`` finds out where this host has it
MAIN = "/etc/nginx/nginx.conf"

#: Debian's sites that are not in use: they may have been when a port was added
_UNUSED = "/sites-available/*"


def find(files: Files, main: str = MAIN) -> List[Listener]:
    """Every line that listens on a TCP port, in the order of nginx; sockets of other kinds are left out.

    :param main: the main configuration file.
    :raises ConfigurationRefusedError: for a configuration that is not understood.
    """
    return listening.listeners(Tree(Sources(files, {}), main))


def add(files: Files, request: Request, main: str = MAIN) -> Plan:
    """Listen on ``request.ports`` wherever ``request.existing_port`` is listened on, in every server.

    What was added before is made anew from the lines that it was cloned from, which changes nothing unless they did.

    :raises ConfigurationRefusedError: for a configuration that is not understood, that does not listen on the port that
        is to be there already, or that has one of the new ones for something else.
    """
    sources = BareSources(files)
    tree = Tree(sources, main)
    existing = request.existing_port
    if not listening.sharing(tree, existing):
        raise ConfigurationRefusedError(main, 0, listening.why_nothing(tree, existing))
    ports = [port for port in sorted(set(request.ports)) if not listening.is_there(tree, existing, port)]
    clones.refuse_those_of_others(tree, sources, request)
    added, defaults = clones.lines(tree, existing, ports), clones.defaults(tree)
    edits: Dict[str, bytes] = {}
    for path, split in sources.splits.items():
        lines = [one for one in split.insertions if not one.default and one.port not in request.ports]
        lines += added.get(path, [])
        offsets = {one.offset for one in lines}
        lines += [one for one in defaults.get(path, []) if one.offset in offsets]
        _note(edits, path, split.whole, marks.join(split.source.text, lines))
    after = Tree(Sources(files, edits), main)
    listeners = [one for one in listening.listeners(after) if one.added and one.port in ports]
    return Plan(edits, listeners, leaks.warnings(after, existing, ports) if ports else [])


def remove(files: Files, request: Request, main: str = MAIN) -> Plan:
    """Take away ``request.ports`` where they were added here, also in Debian's sites that are not in use.

    A port is added beside one other only, so that the mark and the port tell. ``request.existing_port`` is not looked
    for: it may be gone.

    :raises ConfigurationRefusedError: for a configuration that is not understood.
    """
    sources = BareSources(files)
    Tree(sources, main)
    _read_unused(files, sources, main)
    edits: Dict[str, bytes] = {}
    for path, split in sources.splits.items():
        kept = [one for one in split.insertions if one.default or one.port not in request.ports]
        needed = {one.offset for one in kept if not one.default}
        kept = [one for one in kept if one.offset in needed]
        if len(kept) < len(split.insertions):
            _note(edits, path, split.whole, marks.join(split.source.text, kept))
    in_use = {one[:4]: one for one in find(files, main)}
    going = [one for source in sources.every() for one in listening.added_lines(source) if one.port in request.ports]
    return Plan(edits, [in_use.get(one[:4], one) for one in going], [])


def beside(files: Files, existing_port: int, main: str = MAIN) -> List[int]:
    """The ports that were added beside one, also those that are left of a line that is gone.

    :raises ConfigurationRefusedError: for a configuration that is not understood.
    """
    sources = BareSources(files)
    tree = Tree(sources, main)
    _read_unused(files, sources, main)
    return sorted(clones.beside(tree, sources, existing_port))


def _read_unused(files: Files, sources: BareSources, main: str) -> None:
    for path in files.glob(posixpath.dirname(main) + _UNUSED):
        try:
            ours = marks.MARK.encode() in files.read_bytes(path)
        except FileError:
            continue  # a folder, or what could not be edited either
        if ours:
            sources.read(path, path, 0)


def _note(edits: Dict[str, bytes], path: str, old: str, new: str) -> None:
    if new != old:
        edits[path] = new.encode("latin-1")
