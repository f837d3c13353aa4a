# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From ports to capacity, rates and a forecast. Plain numbers in, plain numbers out."""

from typing import AbstractSet, FrozenSet, List, NamedTuple, Optional

from ._ports import PortRange

#: a peak is the mean of so many seconds in a row: a rate of one second alone is chance
_PEAK_WINDOW = 10
#: the forecast carries on the mean rate of so many seconds ...
_FORECAST_WINDOW = 10
#: ... and says nothing on fewer closes than this in them
_FORECAST_MINIMUM = 20


class Capacity(NamedTuple):
    """``usable``: ports that automatic choices can take. ``held``: ports of the range that explicit binds hold."""

    usable: int
    held: FrozenSet[int]


def outbound_capacity(port_range: PortRange, reserved: AbstractSet[int], bound: AbstractSet[int]) -> Capacity:
    """Capacity of each outbound pool of a namespace.

    connect() passes over a port that any socket bound or listens on explicitly, whatever the address
    (``__inet_hash_connect``: ``tb->fastreuse >= 0``).

    :param port_range: ``PortRange``.
    :param reserved: set of reserved ports.
    :param bound: set of ports that sockets bound explicitly, listening ones included.
    """
    choosable = frozenset(port_range.choosable()) - reserved
    held = choosable & bound
    return Capacity(len(choosable) - len(held), held)


def utilisation(used: int, capacity: int) -> float:
    """Share of a pool that is held; a pool without capacity is full."""
    return round(used / capacity, 4) if capacity else 1.0


def close_rate(slots: List[int], timewait_ms: int) -> float:
    """Mean entries into TIME-WAIT per second, over the last minute or the length of TIME-WAIT if that is shorter."""
    seconds = min(len(slots), max(1, timewait_ms // 1000))
    return round(sum(slots) / seconds, 2)


def peak_close_rate(slots: List[int]) -> float:
    """Entries into TIME-WAIT per second, mean of the busiest ten seconds in a row of the last minute."""
    ends = range(_PEAK_WINDOW, len(slots) + 1)
    return max((sum(slots[end - _PEAK_WINDOW:end]) for end in ends), default=0) / _PEAK_WINDOW


def seconds_to_exhaustion(
    used: int, capacity: int, slots: List[int], time_wait: int, timewait_ms: int
) -> Optional[int]:
    """When a pool is full if the rate of the last seconds goes on, or None.

    What expires is known: TIME-WAIT that is ``n`` seconds old goes in ``length - n``. After one length of TIME-WAIT
    the pool has reached the level that the rate sustains, and does not grow any more.

    :param used: quadruplets held, in any state.
    :param time_wait: those of ``used`` in TIME-WAIT.
    """
    if used >= capacity:
        return 0
    recent = sum(slots[-_FORECAST_WINDOW:])
    if recent < _FORECAST_MINIMUM:
        return None
    rate = recent / _FORECAST_WINDOW
    length = max(1, timewait_ms // 1000)
    level = float(used - max(0, time_wait - sum(slots)))  # older than the last minute: gone any moment
    if length > len(slots):
        level = used  # most of what is there is older than the history, and when it goes is not known from that
    for second in range(1, length + 1):
        level += rate
        age = length - second + 1  # in seconds, of what goes now
        if age <= len(slots):
            level -= slots[-age]
        if level >= capacity:
            return second
    return None


def reusable(slots: List[int], older: int, delay_ms: int) -> int:
    """TIME-WAIT entries older than the reuse delay, which connect() may take over (``tcp_twsk_unique``).

    Counted in whole seconds of age: an entry in its last second before the delay is not.

    :param older: entries that are older than the slots reach.
    """
    seconds = -(-delay_ms // 1000)
    return sum(slots[:max(0, len(slots) - seconds)]) + older
