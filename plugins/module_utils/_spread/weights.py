# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How often each of several entries has to be chosen, so that their origins are chosen as often as before. Pure."""

from math import gcd
from typing import Iterable, List, NamedTuple, Optional


class Origin(NamedTuple):
    """An entry as it was: its weight, and how many entries it becomes."""

    weight: int
    entries: int


def divided(origins: List[Origin], most: Optional[int] = None) -> List[int]:
    """The weight of each entry of each origin.

    Where all become the same number of entries nothing changes: weights are relative.

    :param most: the largest that the server takes; what would be above it is rounded.
    """
    if len({one.entries for one in origins}) < 2:
        return [one.weight for one in origins]
    multiple = 1
    for one in origins:
        multiple = multiple * one.entries // gcd(multiple, one.entries)
    exact = [one.weight * (multiple // one.entries) for one in origins]
    common = _common(exact)
    reduced = [weight // common for weight in exact]
    largest = max(reduced)
    if most is None or largest <= most:
        return reduced
    return [max(1, (weight * most + largest // 2) // largest) if weight else 0 for weight in reduced]


def _common(numbers: Iterable[int]) -> int:
    found = 0
    for number in numbers:
        found = gcd(found, number)
    return found or 1
