# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Family TW-MEM: what TIME-WAIT costs, so that nobody has to guess."""

from __future__ import annotations

from collections.abc import Mapping

from .facts_reader import Facts
from .rule import HOST, Match, Rule

_FIGURES = {
    "slab": "sizes of this kernel's slabs",
    "btf": "sizes of this kernel's structures, rounded up as its slabs do",
}


def _mebibytes(size: int) -> str:
    return f"{size / 2**20:.1f} MiB"


def _cost(facts: Facts, _thresholds: Mapping[str, float]) -> Match | None:
    memory = facts.memory
    if memory is None or not memory.time_wait_bytes:
        return None
    sockets = sum(namespace.time_wait for namespace in facts.namespaces)
    figures = _FIGURES.get(memory.source, "sizes are an estimate")
    evidence = [
        f"{sockets} TIME-WAIT sockets: {_mebibytes(memory.time_wait_bytes)}",
        f"bytes each: {memory.per_inbound_bytes} inbound, at most {memory.per_outbound_bytes} outbound ({figures})",
    ]
    if memory.ehash_entries:
        evidence.append(
            f"{sockets / memory.ehash_entries:.2g} of them per bucket of the table of connections"
            f" ({memory.ehash_entries} buckets)"
        )
    return Match("memory of TIME-WAIT", evidence)


RULES = (
    Rule(
        id="TW-MEM-001",
        severity="INFO",
        title="What TIME-WAIT costs in memory",
        scope=HOST,
        when="There is TIME-WAIT; once per host, all namespaces of the facts together.",
        why=(
            "TIME-WAIT has a structure of its own, a tenth of a socket in size, and costs CPU time only when"
            " a timer ends it. There is nothing to tune."
        ),
        reference="struct tcp_timewait_sock, include/linux/tcp.h",
        check=_cost,
        needs=frozenset({"memory"}),
    ),
)
