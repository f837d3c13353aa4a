# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Untrusted text made fit to be shown: what would move a cursor, hide or reorder text becomes visible."""

from __future__ import annotations

import re

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
_LENGTH = 120


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


def text(value: object, default: str = "?", most: int = _LENGTH) -> str:
    """A host's text in a finding, at most 120 characters, or ``most``; ``default`` where it is none or empty.

    Labels are compared, and a mark for what must not be shown keeps their length.
    """
    if not isinstance(value, str):
        return default
    cut = value[: most + 1]
    if len(cut) > most:
        cut = cut[: most - len(ELLIPSIS)] + ELLIPSIS
    return _INVISIBLE.sub("?", cut) or default


def is_plain(value: str) -> bool:
    """Whether all of it can be seen, so that it may stand in a command to copy."""
    return not _INVISIBLE.search(value)
