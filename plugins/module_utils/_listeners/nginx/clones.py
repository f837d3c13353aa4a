# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lines that are inserted into a configuration, by file."""

from typing import Dict, Iterable, Iterator, List, NamedTuple, Set, Tuple

from ..errors import ConfigurationRefusedError
from ..request import Request
from . import insert, listening
from .insert import Place
from .marks import Insertion
from .sources import BareSources
from .tree import IMPLICIT, Listen, Tree

Insertions = Dict[str, List[Insertion]]


class _Target(NamedTuple):
    """A line to clone, with where its clones go."""

    listen: Listen
    place: Place


def lines(tree: Tree, existing: int, ports: List[int]) -> Insertions:
    """One for each port and each line that listens on the existing one, whatever the number of servers that have it."""
    found: Insertions = {}
    for listen, place in _targets(tree, listening.covering(tree, existing).values()):
        text = tree.source(listen.at).text
        made = [place.insertion(insert.clone(text, listen, port), False, port) for port in ports]
        found.setdefault(listen.at.path, []).extend(made)
    return found


def defaults(tree: Tree) -> Insertions:
    """What every server without a listen directive does by itself, and has to say once it gets one."""
    found: Insertions = {}
    implicit = (one for server in tree.servers for one in server.listens if one.implicit)
    for listen, place in _targets(tree, implicit):
        made = place.insertion(insert.default_line(), True, IMPLICIT.first)
        found.setdefault(listen.at.path, []).append(made)
    return found


def refuse_those_of_others(tree: Tree, sources: BareSources, request: Request) -> None:
    """A port that was added beside another one is not taken from it.

    :raises ConfigurationRefusedError: when that is asked for.
    """
    for listen, port in _added(tree, sources):
        if port in request.ports and not listen.covers(request.existing_port):
            reason = "port %d was added beside port %d: remove it there first" % (port, listen.endpoint.first)
            raise ConfigurationRefusedError(listen.at.path, listen.at.line, reason)


def beside(tree: Tree, sources: BareSources, existing: int) -> Set[int]:
    """The ports that were added beside one, and those whose origin is gone, which are beside none."""
    added = list(_added(tree, sources))
    everywhere = {one.port for split in sources.splits.values() for one in split.insertions if not one.default}
    ours = {port for listen, port in added if listen.covers(existing)}
    return ours | (everywhere - {port for _listen, port in added})


def _added(tree: Tree, sources: BareSources) -> Iterator[Tuple[Listen, int]]:
    """Each line of a server, with each port that was added beside it."""
    ports: Dict[Tuple[str, int], List[int]] = {}
    for path, split in sources.splits.items():
        for one in split.insertions:
            if not one.default:
                ports.setdefault((path, one.offset), []).append(one.port)
    every = (one for server in tree.servers for one in server.listens)
    for listen, place in _targets(tree, every if ports else ()):
        for port in ports.get((listen.at.path, place.offset), ()):
            yield listen, port


def _targets(tree: Tree, listens: Iterable[Listen]) -> Iterator[_Target]:
    """Each line once."""
    seen: Set[Tuple[str, int]] = set()
    for listen in listens:
        place = insert.place_of(tree.source(listen.at).text, listen)
        if (listen.at.path, place.offset) not in seen:
            seen.add((listen.at.path, place.offset))
            yield _Target(listen, place)
