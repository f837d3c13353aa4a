# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What TIME-WAIT costs in memory: little, and this says how little."""

from typing import Any, Dict, List, Optional, Tuple

from ._kernel import slab, sysctls
from ._kernel.errors import KernelReadError
from ._kernel.running import RunningKernel
from ._kernel.symbols import Symbols
from ._tally import INBOUND, OUTBOUND

#: ``struct inet_ehash_bucket`` is one pointer
_EHASH_BUCKET_BYTES = 8


def describe(
    kernel: RunningKernel, symbols: Symbols, totals: List[Dict[str, Dict[str, Any]]]
) -> Tuple[Dict[str, Any], Optional[KernelReadError]]:
    """``(facts, problem)``: the problem is what made the sizes an estimate.

    :param totals: of each namespace whose census was taken.
    """
    size, problem = slab.read_entry_size(kernel, symbols)
    entries, source = _ehash(kernel)
    entry_bytes = None
    if totals:
        entry_bytes = sum(
            total[INBOUND]["time_wait"] * size.inbound + total[OUTBOUND]["time_wait"] * size.outbound
            for total in totals
        )
    return {
        "per_inbound_bytes": size.inbound,
        "per_outbound_bytes": size.outbound,
        "time_wait_bytes": entry_bytes,
        "total_bytes": _total(kernel),
        "source": size.source,
        "ehash_entries": entries,
        "ehash_bytes": entries * _EHASH_BUCKET_BYTES if entries else None,
        "ehash_source": source,
    }, problem


def _total(kernel: RunningKernel) -> Optional[int]:
    """MemTotal: what the machine has, also where a container may use only a part of it; None when nothing tells."""
    try:
        lines = kernel.read_text("/proc/meminfo").splitlines()
    except KernelReadError:
        return None
    for line in lines:
        name, _colon, rest = line.partition(":")
        fields = rest.split()
        if name == "MemTotal" and len(fields) == 2 and fields[0].isdigit() and fields[1] == "kB":
            return int(fields[0]) * 1024
    return None


def _ehash(kernel: RunningKernel) -> Tuple[Optional[int], Optional[str]]:
    """Buckets of the table of connections, and how that is known.

    Without tcp_ehash_entries (6.1) the default of tcp_max_tw_buckets tells, half the buckets (``tcp_init``), as
    long as nobody changed it: an estimate.
    """
    for name, factor, source in (("tcp_ehash_entries", 1, "sysctl"), ("tcp_max_tw_buckets", 2, "estimate")):
        try:
            value = sysctls.read_value(kernel, "/proc/sys/net/ipv4/" + name)
        except KernelReadError:
            continue
        if isinstance(value, int) and value:
            # negative: the namespace shares the table of the first one (``proc_tcp_ehash_entries``)
            return abs(value) * factor, source
    return None, None
