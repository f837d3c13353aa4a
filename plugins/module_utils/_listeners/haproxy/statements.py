# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lines of HAProxy's files that count, each with its section. Pure.

Conditional blocks and variables are followed.
"""

from typing import Dict, Iterator, List, NamedTuple, Optional, Sequence, Tuple

from .. import text
from ..errors import ConfigurationRefusedError
from . import words
from .conditions import Conditions, decide

_SECTION_NAMES = (
    "acme backend cache crt-store defaults fcgi-app frontend global healthcheck http-errors listen log-forward"
    " log-profile mailers namespace_list peers program resolvers ring traces userlist"
)
_SECTIONS = frozenset(_SECTION_NAMES.split())


class Section(NamedTuple):
    """A section of one file. ``at``: its line there, from 0. ``sure``: false when only HAProxy knows if it counts.

    ``based``: the name behind "from", of the defaults that it has.
    """

    kind: str
    name: str
    path: str
    at: int
    sure: bool
    based: str


class Statement(NamedTuple):
    """One line that counts, or may. ``at``: its line in the file, from 0.

    ``sure``: false when only HAProxy knows whether it counts. ``variables``: as they are known there.
    """

    section: Section
    at: int
    line: str
    split: words.Words
    sure: bool
    variables: Dict[str, str]

    @property
    def keyword(self) -> str:
        """The first word."""
        return self.split.words[0].text

    @property
    def rest(self) -> List[str]:
        """The words behind it, variables as they are written."""
        return [word.text for word in self.split.words[1:]]

    @property
    def opens(self) -> bool:
        """Whether it is the head of its section."""
        return self.at == self.section.at

    def refused(self, reason: str) -> ConfigurationRefusedError:
        """The error that blames this line."""
        return ConfigurationRefusedError(self.section.path, self.at + 1, reason)


def read(sources: Sequence[Tuple[str, List[text.Line]]], environment: Dict[str, str]) -> Iterator[Statement]:
    """The statements of the files, heads of sections among them.

    :param sources: ``(path, lines)`` in the order in which HAProxy reads them.
    :raises ConfigurationRefusedError: for what HAProxy would refuse.
    """
    variables = dict(environment)
    for path, lines in sources:
        yield from _File(path, lines, variables).read()


class _File:
    """One file on the way through. ``variables`` go on to the next one, as in HAProxy."""

    def __init__(self, path: str, lines: List[text.Line], variables: Dict[str, str]) -> None:
        self._path = path
        self._lines = lines
        self._variables = variables
        self._conditions = Conditions()
        self._section: Optional[Section] = None
        self._known: Dict[str, str] = {}

    def read(self) -> Iterator[Statement]:
        for index, line in enumerate(self._lines):
            try:
                if line.text.lstrip().startswith("["):
                    raise words.WordsError("sections of other programs, in brackets, are not understood")
                split = words.split(line.text)
                found = self._take(index, line.text, split) if split.words else None
            except words.WordsError as error:
                raise ConfigurationRefusedError(self._path, index + 1, str(error)) from None
            if found:
                yield found
        if self._conditions.open:
            raise ConfigurationRefusedError(self._path, len(self._lines), "an .if block is not closed")

    def _take(self, index: int, line: str, split: words.Words) -> Optional[Statement]:
        keyword = split.words[0].text
        if keyword in (".if", ".elif", ".else", ".endif"):
            if not self._conditions.read(keyword, decide(split.words[1:], self._variables)):
                raise words.WordsError("%s is in no .if block" % keyword)
            return None
        if keyword.startswith(".") or self._conditions.counts is False:
            return None
        sure = self._conditions.counts is True
        if keyword in _SECTIONS:
            self._section = _section([word.text for word in split.words], self._path, index, sure)
            self._known = dict(self._variables)
        section = self._section
        if section is None:
            return None
        if section.kind == "global" and keyword in ("setenv", "presetenv", "unsetenv", "resetenv"):
            self._set(keyword, split.words[1:])
            return None
        return Statement(section, index, line, split, section.sure and sure, self._known)

    def _set(self, keyword: str, rest: List[words.Word]) -> None:
        if keyword == "resetenv":
            self._variables.clear()
        else:
            name = rest[0].value(self._variables) if rest else None
            if name is None or (keyword == "presetenv" and name in self._variables):
                return
            value = rest[1].value(self._variables) if len(rest) > 1 and keyword == "setenv" else None
            self._variables.pop(name, None)
            # whether presetenv counts depends on where HAProxy was started
            if value is not None and self._conditions.counts:
                self._variables[name] = value
        self._known = dict(self._variables)


def _section(found: List[str], path: str, at: int, sure: bool) -> Section:
    kind, *rest = found
    based = rest[rest.index("from") + 1 :][:1] if "from" in rest else []
    name = rest[0] if rest and not (kind == "defaults" and rest[0] == "from") else ""
    return Section(kind, name, path, at, sure, based[0] if based else "")
