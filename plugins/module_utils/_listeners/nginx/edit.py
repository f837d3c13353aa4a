# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Listen ports of nginx: find, add, remove. Plans only: nothing is written and no server is touched."""

import posixpath
from typing import Dict, Iterable, Iterator, List, NamedTuple, Set, Tuple

from ..._files import FileError, Files
from ..errors import ConfigurationRefusedError
from ..plan import Command, Listener, Plan
from ..request import Request
from . import address, insert, leaks, marks
from .insert import Place
from .marks import Insertion
from .sources import BareSources, Source, Sources
from .tree import IMPLICIT, Listen, Server, Tree

#: where Debian's packages and those of nginx.org have it; a unit or a build may say otherwise
MAIN = "/etc/nginx/nginx.conf"
#: It also binds every port, but takes one that is in use for its own (``ngx_open_listening_sockets``): whether a new
#: port is free is for the caller to try.
CHECK = ("nginx", "-t")
_RELOAD = ("systemctl", "reload", "nginx.service")
#: In order. A reload succeeds once the signal is sent: a master that cannot bind a port says so in its log only, and
#: goes on with the configuration that it has. So the ports have to be tried afterwards.
RELOAD = (Command(_RELOAD, _RELOAD),)

#: Debian's sites that are not in use: they may have been when a port was added
_UNUSED = "/sites-available/*"


class _Target(NamedTuple):
    """A line to clone, with where its clones go."""

    listen: Listen
    place: Place


def find(files: Files, main: str = MAIN) -> List[Listener]:
    """Every line that listens on a TCP port, in the order of nginx; sockets of other kinds are left out.

    :param main: the main configuration file.
    :raises ConfigurationRefusedError: for a configuration that is not understood.
    """
    return _listeners(Tree(Sources(files, {}), main))


def add(files: Files, request: Request, main: str = MAIN) -> Plan:
    """Listen on ``request.ports`` wherever ``request.existing_port`` is listened on, in every server.

    What was added before is made anew from the lines that it was cloned from, which changes nothing unless they did.

    :raises ConfigurationRefusedError: for a configuration that is not understood, that does not listen on the port that
        is to be there already, or that has one of the new ones for something else.
    """
    sources = BareSources(files)
    tree = Tree(sources, main)
    if not _sharing(tree, request.existing_port):
        raise ConfigurationRefusedError(main, 0, _nothing_listens(tree, request.existing_port))
    ports = [port for port in sorted(set(request.ports)) if not _is_there(tree, request.existing_port, port)]
    _refuse_clones_of_others(tree, sources, request)
    edits: Dict[str, bytes] = {}
    added = _added(tree, request.existing_port, ports)
    for path, split in sources.splits.items():
        kept = [one for one in split.insertions if not one.default and one.port not in request.ports]
        lines = kept + added.get(path, [])
        defaults = _defaults(tree, path, {one.offset for one in lines})
        _note(edits, path, split.whole, marks.join(split.source.text, lines + defaults))
    after = Tree(Sources(files, edits), main)
    listeners = [one for one in _listeners(after) if one.added and one.port in ports]
    warnings = leaks.warnings(after, _sharing(after, request.existing_port), ports) if ports else []
    return Plan(edits, listeners, warnings + leaks.datagrams(after.servers, request.existing_port))


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
    going = [one for source in sources.every() for one in _inserted(source) if one.port in request.ports]
    return Plan(edits, going, [])


def _sharing(tree: Tree, port: int) -> List[Server]:
    return [server for server in tree.servers if any(listen.covers(port) for listen in server.listens)]


def _covering(tree: Tree, port: int) -> Dict[Tuple[int, str], Listen]:
    """What listens on a port, by number of the server and address."""
    return {
        (server.number, listen.endpoint.address): listen
        for server in tree.servers
        for listen in server.listens
        if listen.covers(port)
    }


def _is_there(tree: Tree, existing: int, port: int) -> bool:
    """Whether others listen on a port just as on the one that is there.

    :raises ConfigurationRefusedError: when they listen on it otherwise.
    """
    wanted, there = _covering(tree, existing), _covering(tree, port)
    if there and there.keys() != wanted.keys():
        other = next((there[key] for key in there if key not in wanted), next(iter(there.values())))
        reason = "port %d is listened on already, and not as port %d is: choose another port" % (port, existing)
        raise ConfigurationRefusedError(other.at.path, other.at.line, reason)
    return bool(there)


def _nothing_listens(tree: Tree, port: int) -> str:
    others = sorted({one.endpoint.first for server in tree.servers for one in server.listens if not one.datagrams})
    there = ", ".join(map(str, others)) or "none"
    return "no server listens on TCP port %d, unless it was added here: the others are %s" % (port, there)


def _targets(tree: Tree, listens: Iterable[Listen]) -> Iterator[_Target]:
    """Each line once, whatever the number of servers that include it."""
    seen: Set[Tuple[str, int]] = set()
    for listen in listens:
        place = insert.place_of(tree.source(listen.at).text, listen)
        if (listen.at.path, place.offset) not in seen:
            seen.add((listen.at.path, place.offset))
            yield _Target(listen, place)


def _added(tree: Tree, existing: int, ports: List[int]) -> Dict[str, List[Insertion]]:
    """The lines for new ports by file."""
    added: Dict[str, List[Insertion]] = {}
    for listen, place in _targets(tree, _covering(tree, existing).values()):
        text = tree.source(listen.at).text
        lines = [place.insertion(insert.clone(text, listen, port), False, port) for port in ports]
        added.setdefault(listen.at.path, []).extend(lines)
    return added


def _defaults(tree: Tree, path: str, offsets: Set[int]) -> List[Insertion]:
    """What servers without a listen directive did by themselves, where they get one."""
    implicit = [one for server in tree.servers for one in server.listens if one.implicit and one.at.path == path]
    return [
        place.insertion(insert.default_line(), True, IMPLICIT.first)
        for _listen, place in _targets(tree, implicit)
        if place.offset in offsets
    ]


def _refuse_clones_of_others(tree: Tree, sources: BareSources, request: Request) -> None:
    """A port that was added beside another one is not taken from it."""
    wanted = {
        (path, one.offset): one.port
        for path, split in sources.splits.items()
        for one in split.insertions
        if one.port in request.ports and not one.default
    }
    listens = [one for server in tree.servers for one in server.listens] if wanted else []
    for listen, place in _targets(tree, listens):
        port = wanted.get((listen.at.path, place.offset))
        if port and not listen.covers(request.existing_port):
            reason = "port %d was added beside port %d: remove it there first" % (port, listen.endpoint.first)
            raise ConfigurationRefusedError(listen.at.path, listen.at.line, reason)


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


def _listeners(tree: Tree) -> List[Listener]:
    found: Dict[Tuple[str, int, int], Listener] = {}
    for server in tree.servers:
        for listen in server.listens:
            if listen.datagrams:
                continue
            at, endpoint = listen.at, listen.endpoint
            added = not listen.implicit and marks.is_marked(tree.source(at).text, at.directive)
            for port in range(endpoint.first, endpoint.last + 1):
                one = Listener(at.path, at.line, endpoint.address, port, listen.options, added)
                found.setdefault((at.path, at.directive.start, port), one)
    return list(found.values())


def _inserted(source: Source) -> Iterator[Listener]:
    """What was added to a file, also where no server has it."""
    for directive in marks.inserted(source.text, source.directives):
        endpoint = address.parse(directive.words[1].value, None)
        if endpoint:
            options = tuple(word.raw for word in directive.words[2:])
            yield Listener(source.path, directive.line, endpoint.address, endpoint.first, options, True)
