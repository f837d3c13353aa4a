# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What of Apache's configuration is in the way of a port. Pure."""

from typing import List

from ..errors import ConfigurationRefusedError
from ..overlap import overlap
from ..request import Request
from .changes import protocol_of, usual_protocol
from .groups import is_marked, ports_of, tagged
from .tree import Found, Tree


def is_served(read: Tree, origin: Found, port: int, others: List[Found]) -> bool:
    """Whether somebody configured the same already.

    :param others: all but what was added beside the same port.
    :raises ConfigurationRefusedError: when the port is taken by something else.
    """
    if origin.statement.name != "listen":
        return False
    mine = origin.named[0].endpoint
    protocol = protocol_of(origin.statement) or usual_protocol(mine.port)
    taken = [other for other in others if port in ports_of(other)]
    for other in taken:
        alike = (protocol_of(other.statement) or usual_protocol(port)) == protocol and not is_marked(read, other)
        if alike and other.blocks == origin.blocks and other.named[0].endpoint.address == mine.address:
            return True
    for other in taken:
        if overlap(mine.address, other.named[0].endpoint.address):
            reason = "port %d, which is to be added beside %s:%d, is taken here: choose another one"
            where = (port, origin.path, origin.statement.first + 1)
            raise ConfigurationRefusedError(other.path, other.statement.first + 1, reason % where)
    return False


def refuse_foreign_hosts(read: Tree, request: Request) -> None:
    """A VirtualHost of its own on a port that is to be added would answer there.

    :raises ConfigurationRefusedError: when there is one.
    """
    for host in read.found:
        if host.statement.name != "<virtualhost":
            continue
        marked = tagged(read, host)
        mine = {one.endpoint.address for one in host.named if one.endpoint.port == request.existing_port}
        for one in host.named:
            foreign = one.word.text not in marked and one.endpoint.address not in mine
            if foreign and one.endpoint.port in request.ports and one.endpoint.port != request.existing_port:
                reason = "port %d, which is to be added, has a <VirtualHost> of its own here: choose another one"
                raise ConfigurationRefusedError(host.path, host.statement.first + 1, reason % one.endpoint.port)


def _parted(read: Tree) -> List[Found]:
    """What listens on 0.0.0.0 with :: on the same port behind it, but not next to it."""
    heard = [one for one in read.found if one.statement.name == "listen"]
    return [
        one
        for at, one in enumerate(heard)
        if one.named[0].endpoint.address == "*"
        and any(_is_next(one, other) for other in heard[at + 2 :])
        and not _is_next(one, heard[at + 1])
    ]


def _is_next(one: Found, other: Found) -> bool:
    return other.named[0].endpoint.address == "::" and ports_of(other) == ports_of(one)


def refuse_parted(read: Tree, changed: Tree) -> None:
    """
    :raises ConfigurationRefusedError: when 0.0.0.0 and :: would be parted, which Apache does not start with.
    """
    parted = _parted(changed)
    if len(parted) > len(_parted(read)):
        reason = "0.0.0.0 and [::] of one port have to follow each other: put the two Listen lines into one file"
        raise ConfigurationRefusedError(parted[0].path, parted[0].statement.first + 1, reason)
