# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether connections are spread evenly over the pools of a server, judged from how many were opened. Pure."""

from typing import List, NamedTuple, Optional, Sequence

#: of even, as far as turns go
_WITHIN = 0.2
#: standard deviations that chance may add, where it is chance that chooses
_CHANCE = 3.0
#: connections for each pool: with fewer, none at all may be chance
FEW = 20
#: with so many for each pool it need not be looked for longer
MANY = 100


class Judgement(NamedTuple):
    """``even``: None when there were too few connections to tell. ``at``: the pool that is out of line, from 0."""

    even: Optional[bool]
    at: int = -1


def judge(counts: Sequence[int]) -> Judgement:
    """Judge the connections of one server, by pool, its own pool first.

    More in its own pool prove nothing: it alone has checks, and processes with the configuration from before use it
    until they end. So the others are compared with each other, and with it where it has less.
    """
    if len(counts) < 2:
        return Judgement(True if counts and counts[0] >= FEW else None)
    if sum(counts) < FEW * len(counts):
        return Judgement(None)
    others: List[int] = list(counts[1:])
    mean = sum(others) / float(len(others))
    for at, count in enumerate(counts):
        least = mean * (1 - _allowed(mean))
        most = mean * (1 + _allowed(mean))
        if not count or count < least or (at and count > most):
            return Judgement(False, at)
    return Judgement(True)


def enough(counts: Sequence[int]) -> bool:
    """Whether more connections would not tell more."""
    return bool(counts) and min(counts) >= MANY


def _allowed(mean: float) -> float:
    return _WITHIN + _CHANCE / max(mean, 1.0) ** 0.5
