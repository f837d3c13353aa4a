# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Typed reading of untrusted values: what is not of the type and within its bounds reads as missing.

A host may send any JSON, and a cache may hold what an older version wrote. Nothing here raises.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

#: no count, size or time of a kernel is larger, and JavaScript holds no larger one exactly; Python's integers have no
#: limit, and float() of one of 400 digits raises
LARGEST = 2**53
PORTS = 65536


def mapping(value: object) -> Mapping[str, Any]:
    """The dictionary; an empty one where it is none."""
    return value if isinstance(value, dict) else {}


def listing(value: object) -> list[Any] | None:
    """The list; None where it is none."""
    return value if isinstance(value, list) else None


def mappings(value: object) -> Iterator[Mapping[str, Any]]:
    """The dictionaries in a list."""
    for item in listing(value) or ():
        if isinstance(item, dict):
            yield item


def integer(value: object) -> int | None:
    """A whole number. A bool is none: True would count as one socket."""
    if isinstance(value, int) and not isinstance(value, bool) and -LARGEST <= value <= LARGEST:
        return value
    return None


def count(value: object) -> int | None:
    """A whole number that is not negative."""
    number = integer(value)
    return number if number is not None and number >= 0 else None


def measure(value: object) -> float | None:
    """A finite number that is not negative. NaN compares false with everything."""
    if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= LARGEST:
        return value
    return None


def port(value: object) -> int | None:
    """Number of a port."""
    number = count(value)
    return number if number is not None and number < PORTS else None
