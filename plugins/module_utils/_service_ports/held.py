# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Outgoing connections that hold ports which a service needs: reserving them now would not free them."""

from typing import AbstractSet, Dict, Iterator, List, NamedTuple, Set, Tuple

from .. import _sockets
from .._kernel import addresses, sock_diag
from .._kernel.running import RunningKernel
from .._kernel.tcp_states import CONNECTED, LISTEN, NAMES

#: a port that so many sockets share towards different ports was served on, not chosen
_SERVED = 8


class Holder(NamedTuple):
    """A connection. ``seconds_left``: until its TIME-WAIT ends, at most; None for a live one."""

    port: int
    local_address: str
    remote_address: str
    remote_port: int
    state: str
    seconds_left: object


def find(kernel: RunningKernel, ports: AbstractSet[int]) -> List[Holder]:
    """The connections whose local port is one of ``ports``, by port.

    The kernel does not tell an accepted connection from one that was opened here (``sk_clone_lock`` takes
    SOCK_BINDPORT_LOCK from what is accepted). A port that eight of them share towards different remote ports was a
    server's that has stopped, and is left out; fewer are taken for outgoing, which is the safe side.

    :param ports: those to be reserved that nothing listens on.
    :raises KernelReadError: when the sockets cannot be read.
    """
    if not ports:
        return []
    try:
        found = list(_dumped(kernel, ports))
    except sock_diag.DumpRefusedError:
        found = [one for one in _sockets.proc_sockets(kernel) if one.state != LISTEN and one.local_port in ports]
    by_port: Dict[int, List[sock_diag.Socket]] = {}
    for one in found:
        by_port.setdefault(one.local_port, []).append(one)
    holders: List[Holder] = []
    for port in sorted(by_port):
        if not _was_served(by_port[port]):
            holders += sorted((_holder(one) for one in by_port[port]), key=lambda one: one[:5])
    return holders


def _dumped(kernel: RunningKernel, ports: AbstractSet[int]) -> Iterator[sock_diag.Socket]:
    wanted: Set[Tuple[int, int]] = {(port >> 8, port & 255) for port in ports}
    for datagram in kernel.dump(CONNECTED):
        data, size = datagram
        at = sock_diag.LOCAL_PORT_AT
        # thousands of equal messages a datagram: most of them have none of the ports, and are not taken apart
        if size and wanted.isdisjoint(zip(data[at::size], data[at + 1::size])):
            continue
        for one in sock_diag.sockets([datagram]):
            if one.local_port in ports:
                yield one


def _was_served(found: List[sock_diag.Socket]) -> bool:
    return len({one.remote_port for one in found}) >= _SERVED


def _holder(one: sock_diag.Socket) -> Holder:
    return Holder(
        one.local_port,
        addresses.text(one.local_address),
        addresses.text(one.remote_address),
        one.remote_port,
        NAMES.get(one.state, "state %d" % one.state),
        -(-one.left_ms // 1000) if one.mini else None,
    )
