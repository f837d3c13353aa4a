# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Shaping of what a host returned: every value is looked at before it is used, none is believed."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

# Beyond this a number is no count of sockets or bytes, and JavaScript would not hold it exactly either.
LARGEST = 2**53


def mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}


def mappings(value: object) -> Iterator[Mapping[str, object]]:
    if isinstance(value, (list, tuple)):
        for item in value:
            if isinstance(item, dict):
                yield item


def number(value: object) -> float | None:
    """A finite number, or None. A bool is no number: True would count as one socket."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    # Compared before any conversion: float() of an integer of 400 digits raises.
    if not -LARGEST <= value <= LARGEST or math.isnan(value):
        return None
    return value


def whole(value: object) -> int | None:
    found = number(value)
    return None if found is None else int(found)


def share(value: object) -> float:
    """A utilisation: 0 when it is none; up to 9.99, so that a wrong one is still seen to be wrong."""
    return min(max(number(value) or 0.0, 0.0), 9.99)
