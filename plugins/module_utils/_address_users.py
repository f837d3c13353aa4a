# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What of TCP uses a local address, in the namespace that the process is in."""

import socket
import struct
import time
from collections import Counter
from typing import Dict, Iterable, List, NamedTuple, Tuple

from ._kernel import addresses, sock_diag
from ._kernel.running import RunningKernel
from ._kernel.tcp_states import CONNECTED, LISTEN, LISTENING, NAMES
from ._sockets import proc_sockets

_HOST_CONDITION = 7  # INET_DIAG_BC_S_COND
_ANY_PORT = -1
#: so long nothing may begin: a process that is about to end still opens connections, and not all the time
_QUIET_SECONDS = 2.0
#: of the time between two looks is spent looking, at most: a table of many sockets takes a while to go through
_BUSY = 0.25
_SHORTEST_PAUSE = 0.005


class Users(NamedTuple):
    """``connections``: how many, by state; they break when the address goes. ``time_wait``: mini-sockets, which do not.
    ``listening``: ports on this address alone, where nobody can connect any more once it is gone."""

    connections: Dict[str, int]
    time_wait: int
    listening: List[int]

    @property
    def connected(self) -> int:
        return sum(self.connections.values())

    def __str__(self) -> str:
        """For a sentence."""
        return ", ".join("%d in %s" % (number, state) for state, number in sorted(self.connections.items()))


def find_users(kernel: RunningKernel, address: str) -> Users:
    """The sockets whose local address it is.

    :raises KernelReadError: when they cannot be told.
    """
    packed = _packed(address)
    return count_users(packed, _sockets_of(kernel, packed))


def wait_until_unused(kernel: RunningKernel, address: str, seconds: int, settling: bool) -> str:
    """Wait until no connection uses a local address, and none is opened from it any more.

    :param seconds: as long as that at most.
    :param settling: also where nothing uses it now: a server that was told to use it no more may go on a little.
    :returns: what uses it all the same, for a sentence; empty when nothing does.
    :raises KernelReadError: when that cannot be told.
    """
    packed = _packed(address)
    deadline = time.monotonic() + seconds
    known = _sockets_of(kernel, packed)
    quiet_since = time.monotonic()
    if not (settling or any(one.state != LISTEN for one in known)):
        return ""
    seen = {_quadruplet(one) for one in known}
    while True:
        began = time.monotonic()
        found = _sockets_of(kernel, packed)
        users = count_users(packed, found)
        now = {_quadruplet(one) for one in found}
        if users.connected or now - seen:
            quiet_since = time.monotonic()
        seen |= now
        if time.monotonic() - quiet_since > _QUIET_SECONDS:
            return ""
        if time.monotonic() > deadline:
            return str(users) or "opened all the time"
        time.sleep(max(_SHORTEST_PAUSE, (time.monotonic() - began) * (1 / _BUSY - 1)))


def _packed(address: str) -> bytes:
    return socket.inet_pton(socket.AF_INET6 if ":" in address else socket.AF_INET, address)


def _sockets_of(kernel: RunningKernel, packed: bytes) -> List[sock_diag.Socket]:
    try:
        return list(sock_diag.sockets(kernel.dump(CONNECTED | LISTENING, from_address(packed))))
    except sock_diag.DumpRefusedError:
        return [one for one in proc_sockets(kernel) if one.local_address == packed]


def _quadruplet(one: sock_diag.Socket) -> Tuple[int, bytes, int]:
    return one.local_port, one.remote_address, one.remote_port


def count_users(packed: bytes, sockets: Iterable[sock_diag.Socket]) -> Users:
    """The same, out of sockets, those of other addresses among them."""
    connections: Dict[str, int] = Counter()
    listening = set()
    mini = 0
    for one in sockets:
        if one.local_address != packed:
            continue
        if one.state == LISTEN:
            listening.add(one.local_port)
        elif one.mini:
            mini += 1
        else:
            connections[NAMES[one.state]] += 1
    return Users(dict(connections), mini, sorted(listening))


def from_address(packed: bytes) -> bytes:
    """Bytecode that accepts the sockets of one local address; IPv4-mapped ones too (``inet_diag_bc_run``)."""
    family = addresses.AF_INET if len(packed) == 4 else addresses.AF_INET6
    condition = struct.pack("=BBxxi", family, 8 * len(packed), _ANY_PORT) + packed
    length = 4 + len(condition)
    # on to the end, which accepts, when it matches, and past it, which rejects, when not
    return struct.pack("=BBH", _HOST_CONDITION, length, length + 4) + condition
