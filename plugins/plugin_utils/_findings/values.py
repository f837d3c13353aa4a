# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Typed reading of single values out of facts, which are untrusted: whatever is not of the type reads as missing."""

from __future__ import annotations

import re
from typing import Any

#: no count, size or time of a kernel is larger; Python's integers have no limit, and floats overflow
LARGEST = 2**63
TEXT_LENGTH = 120

#: characters that could act on a terminal or reorder what is read: controls, line ends, direction marks
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]")


def count(value: object) -> int | None:
    """A whole number that is not negative."""
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= LARGEST:
        return value
    return None


def measure(value: object) -> float | None:
    """A finite number that is not negative. NaN compares false with everything."""
    if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= LARGEST:
        return value
    return None


def text(value: object, default: str = "?") -> str:
    """Text fit to be shown: of bounded length, without anything that a terminal would act on."""
    if not isinstance(value, str):
        return default
    cut = value[: TEXT_LENGTH + 1]
    if len(cut) > TEXT_LENGTH:
        cut = cut[: TEXT_LENGTH - 3] + "..."
    return _UNPRINTABLE.sub("?", cut) or default


def dictionary(value: object) -> dict[str, Any]:
    """A dictionary; an empty one for anything else."""
    return value if isinstance(value, dict) else {}


def entries(value: object) -> list[Any] | None:
    """A list; None for anything else."""
    return value if isinstance(value, list) else None
