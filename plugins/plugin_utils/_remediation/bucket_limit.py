# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How many TIME-WAIT sockets a host should be allowed: from what it closes, bounded by what it has.

Above ``tcp_max_tw_buckets`` connections close without TIME-WAIT, and so without its protection from late segments
(``inet_twsk_alloc``). The limit costs nothing until it is used, and an entry 256 to 512 bytes while it is there.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from ansible_collections.tcpops.timewait.plugins.plugin_utils._findings.facts_reader import (
    Facts,
    Memory,
    Namespace,
    read_facts,
)

from .errors import RemediationError

_KEY = "net.ipv4.tcp_max_tw_buckets"
_DIRECTIONS = ("outbound", "inbound")
#: the largest value that the kernel takes: an int
_LARGEST = 2**31 - 1
#: share of the limit from which on the close rate tells little: what is skipped never enters TIME-WAIT
_SATURATED = 0.95


class BucketLimit(NamedTuple):
    """``wanted`` is never below ``running``; the other figures are what it rests on. Bytes, seconds, per second."""

    running: int
    wanted: int
    peak_close_rate: float
    timewait_seconds: float
    headroom: float
    #: rate x seconds x headroom as a power of two, so that the same load asks for the same limit each time
    needed: int
    #: entries that the share of memory holds
    affordable: int
    #: the kernel's own limit; None where it does not tell
    default: int | None
    #: cost of ``wanted`` entries at once
    bytes: int
    #: one sentence with the figures
    reason: str

    def as_dict(self) -> dict[str, Any]:
        """For the Ansible boundary."""
        return self._asdict()


def bucket_limit(facts: object, headroom: float, memory_share: float, close_rate: float = 0) -> BucketLimit:
    """The limit for the namespace that the facts begin with.

    :param facts: ``ansible_facts.timewait`` of docs/schema.md, untrusted.
    :param headroom: times what the peak needs; at least 1.
    :param memory_share: of the machine's memory that TIME-WAIT may cost at most, above 0 and at most 0.5.
    :param close_rate: peak that is known from elsewhere; counts where it is above the measured one.
    :raises RemediationError: when a parameter makes no sense or the facts do not tell enough.
    """
    if not (math.isfinite(headroom) and headroom >= 1):
        raise RemediationError(f"a headroom of {headroom:g} leaves less than the peak needs: give 1 or more")
    if not 0 < memory_share <= 0.5:
        raise RemediationError(f"a memory share of {memory_share:g} is not above 0 and at most 0.5")
    if not (math.isfinite(close_rate) and close_rate >= 0):
        raise RemediationError(f"a close rate of {close_rate:g} is none")
    readable = read_facts(facts)
    if isinstance(readable, str):
        raise RemediationError(readable)
    namespace = readable.namespaces[0]
    running = namespace.sysctls.get("tcp_max_tw_buckets")
    if running is None:
        raise RemediationError(f"{_KEY} is not in the facts: gather their subset sysctls")
    rate = max(close_rate, _measured(namespace))
    seconds = readable.timewait_seconds
    needed = _next_power(math.ceil(min(_LARGEST, rate * seconds * headroom)))
    waiting = sum(namespace.total(direction, "time_wait") or 0 for direction in _DIRECTIONS)
    saturated = waiting >= _SATURATED * running
    if saturated:
        needed = max(needed, _next_power(2 * max(1, running)))
    memory = _memory(readable)
    affordable = int(memory_share * memory.total_bytes / memory.entry_bytes)
    default = _default(namespace)
    wanted = max(running, default or 0, min(needed, affordable, _LARGEST))
    limit = BucketLimit(
        running, wanted, rate, seconds, headroom, needed, affordable, default, wanted * memory.entry_bytes, ""
    )
    return limit._replace(reason=_reason(limit, memory, memory_share, waiting if saturated else None))


class _Costs(NamedTuple):
    total_bytes: int
    entry_bytes: int


def _measured(namespace: Namespace) -> float:
    """Closes per second of all pools in both directions, each in its own busiest seconds: at least the true peak."""
    rates = [namespace.peak_close_rate(direction) for direction in _DIRECTIONS]
    known = [rate for rate in rates if rate is not None]
    if len(known) < len(rates):
        raise RemediationError("the peak close rate is not in the facts: " + namespace.why_missing("totals"))
    return sum(known)


def _memory(facts: Facts) -> _Costs:
    memory: Memory | None = facts.memory
    if memory is None or not memory.total_bytes or not max(memory.per_inbound_bytes, memory.per_outbound_bytes):
        why = facts.namespaces[0].why_missing("memory")
        raise RemediationError(f"the memory of the host is not in the facts: {why}")
    return _Costs(memory.total_bytes, max(memory.per_inbound_bytes, memory.per_outbound_bytes))


def _default(namespace: Namespace) -> int | None:
    """Half of the table of connections (``tcp_set_hashinfo``); negative: the table is shared with the first one."""
    entries = namespace.sysctls.get("tcp_ehash_entries")
    return min(_LARGEST, abs(entries) // 2) or None if entries else None


def _next_power(number: int) -> int:
    return 1 << max(0, number - 1).bit_length()


def _reason(limit: BucketLimit, memory: _Costs, share: float, waiting: int | None) -> str:
    stays = limit.wanted == limit.running
    figures = (
        f"{limit.peak_close_rate:.5g} closes/s at the peak, for {limit.timewait_seconds:g} s, times {limit.headroom:g},"
        f" need {limit.needed}"
    )
    if waiting is not None:
        figures = f"{waiting} TIME-WAIT sockets fill the present limit, so that what closes cannot be told"
    bounds = f"{share * 100:g} % of {memory.total_bytes / 2**30:.1f} GiB hold {limit.affordable}"
    if limit.default is not None:
        bounds += f", this kernel's own limit is {limit.default}"
    verdict = f"{_KEY} stays {limit.running}" if stays else f"{_KEY} {limit.running} -> {limit.wanted}"
    cost = f"{limit.wanted} entries at once would cost {limit.bytes / 2**20:.0f} MiB"
    return f"{verdict}: {figures}; {bounds}; {cost}."
