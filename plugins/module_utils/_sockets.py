# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the sockets of the namespace that the process is in: by sock_diag, or from procfs where that is barred."""

from typing import Callable, Iterator, List, NamedTuple, Optional, Set, Tuple

from ._aside import Aside
from ._kernel import addresses, counters, proc_net_tcp, sock_diag
from ._kernel.errors import KernelReadError, MissingError
from ._kernel.running import RunningKernel
from ._kernel.tcp_states import BOUND_ONLY, CONNECTED, LISTEN, LISTENING, LIVE
from ._tally import Tally

#: makes the tally once the listening ports are known
TallyMaker = Callable[[Set[int]], Tally]

#: more sockets than this in one namespace, and what is only bound is not looked for: the kernel keeps one port's bucket
#: locked while it walks all sockets of that port, and new connections to it wait
_BOUND_ONLY_LIMIT = 20000


class Sockets(NamedTuple):
    """What a namespace's sockets gave.

    ``source``: sock_diag or procfs. ``listeners``: sorted (address, port). ``tally``: None where only those were asked
    for. ``bound``: ports that sockets which do not listen are bound to explicitly. ``problems``: what could not be had.
    """

    source: str
    listeners: List[Tuple[str, int]]
    tally: Optional[Tally]
    bound: Set[int]
    problems: List[KernelReadError]


def read_listeners(kernel: RunningKernel) -> Sockets:
    """The listening sockets alone."""
    try:
        listening = list(sock_diag.sockets(kernel.dump(LISTENING)))
        return Sockets("sock_diag", _addresses(listening), None, set(), [])
    except sock_diag.DumpRefusedError as refusal:
        return Sockets("procfs", _addresses(_proc_listening(kernel)), None, set(), [_instead(refusal)])


def read_sockets(kernel: RunningKernel, make_tally: TallyMaker) -> Sockets:
    """Every socket."""
    try:
        return _read_dump(kernel, make_tally)
    except sock_diag.DumpRefusedError as refusal:
        return _read_proc(kernel, make_tally, refusal)


def _instead(refusal: sock_diag.DumpRefusedError) -> KernelReadError:
    return KernelReadError(
        refusal.what, "%s; read from /proc/net/tcp instead, which does not show what is only bound" % refusal.reason
    )


def _read_dump(kernel: RunningKernel, make_tally: TallyMaker) -> Sockets:
    listening = list(sock_diag.sockets(kernel.dump(LISTENING)))
    # these walk the kernel's tables once more
    bound = Aside(lambda: _bound_ports(kernel, len(listening)))
    tally = make_tally({one.local_port for one in listening})
    for datagram in kernel.dump(CONNECTED):
        tally.add_datagram(datagram)
    tally.finish()
    ports, problems = bound.result()
    return Sockets("sock_diag", _addresses(listening), tally, ports, problems)


def _bound_ports(kernel: RunningKernel, listening: int) -> Tuple[Set[int], List[KernelReadError]]:
    """``(ports, problems)``: ports of sockets that are only bound, and of those that bound one before they connected.

    A mini-socket does not tell whether its port was chosen for it. Nor does a socket whose port bind() chose
    (``__inet_bind``: SOCK_BINDPORT_LOCK is for a given port).
    """
    what = "ports held by explicit binds"
    ports: Set[int] = set()
    problems: List[KernelReadError] = []
    live, all_of_them = _socket_counts(kernel, listening)
    try:
        if all_of_them <= _BOUND_ONLY_LIMIT:
            ports.update(one.local_port for one in sock_diag.sockets(kernel.dump(BOUND_ONLY)))
        else:
            reason = "sockets that are only bound are not looked for among more than %d" % _BOUND_ONLY_LIMIT
            problems.append(KernelReadError(what, reason + ": the kernel would hold up new connections meanwhile"))
        if live:
            explicit = sock_diag.sockets(kernel.dump(LIVE, sock_diag.EXPLICITLY_BOUND))
            ports.update(one.local_port for one in explicit if not one.mini)
    except KernelReadError as error:
        problems.append(KernelReadError(what, error.reason))
    return ports, problems


def _socket_counts(kernel: RunningKernel, listening: int) -> Tuple[int, int]:
    """``(live sockets, those and mini-sockets)``, out of sockstat; where that cannot be read, too many."""
    try:
        sums = counters.read_sockstat(kernel)
    except KernelReadError:
        return 1, _BOUND_ONLY_LIMIT + 1
    # a kernel without IPv6 has no sum for it
    live = (sums["tcp_inuse"] or 0) + (sums["tcp6_inuse"] or 0) - listening
    return live, live + (sums["time_wait"] or 0)


def _read_proc(kernel: RunningKernel, make_tally: TallyMaker, refusal: sock_diag.DumpRefusedError) -> Sockets:
    """Direction needs every listening socket first, so the files are read twice."""
    listening = _proc_listening(kernel)
    tally = make_tally({one.local_port for one in listening})
    for found in proc_sockets(kernel):
        tally.add(found)
    tally.finish()
    return Sockets("procfs", _addresses(listening), tally, set(), [_instead(refusal)])


def _proc_listening(kernel: RunningKernel) -> List[sock_diag.Socket]:
    return [found for found in proc_sockets(kernel) if found.state == LISTEN]


def proc_sockets(kernel: RunningKernel) -> Iterator[sock_diag.Socket]:
    """Every socket as procfs shows it: for where a dump is refused."""
    for path, family in proc_net_tcp.FILES:
        try:
            yield from proc_net_tcp.sockets(kernel.read_lines(path), family, path)
        except MissingError:
            if family == addresses.AF_INET:
                raise
            # a kernel without IPv6


def _addresses(listening: List[sock_diag.Socket]) -> List[Tuple[str, int]]:
    """SO_REUSEPORT makes many sockets of one address and port: each pair once."""
    return sorted({(addresses.text(one.local_address), one.local_port) for one in listening})
