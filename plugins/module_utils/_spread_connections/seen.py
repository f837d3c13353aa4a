# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Counts the connections that are really opened, by pool, as the kernel has them."""

import time
from typing import Dict, Iterable, List, NamedTuple, Sequence, Set, Tuple

from .. import _sockets
from .._kernel import addresses, sock_diag
from .._kernel.errors import KernelReadError
from .._kernel.running import RunningKernel
from .._kernel.tcp_states import CONNECTED
from .._spread.plan import Pool, ServerPools
from .._spread.request import version_of
from .._transaction import TransactionError
from . import evenness
from .sources import resolved

#: a connection that does not leave TIME-WAIT here is seen only while it lasts: so the kernel is asked as often as takes
#: a quarter of one CPU
_BUSY = 0.25
_SHORTEST_PAUSE = 0.005

#: local address and port, remote address and port
Quadruplet = Tuple[str, int, str, int]


class Seen(NamedTuple):
    """``counts``: connections opened meanwhile, by pool. ``quadruplets``: of all of them."""

    counts: Dict[Pool, int]
    quadruplets: List[Quadruplet]

    def of(self, server: ServerPools) -> List[int]:
        """The counts of the pools of one server, in their order."""
        return [self.counts[pool] for pool in server.pools]


class Watch:
    """Looks at the connections to some pools, from now on."""

    def __init__(self, kernel: RunningKernel, pools: Iterable[Pool]) -> None:
        self._kernel = kernel
        self._pools = list(dict.fromkeys(pools))
        self._targets = {pool: resolved(pool.address, version_of(pool.source)) for pool in self._pools}
        self._ports = sorted({pool.port for pool in self._pools})
        self._before = self._now()
        self._new: Set[Quadruplet] = set()
        self._counts = dict.fromkeys(self._pools, 0)

    def look(self) -> Seen:
        """What was opened since the beginning."""
        new = self._now() - self._before - self._new
        self._new |= new
        for source, _port, address, port in new:
            for pool in self._pools:
                if pool.port == port and address in self._targets[pool] and pool.source in ("", source):
                    self._counts[pool] += 1
        return Seen(dict(self._counts), list(self._new))

    def _now(self) -> Set[Quadruplet]:
        wanted = set().union(*self._targets.values()) if self._targets else set()
        try:
            return {one for port in self._ports for one in _to_port(self._kernel, port) if one[2] in wanted}
        except KernelReadError as error:
            raise TransactionError("connections cannot be looked at: %s" % error) from None


def watch(kernel: RunningKernel, servers: Sequence[ServerPools], seconds: int) -> Seen:
    """Look until there is enough to judge every server by, or the time is over."""
    pools = [pool for server in servers for pool in server.pools]
    looking = Watch(kernel, pools)
    deadline = time.monotonic() + seconds
    while True:
        began = time.monotonic()
        seen = looking.look()
        if all(evenness.enough(seen.of(server)) for server in servers) or time.monotonic() > deadline:
            return seen
        _pause(began)


def wait_for_quiet(kernel: RunningKernel, pools: Sequence[Pool], seconds: int, quiet: float) -> List[Pool]:
    """Wait until no connection is opened in some pools for a while.

    :param quiet: that while, in seconds.
    :returns: the pools in which some are opened all the same.
    """
    deadline = time.monotonic() + seconds
    while True:
        looking = Watch(kernel, pools)
        end = time.monotonic() + quiet
        busy: List[Pool] = []
        while time.monotonic() < end and not busy:
            began = time.monotonic()
            busy = [pool for pool, count in looking.look().counts.items() if count]
            _pause(began)
        if not busy or time.monotonic() > deadline:
            return busy


def _pause(began: float) -> None:
    time.sleep(max(_SHORTEST_PAUSE, (time.monotonic() - began) * (1 / _BUSY - 1)))


def _to_port(kernel: RunningKernel, port: int) -> List[Quadruplet]:
    try:
        found = list(sock_diag.sockets(kernel.dump(CONNECTED, sock_diag.to_port(port))))
    except sock_diag.DumpRefusedError:
        found = [one for one in _sockets.proc_sockets(kernel) if one.remote_port == port]
    return [
        (addresses.text(one.local_address), one.local_port, addresses.text(one.remote_address), one.remote_port)
        for one in found
    ]
