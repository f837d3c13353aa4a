# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Text and figures as the report sets them."""

from __future__ import annotations

import unicodedata

from ansible_collections.tcpops.timewait.plugins.plugin_utils._untrusted.text import ELLIPSIS


def width(text: str) -> int:
    """Columns that `text` takes in a terminal."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1
        for char in text
    )


def fit(text: str, columns: int) -> str:
    """`text` in exactly `columns` columns: cut, or filled with spaces."""
    if width(text) > columns:
        while text and width(text) > columns - len(ELLIPSIS):
            text = text[:-1]
        text += ELLIPSIS[: max(columns, 0)]
    return text + " " * (columns - width(text))


def quantity(count: int, one: str, many: str = "") -> str:
    return f"{count:,} {one if count == 1 else many or one + 's'}".replace(",", " ")


def grouped(count: float) -> str:
    """1234567 as `1 234 567`."""
    return f"{count:,.0f}".replace(",", " ")


def size(count: float) -> str:
    for unit in ("bytes", "KiB", "MiB", "GiB"):
        if count < 1024 or unit == "GiB":
            return f"{count:.0f} {unit}" if unit == "bytes" or count >= 10 else f"{count:.1f} {unit}"
        count /= 1024
    raise AssertionError("unreachable")


def duration(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    if seconds < 7200:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.0f} h"
