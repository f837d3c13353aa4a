# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Words of a line of an HAProxy configuration: quotes, escapes, variables, comments. Pure text.

Source: ``parse_line``, and ``env_expand``, which addresses go through besides.
"""

import re
from typing import Dict, List, NamedTuple, Optional, Tuple

_SPACE = " \t\v\f\r"
_ESCAPED = {" ": " ", "\\": "\\", "t": "\t", "n": "\n", "r": "\r", "#": "#", "'": "'", '"': '"'}
_HEX = re.compile(r"[0-9A-Fa-f]{2}")
#: in double quotes; the group without a name is what makes it more than a name
_VARIABLE = re.compile(r"\$(?:\{(?P<braced>\.?[A-Za-z_]\w*)(\[\*\])?(-[^}]*)?\}|(?P<bare>\.?[A-Za-z_]\w*))", re.ASCII)
_IN_ADDRESS = re.compile(r"\$(?:\{(\w*)\}|(\w*))", re.ASCII)


class WordsError(ValueError):
    """A line that HAProxy would refuse; the text says why."""


class Word(NamedTuple):
    """One word. ``start``, ``end``: where it stands in the line, quotes included.

    ``pieces``: ``(text, whether it is a variable)``; of a variable the text is as it is written.
    """

    start: int
    end: int
    pieces: Tuple[Tuple[str, bool], ...]

    @property
    def text(self) -> str:
        """The word without quotes, variables as they are written."""
        return "".join(text for text, _variable in self.pieces)

    def value(self, variables: Dict[str, str]) -> Optional[str]:
        """The word as HAProxy takes it; None when it has a variable that is not known."""
        values = [_value(text, variables) if variable else text for text, variable in self.pieces]
        return None if None in values else "".join(value or "" for value in values)


class Words(NamedTuple):
    """``end``: behind the last word. What follows is space, and perhaps a comment."""

    words: List[Word]
    end: int


def split(line: str) -> Words:
    """The words of one line.

    :raises WordsError: when HAProxy would not take it.
    """
    if "\0" in line:
        raise WordsError("it has a NUL character")
    words: List[Word] = []
    at = end = 0
    while at < len(line):
        if line[at] in _SPACE:
            if line[at] == "\r":
                break
            at += 1
        elif line[at] == "#":
            break
        else:
            pieces, end = _word(line, at)
            if pieces is not None:
                words.append(Word(at, end, tuple(pieces)))
            at = end
    return Words(words, words[-1].end if words else 0)


def _word(line: str, at: int) -> Tuple[Optional[List[Tuple[str, bool]]], int]:
    """``(pieces, where it ends)``."""
    pieces: List[Tuple[str, bool]] = []
    quote = ""
    while at < len(line) and line[at] != "\r":
        char = line[at]
        if quote != "'" and char == "\\":
            text, at = _escaped(line, at, quote)
            pieces.append((text, False))
        elif char == quote or (not quote and char in "'\""):
            quote = "" if quote else char
            at += 1
        elif not quote and (char in _SPACE or char == "#"):
            break
        elif quote == '"' and char == "$":
            match = _VARIABLE.match(line, at)
            if not match:
                raise WordsError("a $ in double quotes is followed by no name of a variable")
            pieces.append((match.group(), True))
            at = match.end()
        else:
            pieces.append((char, False))
            at += 1
    if quote:
        raise WordsError("a quote is not closed")
    return pieces, at


def _escaped(line: str, at: int, quote: str) -> Tuple[str, int]:
    following = line[at + 1 : at + 2]
    if following == "x":
        match = _HEX.match(line, at + 2)
        if not match:
            raise WordsError("\\x is not followed by two hexadecimal digits")
        return chr(int(match.group(), 16)), match.end()
    if following in _ESCAPED and following:
        return _ESCAPED[following], at + 2
    if following == "$" and quote:
        return "$", at + 2
    return "\\", at + 1


def _value(text: str, variables: Dict[str, str]) -> Optional[str]:
    match = _VARIABLE.match(text)
    name = (match.group("braced") or match.group("bare")) if match else ""
    # a default, or a list of words, is more than a name
    return variables.get(name) if text in ("$" + name, "${%s}" % name) else None


def template(word: Word) -> str:
    """An address with all of its variables written ``${NAME}``. They count in it without quotes, too.

    :raises WordsError: for a variable that is more than a name.
    """
    return "".join("${%s}" % _name(raw) if variable else _IN_ADDRESS.sub(_braced, raw)
                   for raw, variable in _joined(word.pieces))


def expand(text: str, variables: Dict[str, str]) -> str:
    """A template with the values put in.

    :raises WordsError: for a variable that is not known.
    """

    def value(match: "re.Match[str]") -> str:
        name = match.group(1)
        if name not in variables:
            raise WordsError("the value of the variable %s cannot be known from here" % (name or "without a name"))
        return variables[name]

    return _IN_ADDRESS.sub(value, text)


def _name(raw: str) -> str:
    match = _VARIABLE.match(raw)
    name = (match.group("braced") or match.group("bare")) if match else ""
    if raw not in ("$" + name, "${%s}" % name) or name.startswith("."):
        raise WordsError("the value of %s cannot be known from here" % raw)
    return name


def _braced(match: "re.Match[str]") -> str:
    return "${%s}" % (match.group(1) or match.group(2) or "")


def _joined(pieces: Tuple[Tuple[str, bool], ...]) -> List[Tuple[str, bool]]:
    """Neighbours that are text are one."""
    joined: List[Tuple[str, bool]] = []
    for text, variable in pieces:
        if joined and not variable and not joined[-1][1]:
            joined[-1] = (joined[-1][0] + text, False)
        else:
            joined.append((text, variable))
    return joined
