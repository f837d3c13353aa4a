# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which statements of Apache belong together: those that somebody wrote, and those that were added for them. Pure."""

from typing import Dict, List, NamedTuple, Tuple

from .. import text
from ..request import Request
from .tree import Found, Tree

#: before the addresses that were added to a tag
TAG = text.MARK + ": "


class Group(NamedTuple):
    """Statements of one kind and port that follow each other, none where they are gone, and those added behind them.

    0.0.0.0 and :: on one port have to follow each other, or Apache opens them both and fails (``open_listeners``).
    """

    origins: List[Found]
    added: List[Found]

    def is_for(self, port: int) -> bool:
        """Whether what somebody wrote is for a port."""
        return bool(self.origins and port in ports_of(self.origins[0]))


def groups_of(read: Tree) -> List[Group]:
    """An added statement belongs to those of its kind before it in its file that were not added."""
    groups: List[Group] = []
    last: Dict[Tuple[str, str], Group] = {}
    for one in sorted(read.found, key=lambda one: (one.path, one.statement.first)):
        kind = (one.path, one.statement.name)
        if one.statement.name == "<virtualhost" or not one.named:
            continue
        if is_marked(read, one):
            if kind not in last:
                last[kind] = Group([], [])
                groups.append(last[kind])
            last[kind].added.append(one)
            continue
        group = last.get(kind)
        origins = group.origins if group and not group.added else []
        if not (origins and origins[0].blocks == one.blocks and ports_of(origins[0]) == ports_of(one)):
            origins = []
            last[kind] = Group(origins, [])
            groups.append(last[kind])
        origins.append(one)
    return groups


def ours(read: Tree, request: Request) -> List[Found]:
    """The added statements that a request is about; those whose origins are gone go by their port alone."""
    groups = [group for group in groups_of(read) if not group.origins or group.is_for(request.existing_port)]
    return [one for group in groups for one in group.added if set(ports_of(one)) & set(request.ports)]


def ports_of(one: Found) -> List[int]:
    return [named.endpoint.port for named in one.named if named.endpoint.port]


def _line_before(read: Tree, one: Found) -> str:
    first = one.statement.first
    return read.files[one.path][first - 1].text.strip() if first else ""


def is_marked(read: Tree, one: Found) -> bool:
    return _line_before(read, one) == text.MARK


def tagged(read: Tree, host: Found) -> List[str]:
    """The addresses that were added to a tag."""
    line = _line_before(read, host)
    return line[len(TAG) :].split() if line.startswith(TAG) else []
