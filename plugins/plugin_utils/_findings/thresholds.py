# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The figures that decide when a rule speaks: one table, and what users may put in their place."""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import pairwise
from typing import NamedTuple


class ThresholdError(ValueError):
    """A threshold that users set and that cannot be used. The message is one sentence for them."""


class Threshold(NamedTuple):
    """One figure. ``maximum`` is the largest value that makes sense; the smallest is ``minimum``."""

    name: str
    default: float
    unit: str
    meaning: str
    minimum: float
    maximum: float


TABLE = (
    Threshold(
        "pool_cliff", 0.50, "share of capacity",
        "Outbound pools: connect() has used up the ports of one parity, which it tries first, and gets slow.",
        0.01, 1.0,
    ),
    Threshold("pool_high", 0.80, "share of capacity", "Outbound pools: little room is left for a burst.", 0.01, 1.0),
    Threshold("pool_critical", 0.95, "share of capacity", "Outbound pools: connect() fails any moment.", 0.01, 1.0),
    Threshold(
        "exhaustion_seconds", 300, "seconds", "Outbound pools: a forecast of exhaustion sooner than this counts.",
        0, 86400,
    ),
    Threshold(
        "inbound_pool", 0.80, "share of assumed capacity",
        "Inbound pools: one client comes near to the number of ports that it is assumed to have.",
        0.01, 1.0,
    ),
    Threshold(
        "bucket_share", 0.80, "share of tcp_max_tw_buckets",
        "TIME-WAIT that the busiest ten seconds of the last minute lead to, when it is called close to the"
        " limit.",
        0.01, 1.0,
    ),
    Threshold(
        "ehash_load", 4, "sockets per bucket",
        "TIME-WAIT in the table of connections: a lookup has this many to compare with, more or less.",
        0.1, 1000,
    ),
    Threshold("wide_range_low", 10240, "port", "Lower end of the range that a remedy proposes at most.", 1024, 65535),
    Threshold("wide_range_high", 65535, "port", "Upper end of the range that a remedy proposes at most.", 1024, 65535),
)

DEFAULTS: Mapping[str, float] = {threshold.name: threshold.default for threshold in TABLE}

_BY_NAME = {threshold.name: threshold for threshold in TABLE}
#: each is less than the next
_ASCENDING = (("pool_cliff", "pool_high", "pool_critical"), ("wide_range_low", "wide_range_high"))


def merge(user: object) -> dict[str, float]:
    """The defaults with what the user set in their place.

    :raises ThresholdError: for a name that is not in the table, a value of another type or out of bounds, and values
        that contradict each other.
    """
    if not isinstance(user, Mapping):
        raise ThresholdError(f"thresholds must be a dictionary of names and numbers, not {type(user).__name__}")
    merged = dict(DEFAULTS)
    for name, value in user.items():
        if name not in _BY_NAME:
            raise ThresholdError(f"unknown threshold {name!r:.60}: there are {', '.join(sorted(_BY_NAME))}")
        merged[name] = _checked(_BY_NAME[name], value)
    for names in _ASCENDING:
        for lower, upper in pairwise(names):
            if merged[lower] >= merged[upper]:
                raise ThresholdError(
                    f"threshold {lower} ({merged[lower]:g}) must be less than {upper} ({merged[upper]:g})"
                )
    return merged


def _checked(threshold: Threshold, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ThresholdError(f"threshold {threshold.name} must be a number, not {type(value).__name__}")
    if not threshold.minimum <= value <= threshold.maximum or (isinstance(value, float) and math.isnan(value)):
        raise ThresholdError(
            f"threshold {threshold.name} must be between {threshold.minimum:g} and {threshold.maximum:g}"
            f" ({threshold.unit})"
        )
    if threshold.unit == "port" and value != int(value):
        raise ThresholdError(f"threshold {threshold.name} must be a whole number ({threshold.unit})")
    return value
