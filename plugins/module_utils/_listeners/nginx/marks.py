# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lines that were inserted here: how they are marked, taken out and put in. Pure text.

A text is split into what others wrote and what was inserted, and put together again; what is split and put together
without a change is the same text, and what others wrote comes back byte for byte.
"""

import re
from typing import Iterable, Iterator, List, NamedTuple, Optional, Tuple

from . import address
from .syntax import Directive

MARK = "# tcpops.timewait"
#: of a line that says what nginx does by itself, until another listen directive is there
DEFAULT_MARK = MARK + ": the default"

_MARKED = re.compile(r"[ \t]*(%s|%s)[ \t\r]*(\n|\Z)" % (re.escape(DEFAULT_MARK), re.escape(MARK)))


class Insertion(NamedTuple):
    """``offset``: in the text of others. ``text``: with the end of line that goes with it."""

    offset: int
    default: bool
    port: int
    text: str


class _Marked(NamedTuple):
    directive: Directive
    default: bool
    port: int
    end: int  # behind the end of its line


def is_marked(text: str, directive: Directive) -> bool:
    """Whether a directive was added here. The default that was spelt out is none of those."""
    return mark_end(text, directive) > 0


def mark_end(text: str, directive: Directive) -> int:
    """Behind the line end after the mark of a directive that was added here, 0 for any other one."""
    match = _MARKED.match(text, directive.end)
    return match.end() if match and match.group(1) == MARK else 0


def inserted(text: str, directives: Iterable[Directive]) -> List[Directive]:
    """The directives of a text that were added here, wherever they are, but for defaults that were spelt out."""
    return [one.directive for one in _marked(text, directives) if not one.default]


def split(text: str, directives: Iterable[Directive]) -> Tuple[str, List[Insertion]]:
    """What others wrote, and what was inserted, by offset.

    :param directives: of the whole text.
    """
    left: List[str] = []  # pieces of what others wrote, last one first
    taken: List[Tuple[int, _Marked, str]] = []
    end = len(text)
    for one in reversed(list(_marked(text, directives))):
        start, stop = span(text, one.directive.start, one.end, end)
        left.append(text[stop:end])
        taken.append((start, one, text[start:stop]))
        end = start
    left.append(text[:end])
    insertions = []
    removed = 0
    for start, one, inserted in reversed(taken):
        insertions.append(Insertion(start - removed, one.default, one.port, inserted))
        removed += len(inserted)
    return "".join(reversed(left)), insertions


def join(text: str, insertions: Iterable[Insertion]) -> str:
    """The text with its insertions, those at one place by port."""
    pieces = []
    last = 0
    for one in sorted(insertions, key=lambda one: (one.offset, not one.default, one.port)):
        pieces += [text[last : one.offset], one.text]
        last = one.offset
    return "".join(pieces) + text[last:]


def _marked(text: str, directives: Iterable[Directive]) -> Iterator[_Marked]:
    """In the order of the text."""
    for directive in directives:
        if directive.block:
            yield from _marked(text, directive.block.directives)
            continue
        match = _MARKED.match(text, directive.end) if directive.name == "listen" else None
        port = _port(directive) if match else None
        if match and port:
            yield _Marked(directive, match.group(1) == DEFAULT_MARK, port, match.end())


def _port(directive: Directive) -> Optional[int]:
    """None for what we cannot have written."""
    try:
        endpoint = address.parse(directive.words[1].value, None) if len(directive.words) > 1 else None
    except ValueError:
        return None
    return endpoint.first if endpoint else None


def span(text: str, start: int, mark_end: int, end: int) -> Tuple[int, int]:
    """From where to where something was inserted, in a text of which all from ``end`` on is dealt with.

    What stands alone on its line went in with that line, else with the space before it and the rest of the line. At
    the end of a file that does not end its last line, it brought the end of the line before.

    :param start: of the directive. :param mark_end: behind the line end after its mark.
    """
    line = text.rfind("\n", 0, start) + 1
    stop = min(mark_end, end)
    if text[line:start].strip(" \t"):
        return (start - 1 if text[start - 1] == " " else start), stop
    if not text.endswith("\n", line, stop):
        line -= 2 if text.endswith("\r\n", 0, line) else 1
    return max(line, 0), stop
