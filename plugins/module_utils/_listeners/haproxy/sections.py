# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the files of HAProxy listen on: sections, ``bind`` lines, conditional blocks. Pure."""

from typing import Dict, List, NamedTuple, Optional, Sequence, Tuple

from .. import text
from ..errors import ConfigurationRefusedError
from . import address, words
from .conditions import Conditions, decide

#: sections whose addresses clients of a service use
SERVING = ("frontend", "listen")
_SECTION_NAMES = (
    "acme backend cache crt-store defaults fcgi-app frontend global healthcheck http-errors listen log-forward"
    " log-profile mailers namespace_list peers program resolvers ring traces userlist"
)
_SECTIONS = frozenset(_SECTION_NAMES.split())
_INDENT = "    "
_TELLING = ("dst_port", "so_id", "so_name", "redirect scheme")


class Section(NamedTuple):
    """A section of one file. ``at``: its line there, from 0. ``sure``: false when only HAProxy knows if it counts."""

    kind: str
    name: str
    path: str
    at: int
    sure: bool


class Bind(NamedTuple):
    """One line that listens. ``at``: its line in the file, from 0. ``options``: the words behind the address.

    ``head``: what stands before the address in a ``bind`` line of its own beside this one. ``behind``: where in this
    one begins what such a line ends with.
    """

    section: Section
    at: int
    line: str
    head: str
    behind: int
    endpoints: List[address.Endpoint]
    options: List[words.Word]
    added: bool

    @property
    def path(self) -> str:
        """The file that the line is in."""
        return self.section.path

    @property
    def v6only(self) -> bool:
        """Whether addresses of IPv6 leave IPv4 alone."""
        return any(word.text == "v6only" for word in self.options)

    def covers(self, port: int) -> List[address.Endpoint]:
        """Its addresses that listen on a TCP port."""
        return [one for one in self.endpoints if one.kind == address.TCP and one.first <= port <= one.last]


class Use(NamedTuple):
    """A word that makes a difference between ports."""

    section: Section
    at: int
    word: str


class Reading(NamedTuple):
    """``binds``: in the order of the files, those of sections that serve no clients too. ``uses``: see ``Use``.

    ``modes``: what a section that says it speaks, or the defaults that it begins with; TCP where none does.
    """

    binds: List[Bind]
    uses: List[Use]
    modes: Dict[Section, str]

    def speaks_http(self, bind: Bind) -> bool:
        """Whether requests of HTTP are read there."""
        return self.modes.get(bind.section) == "http"


def read(sources: Sequence[Tuple[str, List[text.Line]]], environment: Dict[str, str]) -> Reading:
    """What the files listen on.

    :param sources: ``(path, lines)`` in the order in which HAProxy reads them.
    :raises ConfigurationRefusedError: when that cannot be known.
    """
    found = Reading([], [], {})
    variables = dict(environment)
    defaults = _Defaults()
    for path, lines in sources:
        _File(path, lines, variables, defaults, found).read()
    return found


class _Defaults:
    """The ``defaults`` sections so far: a proxy begins with the one that it names, or with the last."""

    def __init__(self) -> None:
        self.last: Optional[Section] = None
        self.by_name: Dict[str, Section] = {}


