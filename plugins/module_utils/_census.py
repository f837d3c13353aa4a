# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sockets to pools: what one network namespace holds, the top pools in full, the rest in sums."""

import socket
from collections import Counter, namedtuple
from heapq import nsmallest

from . import _capacity
from ._tally import HISTORY_SECONDS, INBOUND, OLDER, OUTBOUND

#: what tcp_tw_reuse is compared with where the kernel has no tcp_tw_reuse_delay (before 6.14: whole seconds)
_REUSE_DELAY_MS = 1000


class Reuse(namedtuple("Reuse", "mode timestamps delay_ms")):
    """What decides whether connect() takes over TIME-WAIT entries: three sysctls, None where unknown."""

    __slots__ = ()

    def applies_to(self, pool):
        """Whether entries of this pool can be taken over at all (``tcp_twsk_unique``), given timestamps were used."""
        if pool.direction != OUTBOUND or not self.timestamps:
            return False
        return self.mode == 1 or (
            self.mode == 2 and (is_loopback(pool.local_address) or is_loopback(pool.remote_address))
        )


class Settings(namedtuple("Settings", "capacity client_ports timewait_ms reuse top")):
    """What the census needs to know of the namespace besides its sockets.

    ``capacity``: of an outbound pool, None when the range could not be read. ``client_ports``: assumed
    capacity of an inbound pool. ``top``: pools that travel, per direction.
    """

    __slots__ = ()


class Census(namedtuple("Census", "pools totals omitted")):
    """``pools``: dicts as in the facts. ``totals``: by direction. ``omitted``: what did not travel."""

    __slots__ = ()


def take(tally, settings):
    """The census of what was tallied."""
    used = Counter()
    time_wait = Counter()
    for pool, _slot, count in tally.time_waits():
        time_wait[pool] += count
    used.update(time_wait)
    for pool, count in tally.others():
        used[pool] += count

    totals = {
        direction: {"pools": 0, "used": 0, "time_wait": 0} for direction in (OUTBOUND, INBOUND)
    }
    by_direction = {OUTBOUND: [], INBOUND: []}
    for pool, count in used.items():
        total = totals[pool.direction]
        total["pools"] += 1
        total["used"] += count
        total["time_wait"] += time_wait.get(pool, 0)
        by_direction[pool.direction].append(pool)

    # all pools of one direction have the same capacity, so the fullest are those with the most quadruplets
    chosen = []
    for direction in (OUTBOUND, INBOUND):
        chosen.extend(nsmallest(settings.top, by_direction[direction], key=lambda pool: (-used[pool], _order(pool))))

    slots = {pool: [0] * (HISTORY_SECONDS + 1) for pool in chosen}
    for pool, slot, count in tally.time_waits():
        if pool in slots:
            slots[pool][slot] += count
    pools = [_facts_of(pool, used[pool], time_wait.get(pool, 0), slots[pool], settings) for pool in chosen]
    omitted = {"count": len(used) - len(chosen), "used": sum(used.values()) - sum(used[pool] for pool in chosen)}
    return Census(pools, totals, omitted)


def _order(pool):
    return (pool.remote_address, pool.remote_port or 0, pool.local_address, pool.local_port or 0)


def _facts_of(pool, used, time_wait, slots, settings):
    outbound = pool.direction == OUTBOUND
    capacity = settings.client_ports
    if outbound:
        capacity = settings.capacity.usable if settings.capacity else None
    timewait_ms = settings.timewait_ms
    slots, older = slots[:OLDER], slots[OLDER]
    reusable = 0
    if settings.reuse.applies_to(pool):
        delay = _REUSE_DELAY_MS if settings.reuse.delay_ms is None else settings.reuse.delay_ms
        reusable = _capacity.reusable(slots, older, delay)
    known = capacity is not None
    return {
        "direction": pool.direction,
        "local_address": format_address(pool.local_address),
        "local_port": pool.local_port,
        "remote_address": format_address(pool.remote_address),
        "remote_port": pool.remote_port,
        "used": used,
        "time_wait": time_wait,
        "reusable": reusable,
        "capacity": capacity,
        "capacity_assumed": not outbound,
        "utilisation": _capacity.utilisation(used, capacity) if known else None,
        "sustainable_rate": round(capacity * 1000.0 / timewait_ms, 1) if known else None,
        "close_rate": _capacity.close_rate(slots, timewait_ms),
        "history": slots,
        "seconds_to_exhaustion": (
            _capacity.seconds_to_exhaustion(used, capacity, slots, time_wait, timewait_ms) if known else None
        ),
    }


def format_address(packed):
    """Text of a packed address."""
    return socket.inet_ntop(socket.AF_INET if len(packed) == 4 else socket.AF_INET6, packed)


def is_loopback(packed):
    """127.0.0.0/8 or ::1, as ``tcp_twsk_unique`` sees it."""
    if len(packed) == 4:
        return packed[0] == 127
    return packed == b"\0" * 15 + b"\1"
