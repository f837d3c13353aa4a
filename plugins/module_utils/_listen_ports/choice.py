# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which ports to add: those that were named, if nothing else has them, or free ones next to the existing one. Pure."""

from typing import AbstractSet, Iterable, List, Mapping, NamedTuple

from .. import _ports
from .._transaction import TransactionError

#: PROT_SOCK: below it only root binds, and a server on a port above it need not be root
_PRIVILEGED = 1024


class Host(NamedTuple):
    """``taken``: what listens on a port, or is configured to, by port. ``range``: ip_local_port_range.

    ``reserved``: ip_local_reserved_ports.
    """

    taken: Mapping[int, str]
    range: _ports.PortRange
    reserved: AbstractSet[int]

    def ephemeral(self, port: int) -> bool:
        """Whether connect() may choose it: a server that starts after such a connection fails to bind the port."""
        return self.range.low <= port <= self.range.high and port not in self.reserved


def pick(host: Host, existing: int, count: int, reserve: bool) -> List[int]:
    """The next free ports above one, and below it where there are none left.

    Reserved ports are passed over: somebody keeps them for something.

    :param reserve: whether ports of the ephemeral range will do.
    :raises TransactionError: when there are not so many.
    """
    order = [*range(existing + 1, 65536), *range(existing - 1, 0, -1)]
    if existing >= _PRIVILEGED:
        order = [port for port in order if port >= _PRIVILEGED]
    free = (port for port in order if port not in host.taken and port not in host.reserved
            and (reserve or not host.ephemeral(port)))
    picked = [port for port, _number in zip(free, range(count))]
    if len(picked) < count:
        raise TransactionError("there are no %d free ports beside %d, only %d: name them in add_ports"
                               % (count, existing, len(picked)))
    return picked


def refuse_taken(host: Host, ports: Iterable[int]) -> None:
    """
    :raises TransactionError: when something has one of the ports or is configured to have it.
    """
    for port in ports:
        if port in host.taken:
            raise TransactionError("port %d is taken: %s; choose another one" % (port, host.taken[port]))


def refuse_ephemeral(host: Host, ports: Iterable[int]) -> None:
    """
    :raises TransactionError: when outgoing connections could take one of the ports.
    """
    for port in ports:
        if host.ephemeral(port):
            raise TransactionError(
                "port %d is in net.ipv4.ip_local_port_range, %d to %d: outgoing connections take it whenever the server"
                " does not have it; choose one outside, or let reserve: true reserve it"
                % (port, host.range.low, host.range.high)
            )
