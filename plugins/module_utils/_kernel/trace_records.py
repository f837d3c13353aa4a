# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the kernel's trace buffer holds, taken apart. Layouts come from the ``format`` files that the kernel shows.

The binary pages are read and not the text of ``trace_pipe``: what that looks like depends on the options of the whole
machine's tracing, which every instance starts with.
"""

import re
import struct
import sys
from typing import Dict, Iterator, NamedTuple, Tuple

from .errors import KernelReadError

_FIELD = re.compile(r"field:[^;]*?(\w+)(?:\[\w*\])?;\s*offset:(\d+);\s*size:(\d+);")
_ID = re.compile(r"^ID: (\d+)$", re.MULTILINE)

# include/linux/ring_buffer.h: a word of 5 bits type_len and 27 bits time_delta, the data behind it
_WORD = struct.Struct("=I")
_LENGTH_FOLLOWS = 0
_PADDING = 29
_TIME = (30, 31)  # RINGBUF_TYPE_TIME_EXTEND, RINGBUF_TYPE_TIME_STAMP
#: the upper bits of ``commit`` are flags, RB_MISSED_EVENTS among them
_COMMITTED = (1 << 27) - 1
#: events that the buffer had and nobody will read: overwritten, refused, or left on a CPU that came late
_LOST = ("entries", "overrun", "commit overrun", "dropped events")


class Field(NamedTuple):
    """Where a field is, in bytes."""

    offset: int
    size: int


class Event(NamedTuple):
    """An event as its ``format`` file tells."""

    number: int
    fields: Dict[str, Field]


def parse_event(what: str, text: str, needed: Dict[str, int]) -> Event:
    """Out of ``events/…/format``.

    :param needed: fields and their sizes in bytes, without which the event is of no use.
    :raises KernelReadError: when it lacks one of them, or has it in another size.
    """
    number = _ID.search(text)
    fields = _fields(text)
    if not number:
        raise KernelReadError(what, "it has no ID: %.60r" % text)
    for name, size in needed.items():
        if name not in fields or fields[name].size != size:
            raise KernelReadError(what, "it has no field %s of %d bytes" % (name, size))
    return Event(int(number.group(1)), fields)


class PageLayout(NamedTuple):
    """A page of the buffer: where it tells the length of its data, and where those are."""

    commit: Field
    data: int


def parse_page_layout(what: str, text: str) -> PageLayout:
    """Out of ``events/header_page``.

    :raises KernelReadError: when that is not a layout.
    """
    fields = _fields(text)
    if "data" not in fields or "commit" not in fields or fields["commit"].size not in (4, 8):
        raise KernelReadError(what, "not the layout of a page: %.60r" % text)
    return PageLayout(fields["commit"], fields["data"].offset)


def records(page: bytes, layout: PageLayout) -> Iterator[bytes]:
    """The events of one page, each from its common fields on.

    :raises KernelReadError: when the page contradicts itself.
    """
    start, size = layout.commit
    position = layout.data
    end = position + (int.from_bytes(page[start:start + size], sys.byteorder) & _COMMITTED)
    while position < end:
        if position + 8 > len(page) or end > len(page):
            raise KernelReadError("trace buffer", "a page of %d bytes claims %d" % (len(page), end))
        kind, delta = _split(_WORD.unpack_from(page, position)[0])
        data, length = position + 4, kind * 4
        if kind in _TIME:
            position += 8
            continue
        if kind == _PADDING and not delta:
            return  # the rest of the page is empty
        if kind in (_PADDING, _LENGTH_FOLLOWS):
            # the length counts itself
            data, length = position + 8, _WORD.unpack_from(page, position + 4)[0] - 4
        if length < 0 or data + length > end:
            raise KernelReadError("trace buffer", "an event of %d bytes at %d of %d" % (length, data, end))
        if kind != _PADDING:
            yield page[data:data + length]
        position = data + length


def lost_events(text: str) -> int:
    """Out of ``per_cpu/cpu*/stats``, after everything was read."""
    lost = 0
    for line in text.splitlines():
        name, _colon, value = line.partition(":")
        if name in _LOST and value.strip().isdigit():
            lost += int(value)
    return lost


def _split(word: int) -> Tuple[int, int]:
    """``(type_len, time_delta)``: bit fields begin at the low end of the word where its bytes do."""
    if sys.byteorder == "little":
        return word & 31, word >> 5
    return word >> 27, word & _COMMITTED


def _fields(text: str) -> Dict[str, Field]:
    return {name: Field(int(offset), int(size)) for name, offset, size in _FIELD.findall(text)}
