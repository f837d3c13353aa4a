# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was put into nginx's files here: how it is marked, and how it is taken out again. Pure text.

A directive that was changed has what it was in a comment behind it.
"""

import re
from typing import Iterable, List, NamedTuple, Tuple

from ..._listeners.nginx import insert, marks
from ..._listeners.nginx.syntax import Directive

MARK = marks.MARK
_WAS = MARK + ": was "
#: the same where a comment had to end a line in the middle
_WAS_HERE = MARK + ": here was "
_MARKED = re.compile(r"[ \t]*(?:%s|(%s))([^\n]*;)(\n?)" % (re.escape(_WAS), re.escape(_WAS_HERE)))
_REST_OF_LINE = re.compile(r"[ \t\r]*(?:\n|\Z)")
_ESCAPES = {"\\": "\\\\", "\n": "\\n", "\r": "\\r"}
_ESCAPED = re.compile(r"\\([\\nr])")


class Change(NamedTuple):
    """Text in place of what is from ``start`` to ``end``."""

    start: int
    end: int
    text: str


class Bare(NamedTuple):
    """A text without what was put in. ``pieces``: ``(offset, offset in the present text)`` of each piece of it."""

    present: str
    text: str
    pieces: List[Tuple[int, int]]

    def number(self, line: int) -> int:
        """The line of the present text of one of this text, both from 1."""
        offset = 0
        for _before in range(line - 1):
            offset = self.text.find("\n", offset) + 1
        start, present = [one for one in self.pieces if one[0] <= offset][-1]
        return self.present.count("\n", 0, present + offset - start) + 1


def is_ours(text: str, directive: Directive) -> bool:
    """Whether a directive was added or changed here."""
    return bool(marks.mark_end(text, directive) or _MARKED.match(text, directive.end))


def is_changed(text: str, directive: Directive) -> bool:
    """Whether a directive was changed here."""
    return bool(_MARKED.match(text, directive.end))


def bare(text: str, directives: Iterable[Directive]) -> Bare:
    """A text without some directives that were added, and with what those were that were changed."""
    taken = []
    end = len(text)
    for directive in sorted(directives, key=lambda one: one.start, reverse=True):
        was = _MARKED.match(text, directive.end)
        if was:
            start, stop = directive.start, was.end() if was.group(1) else was.end(2)
            taken.append((start, stop, _ESCAPED.sub(_unescape, was.group(2))))
        else:
            start, stop = marks.span(text, directive.start, marks.mark_end(text, directive), end)
            taken.append((start, stop, ""))
        end = start
    kept, pieces, size, last = [], [(0, 0)], 0, 0
    for start, stop, instead in reversed(taken):
        kept += [text[last:start], instead]
        size += start - last
        pieces.append((size, start))
        size += len(instead)
        pieces.append((size, stop))
        last = stop
    return Bare(text, "".join([*kept, text[last:]]), pieces)


def replaced(text: str, directive: Directive, new: str) -> Change:
    """A directive changed, with what it was."""
    written = text[directive.start : directive.end]
    escaped = "".join(_ESCAPES.get(char, char) for char in written)
    if _REST_OF_LINE.match(text, directive.end):
        return Change(directive.start, directive.end, "%s %s%s" % (new, _WAS, escaped))
    return Change(directive.start, directive.end, "%s %s%s\n" % (new, _WAS_HERE, escaped))


def inserted(place: insert.Place, line: str) -> Change:
    """A line of its own."""
    return Change(place.offset, place.offset, "%s%s %s%s" % (place.before, line, MARK, place.after))


def changed(text: str, changes: Iterable[Change]) -> str:
    """The text with changes; those at one place in their order."""
    pieces = []
    last = 0
    for one in sorted(changes, key=lambda one: one.start):
        pieces += [text[last : one.start], one.text]
        last = one.end
    return "".join(pieces) + text[last:]


def _unescape(match: "re.Match[str]") -> str:
    return {"n": "\n", "r": "\r"}.get(match.group(1), match.group(1))