class _File:
    """One file on the way through. ``variables`` and ``defaults`` go on to the next one, as in HAProxy."""

    def __init__(
        self, path: str, lines: List[text.Line], variables: Dict[str, str], defaults: _Defaults, found: Reading
    ) -> None:
        self._path = path
        self._lines = lines
        self._variables = variables
        self._defaults = defaults
        self._found = found
        self._conditions = Conditions()
        self._section: Optional[Section] = None

    def read(self) -> None:
        for index, line in enumerate(self._lines):
            try:
                if line.text.lstrip().startswith("["):
                    raise words.WordsError("sections of other programs, in brackets, are not understood")
                split = words.split(line.text)
                if split.words:
                    self._take(index, line.text, split)
            except words.WordsError as error:
                raise ConfigurationRefusedError(self._path, index + 1, str(error)) from None
        if self._conditions.open:
            raise ConfigurationRefusedError(self._path, len(self._lines), "an .if block is not closed")

    def _take(self, index: int, line: str, split: words.Words) -> None:
        keyword = split.words[0].text
        if keyword in (".if", ".elif", ".else", ".endif"):
            if not self._conditions.read(keyword, decide(split.words[1:], self._variables)):
                raise words.WordsError("%s is in no .if block" % keyword)
        elif keyword.startswith(".") or self._conditions.counts is False:
            pass
        elif keyword in _SECTIONS:
            self._begin(index, line, split)
        elif self._section is not None:
            self._inside(index, line, split, self._section)

    def _begin(self, index: int, line: str, split: words.Words) -> None:
        kind, *rest = [word.text for word in split.words]
        sure = self._conditions.counts is True
        self._section = Section(kind, rest[0] if rest else "", self._path, index, sure)
        based = len(rest) == 3 and rest[1] == "from"
        self._inherit(self._section, rest[2] if based else "")
        if kind in SERVING and len(rest) > 1 and not based:
            if len(rest) > 2:
                raise words.WordsError("words behind the address of a section are not understood")
            indent = self._indent_after(index)
            self._bind(Bind(self._section, index, line, indent + "bind ", split.end, [], [], False), split.words[2])

    def _inherit(self, section: Section, named: str) -> None:
        origin = self._defaults.by_name.get(named) if named else self._defaults.last
        if section.kind == "defaults":
            origin = self._defaults.by_name.get(named)
            self._defaults.last = section
            self._defaults.by_name[section.name] = section
        if origin and origin in self._found.modes:
            self._found.modes[section] = self._found.modes[origin]

    def _inside(self, index: int, line: str, split: words.Words, section: Section) -> None:
        keyword, *rest = [word.text for word in split.words]
        if keyword == "bind" and section.kind not in ("backend", "defaults") and len(rest) > 0:
            added = line[split.end :].strip() == text.MARK
            head = line[: split.words[1].start]
            behind = split.words[1].end
            self._bind(Bind(section, index, line, head, behind, [], split.words[2:], added), split.words[1])
        elif keyword == "mode" and rest and self._conditions.counts:
            self._found.modes[section] = rest[0]
        elif section.kind == "global" and keyword in ("setenv", "presetenv", "unsetenv", "resetenv"):
            self._set(keyword, split.words[1:])
        elif section.kind == "global" and keyword == "stats" and rest[:1] in (["socket"], ["bind"]) and len(rest) > 1:
            self._bind(Bind(section, index, line, "", split.end, [], [], False), split.words[2])
        else:
            self._found.uses.extend(Use(section, index, word) for word in _told_by_port(keyword, rest))

    def _bind(self, bind: Bind, word: words.Word) -> None:
        if not (bind.section.sure and self._conditions.counts):
            raise words.WordsError("whether the .if block that it is in counts cannot be known from here")
        endpoints = address.endpoints(words.template(word), self._variables)
        self._found.binds.append(bind._replace(endpoints=endpoints))

    def _set(self, keyword: str, rest: List[words.Word]) -> None:
        if keyword == "resetenv":
            self._variables.clear()
            return
        name = rest[0].value(self._variables) if rest else None
        if name is None or (keyword == "presetenv" and name in self._variables):
            return
        value = rest[1].value(self._variables) if len(rest) > 1 and keyword == "setenv" else None
        self._variables.pop(name, None)
        # whether presetenv counts depends on where HAProxy was started
        if value is not None and self._conditions.counts:
            self._variables[name] = value

    def _indent_after(self, index: int) -> str:
        """How the lines of a section are indented."""
        for line in self._lines[index + 1 :]:
            stripped = line.text.lstrip()
            if stripped and not stripped.startswith("#"):
                return line.text[: len(line.text) - len(stripped)] or _INDENT
        return _INDENT


def _told_by_port(keyword: str, rest: List[str]) -> List[str]:
    """Words of a line that tell one port of a service from another."""
    line = " ".join([keyword, *rest])
    return [word for word in _TELLING if word in line]
