# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The syntax of nginx configuration: words, directives, blocks. Pure text.

Source: ``ngx_conf_read_token``, ``ngx_conf_parse``. What directives mean is no matter here, but for Lua code, which is
not in this syntax at all.
"""

import re
from typing import List, NamedTuple, Optional, Sequence, Tuple

from ..errors import ConfigurationRefusedError
from . import lua

_LUA = "_by_lua_block"
_GAP = re.compile(r"(?:[ \t\r\n]+|#[^\n]*)+")
# A brace right behind a dollar belongs to the word, as in ${name}; a quote or a number sign inside one is plain.
_PLAIN = re.compile(r"(?:\\[\s\S]|\$\{*|[^ \t\r\n;{\\$]+)+")
_QUOTED = re.compile(r"""\"[^"\\]*(?:\\[\s\S][^"\\]*)*"|'[^'\\]*(?:\\[\s\S][^'\\]*)*'""")
_AFTER_QUOTE = " \t\r\n;{)"
_ESCAPED = re.compile(r"""\\(["'\\trn])""")
_ESCAPES = {"t": "\t", "r": "\r", "n": "\n"}


class Word(NamedTuple):
    """A word as it is written, quotes included, what it means, and its offset."""

    raw: str
    value: str
    start: int

    @property
    def end(self) -> int:
        return self.start + len(self.raw)


class Block(NamedTuple):
    """What is between two braces: offsets behind the first and of the second, and the directives, none of Lua code."""

    start: int
    end: int
    directives: "List[Directive]"


class Directive(NamedTuple):
    """One directive. ``end``: behind its semicolon or closing brace. ``line``: that its name is on, from 1."""

    words: Tuple[Word, ...]
    end: int
    line: int
    block: Optional[Block]

    @property
    def name(self) -> str:
        return self.words[0].value

    @property
    def start(self) -> int:
        return self.words[0].start


def is_code(directive: Directive) -> bool:
    """Whether the block is Lua code."""
    return directive.name.endswith(_LUA)


class _Open(NamedTuple):
    """A block that is not closed yet."""

    words: Tuple[Word, ...]
    line: int
    start: int
    outer: List[Directive]


def parse(text: str, path: str, absent: Sequence[Tuple[int, int]] = ()) -> List[Directive]:
    """The directives of one file.

    :param absent: offsets, in order, at which so many lines of the file are left out, so that lines are counted right.
    :raises ConfigurationRefusedError: for anything that nginx would not take either.
    """
    return _Parser(text, path, absent).parse()


class _Parser:
    def __init__(self, text: str, path: str, absent: Sequence[Tuple[int, int]]) -> None:
        self._text = text
        self._path = path
        self._at = 0
        self._line = 1
        self._counted = 0  # offset up to which lines are counted
        self._absent = list(reversed(absent))
        self._words: List[Word] = []
        self._first_line = 1  # of the directive at hand
        self._open: List[_Open] = []
        self._directives: List[Directive] = []

    def parse(self) -> List[Directive]:
        text = self._text
        while True:
            gap = _GAP.match(text, self._at)
            if gap:
                self._at = gap.end()
            if self._at == len(text):
                return self._finish()
            char = text[self._at]
            if char == ";":
                self._end_of_directive()
            elif char == "{":
                self._start_of_block()
            elif char == "}":
                self._end_of_block()
            else:
                self._word(char)

    def _finish(self) -> List[Directive]:
        if self._words:
            raise self._refused(self._first_line, '"%s" has no ";" or "{"' % self._words[0].value)
        if self._open:
            opened = self._open[-1]
            raise self._refused(opened.line, 'the block "%s" has no closing brace' % opened.words[0].value)
        return self._directives

    def _end_of_directive(self) -> None:
        self._need_words(";")
        self._at += 1
        self._directives.append(Directive(tuple(self._words), self._at, self._first_line, None))
        self._words = []

    def _start_of_block(self) -> None:
        self._need_words("{")
        self._at += 1
        self._open.append(_Open(tuple(self._words), self._first_line, self._at, self._directives))
        name = self._words[0].value
        self._words = []
        self._directives = []
        if name.endswith(_LUA):
            end = lua.block_end(self._text, self._at)
            if end < 0:
                raise self._refused(self._first_line, "the Lua code of %s has no end" % name)
            self._at = end

    def _end_of_block(self) -> None:
        if self._words:
            raise self._refused(self._first_line, '"%s" has no ";" before "}"' % self._words[0].value)
        if not self._open:
            raise self._refused(self._here(), 'a "}" that closes nothing')
        opened = self._open.pop()
        block = Block(opened.start, self._at, self._directives)
        self._at += 1
        self._directives = opened.outer
        self._directives.append(Directive(opened.words, self._at, opened.line, block))

    def _word(self, char: str) -> None:
        line = self._here()
        if char in "\"'":
            match = _QUOTED.match(self._text, self._at)
            if not match:
                raise self._refused(line, "a quoted string without its end")
            following = self._text[match.end() : match.end() + 1]
            if following and following not in _AFTER_QUOTE:
                raise self._refused(self._line_at(match.end()), 'an unexpected "%s" after a quoted string' % following)
            raw = match.group()
            value = raw[1:-1]
        else:
            match = _PLAIN.match(self._text, self._at)
            if not match:
                raise self._refused(line, "a backslash at the end of the file")
            raw = value = match.group()
        if not self._words:
            self._first_line = line
        self._words.append(Word(raw, _ESCAPED.sub(_unescape, value), self._at))
        self._at = match.end()

    def _need_words(self, char: str) -> None:
        if not self._words:
            raise self._refused(self._here(), 'an unexpected "%s"' % char)

    def _here(self) -> int:
        return self._line_at(self._at)

    def _line_at(self, offset: int) -> int:
        self._line += self._text.count("\n", self._counted, offset)
        self._counted = offset
        while self._absent and self._absent[-1][0] <= offset:
            self._line += self._absent.pop()[1]
        return self._line

    def _refused(self, line: int, reason: str) -> ConfigurationRefusedError:
        return ConfigurationRefusedError(self._path, line, reason)


def _unescape(match: "re.Match[str]") -> str:
    return _ESCAPES.get(match.group(1), match.group(1))
