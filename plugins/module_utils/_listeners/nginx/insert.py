# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The line that makes a server listen on one more port: what it says and where it goes. Pure text."""

import re
from typing import NamedTuple

from .marks import DEFAULT_MARK, MARK, Insertion
from .syntax import Block, Directive
from .tree import IMPLICIT, Listen

_NOTHING_MORE = re.compile(r"[ \t\r]*(#[^\n]*)?\Z")
_BLANK = " \t"
_STEP = "    "


class Place(NamedTuple):
    """Where a line goes, and what has to be before and after it."""

    offset: int
    before: str
    after: str

    def insertion(self, line: str, default: bool, port: int) -> Insertion:
        return Insertion(self.offset, default, port, self.before + line + self.after)


def place_of(text: str, listen: Listen) -> Place:
    """After the directive that is cloned, or first in the server that has none."""
    directive = listen.at.directive
    return first_in(text, directive, directive.block) if directive.block else behind(text, directive)


def behind(text: str, directive: Directive) -> Place:
    """After a directive."""
    return _place(text, directive.end, _indent(text, directive.start))


def first_in(text: str, directive: Directive, block: Block) -> Place:
    """Before all else in the block of a directive."""
    return _place(text, block.start, _inner_indent(text, directive, block))


def clone(text: str, listen: Listen, port: int) -> str:
    """The directive for another port, with every option, spaced as it is.

    Options of the socket, such as ``backlog`` or ``reuseport``, may be given once for an address and port
    (``ngx_http_add_addresses``: "duplicate listen options"), and ``default_server`` likewise. All directives of the old
    port are cloned, each with its own options, so what was given once there is given once for the new port too.
    """
    directive = listen.at.directive
    if directive.block:
        return "listen %d; %s" % (port, MARK)
    words = directive.words
    address = listen.endpoint.with_port(port)
    written = text[words[0].start : words[1].start] + address + text[words[1].end : directive.end]
    if "\n" in written:
        written = " ".join(["listen", address] + [word.raw for word in words[2:]]) + ";"
    return "%s %s" % (written, MARK)


def default_line() -> str:
    """What a server without a listen directive does by itself, and no longer does once there is one."""
    return "listen %d; %s" % (IMPLICIT.first, DEFAULT_MARK)


def _place(text: str, offset: int, indent: str) -> Place:
    """After the line that ends at ``offset``, or in the middle of it where more follows: a comment ends a line."""
    end = text.find("\n", offset)
    rest = text[offset:end] if end >= 0 else text[offset:]
    if not _NOTHING_MORE.match(rest):
        return Place(offset, " ", _end_of_line(text, end))
    if end < 0:
        return Place(len(text), _end_of_line(text, end) + indent, "")
    return Place(end + 1, indent, _end_of_line(text, end))


def _end_of_line(text: str, end: int) -> str:
    """As the line at hand has it, else as the text has it."""
    found = end if end >= 0 else text.find("\n")
    return "\r\n" if found > 0 and text[found - 1] == "\r" else "\n"


def _indent(text: str, start: int) -> str:
    """White space that puts something under a directive."""
    before = text[text.rfind("\n", 0, start) + 1 : start]
    if "{" in before:
        return re.sub(r"[^ \t]", " ", before)
    return before[: len(before) - len(before.lstrip(_BLANK))]


def _inner_indent(text: str, directive: Directive, block: Block) -> str:
    """White space before what is inside a server: as its first directive has it, where that has a line of its own.

    An indented server is inside one block, so that its own is one step.
    """
    if block.directives:
        first = block.directives[0].start
        line = text.rfind("\n", 0, first) + 1
        if line > block.start and not text[line:first].strip(_BLANK):
            return text[line:first]
    outer = _indent(text, directive.start)
    return outer + (outer or _STEP)
