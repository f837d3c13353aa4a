# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The directives that bind the connections of a backend to its addresses. Pure text."""

from typing import Dict, Iterator, List, Optional, Tuple

from ..._listeners.errors import ConfigurationRefusedError
from ..._listeners.nginx import insert
from ..._listeners.nginx.tree import Placed, Tree
from ..request import Request, version_of
from . import marks
from .marks import Change
from .upstreams import Pass, Upstream


def refuse(upstream: Optional[Upstream], found: List[Pass], every: List[Pass], wanted: Request) -> None:
    """Refuse what cannot be bound, or is bound already.

    :param found: what passes to the backend. :param every: of the whole configuration.
    :raises ConfigurationRefusedError: with the line that is in the way.
    """
    versions = {version_of(source) for source in wanted.sources}
    for entry in upstream.entries if upstream else []:
        if not entry.host:
            raise _refused(entry.at, "a Unix socket cannot be connected to from an address")
        _refuse_family(entry.at, entry.address, versions)
    for one in found:
        if not upstream:
            _refuse_family(one.at, one.host.strip("[]"), versions)
        if one.levels[-1].name in ("if", "limit_except"):
            reason = "%s cannot stand in %s: pass requests on in a location" % (one.bind, one.levels[-1].name)
            raise _refused(one.at, reason)
        for level in one.levels:
            for directive in level.directives:
                if directive.directive.name == one.bind:
                    raise _refused(directive, "connections are bound already: take that away first")
        _refuse_heirs(one, found, every)


def changes(tree: Tree, found: List[Pass], variable: str) -> Dict[str, List[Change]]:
    """What to add, by file. A file that is included twice is changed once."""
    result: Dict[str, List[Change]] = {}
    seen = set()
    for one in found:
        key = one.at.path, one.at.directive.start
        if key not in seen:
            seen.add(key)
            place = insert.behind(tree.source(one.at).text, one.at.directive)
            line = "%s %s;" % (one.bind, variable)
            result.setdefault(one.at.path, []).append(marks.inserted(place, line))
    return result


def warnings(upstream: Optional[Upstream], kind: str, every: List[Pass]) -> Iterator[Tuple[Placed, str]]:
    """What may not be bound, or not be reached."""
    for entry in upstream.entries if upstream else []:
        if not version_of(entry.address):
            yield entry.at, "%s may have addresses that cannot be reached from those of the other family" % entry.host
    for one in every:
        if one.kind == kind and not one.host and "$" in one.at.directive.words[1].value:
            yield one.at, "a variable tells where this passes requests to: those to this backend are not bound"


def _refuse_family(at: Placed, host: str, versions: "set[int]") -> None:
    if len(versions) > 1:
        raise _refused(at, "nginx chooses source and server each by itself: give sources of one family only")
    if version_of(host) and version_of(host) not in versions:
        raise _refused(at, "the sources are addresses of the other family than %s" % host)


def _refuse_heirs(one: Pass, found: List[Pass], every: List[Pass]) -> None:
    """A location inside gets what is bound outside, whatever it passes to."""
    block = one.levels[-1].at
    for other in every:
        inside = any(_same(level.at, block) for level in other.levels[:-1])
        if inside and other.bind == one.bind and not any(_same(other.at, mine.at) for mine in found):
            raise _refused(other.at, "it is inside a block that passes to this backend, and would be bound with it")


def _same(one: Optional[Placed], other: Optional[Placed]) -> bool:
    return bool(one and other and (one.path, one.directive.start) == (other.path, other.directive.start))


def _refused(at: Placed, reason: str) -> ConfigurationRefusedError:
    return ConfigurationRefusedError(at.path, at.line, reason)
