# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sockets to pools: what one network namespace holds, the top pools in full, the rest in sums."""

from collections import Counter
from heapq import nsmallest
from typing import Any, Dict, List, NamedTuple, Optional, Union

from . import _capacity
from ._kernel import addresses
from ._tally import HISTORY_SECONDS, INBOUND, OLDER, OTHER_STATE, OUTBOUND, Pool, Tally, direction_of, pool_of

#: what tcp_tw_reuse is compared with where the kernel has no tcp_tw_reuse_delay (before 6.14: whole seconds)
_REUSE_DELAY_MS = 1000


class Reuse(NamedTuple):
    """What decides whether connect() takes over TIME-WAIT entries: three sysctls, None where unknown."""

    mode: Optional[int]
    timestamps: Optional[int]
    delay_ms: Optional[int]

    def applies_to(self, pool: Pool) -> bool:
        """Whether entries of this pool can be taken over at all (``tcp_twsk_unique``), given timestamps were used."""
        if pool.direction != OUTBOUND or not self.timestamps:
            return False
        return self.mode == 1 or (
            self.mode == 2 and (addresses.is_loopback(pool.local_address) or addresses.is_loopback(pool.remote_address))
        )


class Settings(NamedTuple):
    """What the census needs to know of the namespace besides its sockets.

    ``capacity``: of an outbound pool, None when the range could not be read. ``client_ports``: assumed
    capacity of an inbound pool. ``top``: pools that travel, per direction.
    """

    capacity: Optional[_capacity.Capacity]
    client_ports: int
    timewait_ms: int
    reuse: Reuse
    top: int


class Census(NamedTuple):
    """``pools``: as in the facts. ``totals``: by direction. ``omitted``: what did not travel."""

    pools: List[Dict[str, Any]]
    totals: Dict[str, Dict[str, Union[int, float]]]
    omitted: Dict[str, int]


def take(tally: Tally, settings: Settings) -> Census:
    """The census of what was tallied.

    A server may have as many pools as clients: only those that travel become objects.
    """
    used: Counter[bytes] = Counter()
    all_slots = {direction: [0] * (OTHER_STATE + 1) for direction in (OUTBOUND, INBOUND)}
    for key, count in tally.counts():
        used[key[:-1]] += count
        all_slots[direction_of(key)][key[-1]] += count
    totals: Dict[str, Dict[str, Union[int, float]]] = {
        direction: {
            "pools": 0,
            "used": sum(by_slot),
            "time_wait": sum(by_slot[:OTHER_STATE]),
            "peak_close_rate": _capacity.peak_close_rate(by_slot[:HISTORY_SECONDS]),
        }
        for direction, by_slot in all_slots.items()
    }
    for pool in used:
        totals[direction_of(pool)]["pools"] += 1

    # all pools of one direction have the same capacity, so the fullest are those with the most quadruplets
    chosen: List[bytes] = []
    for direction in (OUTBOUND, INBOUND):
        candidates = (pool for pool in used if direction_of(pool) == direction)
        chosen.extend(nsmallest(settings.top, candidates, key=lambda pool: (-used[pool], pool)))

    slots = {pool: [0] * (OTHER_STATE + 1) for pool in chosen}
    for key, count in tally.counts():
        if key[:-1] in slots:
            slots[key[:-1]][key[-1]] += count
    pools = [_facts_of(pool_of(pool), slots[pool], settings) for pool in chosen]
    omitted = {"count": len(used) - len(chosen), "used": sum(used.values()) - sum(used[pool] for pool in chosen)}
    return Census(pools, totals, omitted)


def _facts_of(pool: Pool, by_slot: List[int], settings: Settings) -> Dict[str, Any]:
    outbound = pool.direction == OUTBOUND
    capacity: Optional[int] = settings.client_ports
    if outbound:
        capacity = settings.capacity.usable if settings.capacity else None
    timewait_ms = settings.timewait_ms
    history, older = by_slot[:HISTORY_SECONDS], by_slot[OLDER]
    time_wait = sum(history) + older
    used = time_wait + by_slot[OTHER_STATE]
    reusable = 0
    if settings.reuse.applies_to(pool):
        delay = _REUSE_DELAY_MS if settings.reuse.delay_ms is None else settings.reuse.delay_ms
        reusable = _capacity.reusable(history, older, delay)
    return {
        "direction": pool.direction,
        "local_address": addresses.text(pool.local_address),
        "local_port": pool.local_port,
        "remote_address": addresses.text(pool.remote_address),
        "remote_port": pool.remote_port,
        "used": used,
        "time_wait": time_wait,
        "reusable": reusable,
        "capacity": capacity,
        "capacity_assumed": not outbound,
        "utilisation": None if capacity is None else _capacity.utilisation(used, capacity),
        "sustainable_rate": None if capacity is None else round(capacity * 1000.0 / timewait_ms, 1),
        "close_rate": _capacity.close_rate(history, timewait_ms),
        "history": history,
        "seconds_to_exhaustion": (
            None
            if capacity is None
            else _capacity.seconds_to_exhaustion(used, capacity, history, time_wait, timewait_ms)
        ),
    }
