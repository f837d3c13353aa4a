# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was put into HAProxy's files here: how it is marked, and how it is taken out again. Pure.

A line that was changed has a comment before it with what it was. What a backend is spread over stands in a comment
before the lines that were added.
"""

import re
from typing import List, NamedTuple

from ..._listeners import text
from ..._listeners.errors import ConfigurationRefusedError
from ..._listeners.haproxy import words
from ..request import Request, ServerAddresses, normal

_WAS = text.MARK + ": was "
_SPREAD = text.MARK + ": spread "
_COMMENT = re.compile(r"([ \t]*)%s(.*)\Z" % re.escape(_WAS), re.DOTALL)
_STATE = re.compile(r"[ \t]*%s(.*)\Z" % re.escape(_SPREAD), re.DOTALL)


class Bare(NamedTuple):
    """What others wrote, and what the section was spread over.

    ``numbers``: of each line in the present file, from 1.
    """

    lines: List[text.Line]
    state: Request
    numbers: List[int]


def was(line: str) -> str:
    """The comment that keeps a line."""
    stripped = line.lstrip(" \t")
    return line[: len(line) - len(stripped)] + _WAS + stripped


def state(indent: str, wanted: Request) -> str:
    """The comment that tells what a backend is spread over."""
    fields = []
    if wanted.sources:
        fields.append("from %s" % ",".join(wanted.sources))
    if wanted.ports:
        fields.append("ports %s" % ",".join(map(str, wanted.ports)))
    fields += ["%s at %s" % (one.server, ",".join(one.addresses)) for one in wanted.addresses]
    return indent + _SPREAD + "; ".join(fields)


def bare(path: str, lines: List[text.Line], start: int, end: int) -> Bare:
    """The lines without what was put into those of one section.

    :raises ConfigurationRefusedError: when somebody took a part of it away.
    """
    left = list(lines)
    numbers = list(range(1, len(lines) + 1))
    found = Request("")
    for number in range(end - 1, start - 1, -1):
        line = lines[number]
        comment, told = _COMMENT.match(line.text), _STATE.match(line.text)
        if told:
            found = _parsed(path, number, told.group(1))
            text.delete(left, number)
            del numbers[number]
        elif comment:
            following = lines[number + 1] if number + 1 < end else text.Line("", "")
            if not is_marked(following.text):
                raise ConfigurationRefusedError(path, number + 1, "the line that this comment belongs to is gone")
            # the changed line is out of it by now
            left[number] = left[number]._replace(text=comment.group(1) + comment.group(2))
            numbers[number] = number + 2  # that of the line itself
        elif is_marked(line.text):
            text.delete(left, number)
            del numbers[number]
    return Bare(left, found, numbers)


def is_marked(line: str) -> bool:
    """Whether it is a server line that was added or changed here."""
    if not line.rstrip().endswith(text.MARK) or not line.lstrip().startswith("server"):
        return False
    try:
        split = words.split(line)
    except words.WordsError:
        return False
    return bool(split.words) and split.words[0].text == "server" and line[split.end :].strip() == text.MARK


def _parsed(path: str, number: int, told: str) -> Request:
    sources: List[str] = []
    ports: List[int] = []
    addresses: List[ServerAddresses] = []
    try:
        for field in told.strip().split("; "):
            name, _at, rest = field.rpartition(" at ")
            if name:
                addresses.append(ServerAddresses(name, tuple(rest.split(","))))
            elif field.startswith("from "):
                sources += field[len("from ") :].split(",")
            elif field.startswith("ports "):
                ports += [int(one) for one in field[len("ports ") :].split(",")]
            else:
                raise ValueError("%s is not known" % field)
        return normal(Request("", tuple(sources), tuple(ports), tuple(addresses)))
    except ValueError as error:
        reason = "this comment was changed, so that what the backend is spread over cannot be told: %s" % error
        raise ConfigurationRefusedError(path, number + 1, reason) from None
