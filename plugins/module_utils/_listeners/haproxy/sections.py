# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the files of HAProxy listen on: ``bind`` lines of all sections. Pure."""

from typing import Dict, List, NamedTuple, Optional, Sequence, Tuple

from .. import text
from . import address, statements, words
from .statements import Section, Statement

#: sections whose addresses clients of a service use
SERVING = ("frontend", "listen")
_INDENT = "    "
_TELLING = ("dst_port", "so_id", "so_name", "redirect scheme")


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
    lines = dict(sources)
    defaults = _Defaults()
    for statement in statements.read(sources, environment):
        try:
            if statement.opens:
                defaults.begin(statement.section, found.modes)
                _begin(statement, lines[statement.section.path], found)
            else:
                _inside(statement, found)
        except words.WordsError as error:
            raise statement.refused(str(error)) from None
    return found


class _Defaults:
    """The ``defaults`` sections so far: a proxy begins with the one that it names, or with the last."""

    def __init__(self) -> None:
        self._last: Optional[Section] = None
        self._by_name: Dict[str, Section] = {}

    def begin(self, section: Section, modes: Dict[Section, str]) -> None:
        """Give a section the mode that it begins with."""
        named = self._by_name.get(section.based)
        origin = named if section.based or section.kind == "defaults" else self._last
        if section.kind == "defaults":
            self._last = self._by_name[section.name] = section
        if origin in modes:
            modes[section] = modes[origin]


def _begin(statement: Statement, lines: List[text.Line], found: Reading) -> None:
    section, rest = statement.section, statement.rest
    based = len(rest) == 3 and rest[1] == "from"
    if section.kind in SERVING and len(rest) > 1 and not based:
        if len(rest) > 2:
            raise words.WordsError("words behind the address of a section are not understood")
        head = _indent_after(lines, statement.at) + "bind "
        bind = Bind(section, statement.at, statement.line, head, statement.split.end, [], [], False)
        found.binds.append(_with_endpoints(bind, statement, 2))


def _inside(statement: Statement, found: Reading) -> None:
    section, line, split = statement.section, statement.line, statement.split
    keyword, rest = statement.keyword, statement.rest
    if keyword == "bind" and section.kind not in ("backend", "defaults") and rest:
        added = line[split.end :].strip() == text.MARK
        head = line[: split.words[1].start]
        bind = Bind(section, statement.at, line, head, split.words[1].end, [], split.words[2:], added)
        found.binds.append(_with_endpoints(bind, statement, 1))
    elif section.kind == "global" and keyword == "stats" and rest[:1] in (["socket"], ["bind"]) and len(rest) > 1:
        bind = Bind(section, statement.at, line, "", split.end, [], [], False)
        found.binds.append(_with_endpoints(bind, statement, 2))
    elif keyword == "mode" and rest and statement.sure:
        found.modes[section] = rest[0]
    else:
        found.uses.extend(Use(section, statement.at, word) for word in _told_by_port(keyword, rest))


def _with_endpoints(bind: Bind, statement: Statement, number: int) -> Bind:
    """With what the word of that number names."""
    if not statement.sure:
        raise words.WordsError("whether the .if block that it is in counts cannot be known from here")
    word = statement.split.words[number]
    return bind._replace(endpoints=address.endpoints(words.template(word), statement.variables))


def _indent_after(lines: List[text.Line], index: int) -> str:
    """How the lines of a section are indented."""
    for line in lines[index + 1 :]:
        stripped = line.text.lstrip()
        if stripped and not stripped.startswith("#"):
            return line.text[: len(line.text) - len(stripped)] or _INDENT
    return _INDENT


def _told_by_port(keyword: str, rest: List[str]) -> List[str]:
    """Words of a line that tell one port of a service from another."""
    line = " ".join([keyword, *rest])
    return [word for word in _TELLING if word in line]
