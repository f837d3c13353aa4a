# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Counters and socket sums of the calling process's network namespace.

Source: ``/proc/net/netstat``, ``/proc/net/snmp`` (``snmp_seq_show``), ``/proc/net/sockstat`` (``sockstat_seq_show``).
"""

from typing import Dict, List, Optional, Tuple

from .errors import KernelReadError
from .running import RunningKernel

#: what tells about TIME-WAIT and the rate of connections; the meaning of each is in docs/schema.md and snmp_counter.rst
_TCP_EXT = (
    "TW", "TWRecycled", "TWKilled", "PAWSPassive", "PAWSActive", "PAWSEstab", "PAWSTimewait", "PAWSOldAck",
    "TCPTimeWaitOverflow", "TCPACKSkippedTimeWait", "TCPACKSkippedPAWS", "ListenOverflows", "ListenDrops",
    "TCPSynRetrans", "TCPAbortOnData",
)
_TCP = ("ActiveOpens", "PassiveOpens", "AttemptFails", "EstabResets", "CurrEstab", "OutRsts")


def parse_tables(text: str, path: str) -> Dict[str, Dict[str, int]]:
    """``{table: {name: number}}`` of a file in which a line of names precedes each line of numbers.

    :raises KernelReadError: where names and numbers do not match.
    """
    tables: Dict[str, Dict[str, int]] = {}
    names: Optional[Tuple[str, List[str]]] = None
    for line in text.splitlines():
        table, colon, rest = line.partition(":")
        if not colon:
            continue
        fields = rest.split()
        if names is None or names[0] != table:
            names = (table, fields)
            continue
        if len(fields) != len(names[1]):
            raise KernelReadError(path, "table %.20r has %d names and %d numbers" % (table, len(names[1]), len(fields)))
        try:
            tables.setdefault(table, {}).update(zip(names[1], map(int, fields)))
        except ValueError:
            raise KernelReadError(path, "table %.20r has something else than numbers" % table) from None
        names = None
    if not tables:
        raise KernelReadError(path, "no table in it")
    return tables


def read_counters(kernel: RunningKernel) -> Dict[str, int]:
    """Counters by their own names; one that this kernel lacks is absent."""
    ext = parse_tables(kernel.read_text("/proc/net/netstat"), "/proc/net/netstat").get("TcpExt", {})
    tcp = parse_tables(kernel.read_text("/proc/net/snmp"), "/proc/net/snmp").get("Tcp", {})
    found = {name: ext[name] for name in _TCP_EXT if name in ext}
    found.update((name, tcp[name]) for name in _TCP if name in tcp)
    return found


def parse_sockstat(text: str, path: str) -> Dict[str, Dict[str, int]]:
    """``{protocol: {name: number}}`` of sockstat.

    :raises KernelReadError: where a line is not made of pairs.
    """
    sums: Dict[str, Dict[str, int]] = {}
    for line in text.splitlines():
        protocol, colon, rest = line.partition(":")
        fields = rest.split()
        if not colon:
            continue
        try:
            if len(fields) % 2:
                raise ValueError(line)
            sums[protocol] = {name: int(number) for name, number in zip(fields[::2], fields[1::2])}
        except ValueError:
            raise KernelReadError(path, "a line is not made of names and numbers: %.60r" % line) from None
    if not sums:
        raise KernelReadError(path, "nothing in it")
    return sums


def read_sockstat(kernel: RunningKernel) -> Dict[str, Optional[int]]:
    """Sums as the facts name them; None where this kernel does not show one."""
    sums = parse_sockstat(kernel.read_text("/proc/net/sockstat"), "/proc/net/sockstat")
    tcp = sums.get("TCP", {})
    try:
        tcp6 = parse_sockstat(kernel.read_text("/proc/net/sockstat6"), "/proc/net/sockstat6").get("TCP6", {})
    except KernelReadError:
        tcp6 = {}  # a kernel without IPv6 has no such file
    return {
        "used": sums.get("sockets", {}).get("used"),
        "tcp_inuse": tcp.get("inuse"),
        "tcp6_inuse": tcp6.get("inuse"),
        "orphan": tcp.get("orphan"),
        "time_wait": tcp.get("tw"),
        "alloc": tcp.get("alloc"),
        "mem_pages": tcp.get("mem"),
    }
