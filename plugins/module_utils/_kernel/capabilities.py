# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the running kernel can do about TIME-WAIT, asked of the kernel itself.

Distributions backport, so that a version tells nothing and is not looked at. Nothing is changed, and most of it needs
no privilege; what cannot be told is said with the reason.
"""

from typing import Any, Dict, List, Optional, Tuple

from . import counters, probes_socket, probes_symbol, probes_sysctl
from .capability import Capability, unknown
from .errors import KernelReadError
from .running import RunningKernel
from .symbols import Symbols

_NETSTAT = "/proc/net/netstat"

#: key in the facts -> sysctl whose file is the capability and whose value is the value
_SYSCTLS = {
    "autobind_reuse": "ip_autobind_reuse",
    "port_step_width": "ip_local_port_step_width",
    "reserved_ports": "ip_local_reserved_ports",
    "tw_reuse_delay": "tcp_tw_reuse_delay",
    "tw_timeout": "tcp_tw_timeout",
    "unprivileged_port_start": "ip_unprivileged_port_start",
}

#: counters of TcpExt that tell what became of TIME-WAIT entries and of what met them
_COUNTERS = (
    "TW", "TWRecycled", "TWKilled", "TCPTimeWaitOverflow", "PAWSPassive", "PAWSActive", "PAWSEstab", "PAWSOldAck",
    "PAWSTimewait", "TSEcrRejected", "BeyondWindow", "TCPACKSkippedPAWS", "TCPACKSkippedTimeWait",
)

STRUCTURES = ("tcp_timewait_sock", "inet_timewait_sock", "tcp_sock", "inet_bind_bucket", "inet_bind2_bucket")


def read_capabilities(kernel: RunningKernel, symbols: Symbols) -> Dict[str, Dict[str, Any]]:
    """``{name: {available, value, evidence}}``, as docs/schema.md describes them."""
    offset = probes_symbol.timestamp_offset(symbols)
    found = {name: probes_sysctl.of_sysctl(kernel, key) for name, key in _SYSCTLS.items()}
    found.update({
        "bind2_hash": probes_symbol.bind2_hash(symbols),
        "bind_address_no_port": probes_socket.bind_address_no_port(kernel),
        "connect_bucket_recovery": probes_symbol.connect_bucket_recovery(symbols),
        "ehash_entries": probes_sysctl.ehash(kernel),
        "local_port_range_option": probes_socket.local_port_range_option(kernel),
        "max_tw_buckets": probes_sysctl.buckets(kernel, symbols),
        "port_range": probes_sysctl.port_range(kernel),
        "rcu_port_search": probes_symbol.rcu_port_search(symbols),
        "reuseport": probes_socket.reuseport(kernel),
        "sock_diag": probes_socket.sock_diag_dump(kernel),
        "time_wait_counters": _counters(kernel),
        "timestamp_offset": offset,
        "tw_recycle": probes_sysctl.recycle(kernel, offset),
        "tw_reuse": probes_sysctl.reuse(kernel),
    })
    # the dump above has loaded tcp_diag where it is a module
    found["sock_destroy"] = probes_symbol.sock_destroy(symbols)
    return {name: dict(found[name]._asdict()) for name in sorted(found)}


def read_structure_bytes(symbols: Symbols) -> Tuple[Dict[str, Optional[int]], Optional[KernelReadError]]:
    """``(sizes, problem)``: None for a structure that this kernel lacks; no sizes and the reason without BTF."""
    try:
        structures = [(name, symbols.structure(name)) for name in STRUCTURES]
    except KernelReadError as error:
        return {}, error
    return {name: found.size if found else None for name, found in structures}, None


def _counters(kernel: RunningKernel) -> Capability:
    """``value``: those of the counters that this kernel has."""
    try:
        tables = counters.parse_tables(kernel.read_text(_NETSTAT), _NETSTAT)
    except KernelReadError as error:
        return unknown(error)
    names = tables.get("TcpExt", {})
    value: List[str] = [name for name in _COUNTERS if name in names]
    return Capability(bool(value), value, "names of TcpExt in %s" % _NETSTAT)
