# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the sockets of the namespace that the process is in: by sock_diag, or from procfs where that is barred."""

from typing import Callable, Iterator, List, NamedTuple, Optional, Set, Tuple

from . import _census
from ._aside import Aside
from ._kernel import counters, proc_net_tcp, sock_diag
from ._kernel.errors import KernelReadError, MissingError
from ._kernel.running import RunningKernel
from ._kernel.tcp_states import BOUND_ONLY, CONNECTED, LISTEN, LISTENING, LIVE
from ._tally import Tally

#: makes the tally once the listening ports are known
TallyMaker = Callable[[Set[int]], Tally]


class Sockets(NamedTuple):
    """What a namespace's sockets gave.

    ``source``: sock_diag or procfs. ``listeners``: sorted (address, port). ``tally``: None where only those were asked
    for. ``bound``: ports that sockets which do not listen are bound to explicitly. ``refusal``: why not by sock_diag.
    """

    source: str
    listeners: List[Tuple[str, int]]
    tally: Optional[Tally]
    bound: Set[int]
    refusal: Optional[sock_diag.DumpRefusedError]


def read_listeners(kernel: RunningKernel) -> Sockets:
    """The listening sockets alone."""
    try:
        listening = list(sock_diag.sockets(kernel.dump(LISTENING)))
        return Sockets("sock_diag", _addresses(listening), None, set(), None)
    except sock_diag.DumpRefusedError as refusal:
        return Sockets("procfs", _addresses(_proc_listening(kernel)), None, set(), refusal)


def read_sockets(kernel: RunningKernel, make_tally: TallyMaker) -> Sockets:
    """Every socket."""
    try:
        return _read_dump(kernel, make_tally)
    except sock_diag.DumpRefusedError as refusal:
        return _read_proc(kernel, make_tally, refusal)


def _read_dump(kernel: RunningKernel, make_tally: TallyMaker) -> Sockets:
    listening = list(sock_diag.sockets(kernel.dump(LISTENING)))
    # these walk the kernel's tables once more, and take together as long as a dump
    bound = Aside(lambda: _bound_ports(kernel, len(listening)))
    tally = make_tally({one.local_port for one in listening})
    for datagram in kernel.dump(CONNECTED):
        tally.add_datagram(datagram)
    tally.finish()
    return Sockets("sock_diag", _addresses(listening), tally, bound.result(), None)


def _bound_ports(kernel: RunningKernel, listening: int) -> Set[int]:
    """Ports that sockets which do not listen are bound to: those that are only bound, and those that connected later.

    A mini-socket does not tell whether its port was chosen for it. A port that bind() chose, of a socket that
    connected later, is not told either (``inet_bind``: SOCK_BINDPORT_LOCK is for a given port).
    """
    ports = {one.local_port for one in sock_diag.sockets(kernel.dump(BOUND_ONLY))}
    if _live_sockets(kernel, listening):
        explicit = sock_diag.sockets(kernel.dump(LIVE, sock_diag.EXPLICITLY_BOUND))
        ports.update(one.local_port for one in explicit if not one.mini)
    return ports


def _live_sockets(kernel: RunningKernel, listening: int) -> bool:
    """Whether there are connected sockets other than mini-sockets: sockstat counts them and the listening ones."""
    try:
        sums = counters.read_sockstat(kernel)
    except KernelReadError:
        return True
    in_use = [sums["tcp_inuse"], sums["tcp6_inuse"]]
    return None in in_use or sum(number or 0 for number in in_use) > listening


def _read_proc(kernel: RunningKernel, make_tally: TallyMaker, refusal: sock_diag.DumpRefusedError) -> Sockets:
    """Direction needs every listening socket first, so the files are read twice."""
    listening = _proc_listening(kernel)
    tally = make_tally({one.local_port for one in listening})
    for found in _proc_sockets(kernel):
        tally.add(found)
    tally.finish()
    return Sockets("procfs", _addresses(listening), tally, set(), refusal)


def _proc_listening(kernel: RunningKernel) -> List[sock_diag.Socket]:
    return [found for found in _proc_sockets(kernel) if found.state == LISTEN]


def _proc_sockets(kernel: RunningKernel) -> Iterator[sock_diag.Socket]:
    for path, family in proc_net_tcp.FILES:
        try:
            yield from proc_net_tcp.sockets(kernel.read_lines(path), family, path)
        except MissingError:
            if family == sock_diag.AF_INET:
                raise
            # a kernel without IPv6


def _addresses(listening: List[sock_diag.Socket]) -> List[Tuple[str, int]]:
    """SO_REUSEPORT makes many sockets of one address and port: each pair once."""
    return sorted({(_census.format_address(one.local_address), one.local_port) for one in listening})
