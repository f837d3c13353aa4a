# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lines and words of Apache's configuration: continuation, quotes, sections. Pure text.

Source: ``ap_cfg_getline``, ``ap_getword_conf``, ``ap_build_config_sub``. There are no comments behind a directive.
"""

import re
from typing import Iterator, List, NamedTuple, Optional, Tuple

from ..text import Line

_SPACE = " \t\v\f\r"
_TAG = re.compile(r"<(/?)([A-Za-z]\w*)", re.ASCII)


class Word(NamedTuple):
    """``text``: without quotes. ``start``, ``end``: where it stands in the statement, quotes included."""

    text: str
    start: int
    end: int


class Statement(NamedTuple):
    """A directive, or a tag of a section, with its continuation lines joined.

    ``name``: in lower case, with ``<`` or ``</`` for a tag. ``first``, ``last``: its lines, from 0. ``starts``: where
    in ``text`` each of them begins.
    """

    name: str
    text: str
    words: Tuple[Word, ...]
    first: int
    last: int
    starts: Tuple[int, ...]

    def place(self, offset: int) -> Tuple[int, int]:
        """``(line, column)`` of an offset; at a line's end rather than at the start of the next one."""
        for number, start in reversed(list(enumerate(self.starts))):
            if start < offset or number == 0:
                return self.first + number, offset - start
        return self.first, offset


def statements(lines: List[Line]) -> Iterator[Statement]:
    """Everything but comments and empty lines."""
    index = 0
    while index < len(lines):
        first = index
        text = lines[index].text
        starts = [0]
        while text.endswith("\\") and lines[index].end:
            text = text[:-1]
            if index + 1 == len(lines):
                break
            index += 1
            starts.append(len(text))
            text += lines[index].text
        statement = _statement(text, first, index, tuple(starts))
        if statement:
            yield statement
        index += 1


def _statement(text: str, first: int, last: int, starts: Tuple[int, ...]) -> Optional[Statement]:
    stripped = text.lstrip(_SPACE)
    if not stripped or stripped.startswith("#"):
        return None
    begin = len(text) - len(stripped)
    tag = _TAG.match(stripped)
    if tag:
        end = text.rfind(">")
        behind = begin + tag.end()
        return Statement(
            tag.group().lower(), text, tuple(_words(text, behind, end if end >= behind else len(text))),
            first, last, starts,
        )  # fmt: skip
    found = list(_words(text, begin, len(text)))
    return Statement(found[0].text.lower(), text, tuple(found[1:]), first, last, starts)


def _words(text: str, at: int, end: int) -> Iterator[Word]:
    while at < end:
        if text[at] in _SPACE:
            at += 1
            continue
        start = at
        quote = text[at] if text[at] in "\"'" else ""
        at += len(quote)
        word = ""
        while at < end and (text[at] != quote if quote else text[at] not in _SPACE):
            if text[at] == "\\" and at + 1 < end and text[at + 1] in ("\\", quote or "\\"):
                at += 1
            word += text[at]
            at += 1
        at += len(quote)
        yield Word(word, start, min(at, end))
