# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Untrusted text made fit to be shown: what would move a cursor, hide or reorder text becomes visible."""

from __future__ import annotations

import re
import unicodedata

# Controls C0 and C1, soft hyphen, Arabic letter mark, Hangul fillers, zero-width characters, line and
# paragraph separators, bidi embeddings, overrides and isolates, variation selectors, byte order mark,
# interlinear annotations, surrogates and tags.
_INVISIBLE = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b-\u200f\u2028-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\ud800-\udfff\U000e0000-\U000e0fff]"
)
# Two accents on a letter are a language, ten are an attack on the lines above and below.
_STACKED = re.compile(
    "([\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff]{2})[\u0300-\u036f\u1ab0-\u20ff]+"
)

ELLIPSIS = "..."


def _visible(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _visible_but_newline(match: re.Match[str]) -> str:
    return "\n" if match[0] == "\n" else _visible(match)


def clean(value: object, limit: int = 200, lines: bool = False) -> str:
    """One line of at most `limit` characters; with `lines`, newlines stay."""
    if value is None:
        return ""
    if isinstance(value, (bool, float)):
        value = str(value)
    elif isinstance(value, int):
        # str() of an integer of more than 4300 digits raises.
        value = str(value) if value.bit_length() < 256 else "(a very large number)"
    elif not isinstance(value, str):
        return f"({type(value).__name__} where text was expected)"
    # Cut first: the cost of a string of 5 MB is that of its first characters.
    cut = len(value) > limit
    text = str(value[:limit])
    text = text.replace("\t", " ").replace("\r\n", "\n")
    if not lines:
        text = text.replace("\n", " ")
    text = _INVISIBLE.sub(_visible_but_newline, text)
    text = _STACKED.sub(r"\1", text)
    # What was made visible has grown: cut again, so that `limit` is kept.
    if cut or len(text) > limit:
        text = text[: max(limit - len(ELLIPSIS), 0)] + ELLIPSIS
    return text if lines else text.strip()


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
