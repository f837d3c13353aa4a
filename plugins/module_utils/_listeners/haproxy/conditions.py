# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Conditions of ``.if`` as far as they can be known without the program and its environment. Pure text."""

import re
from typing import Dict, List, Optional

from .words import Word

_NUMBER = re.compile(r"-?[0-9]+\Z")
_DEFINED = re.compile(r"defined\((\w+)\)\Z", re.ASCII)
_COMPARED = re.compile(r"str(n?)eq\(([^,()]*),([^,()]*)\)\Z")


def decide(words: List[Word], variables: Dict[str, str]) -> Optional[bool]:
    """Whether a condition holds; None when that cannot be known from here."""
    values = [word.value(variables) for word in words]
    if None in values:
        return None
    text = " ".join(value or "" for value in values)
    negated = False
    while text.startswith("!"):
        text = text[1:]
        negated = not negated
    held = _held(text, variables)
    return None if held is None else held != negated


def _held(text: str, variables: Dict[str, str]) -> Optional[bool]:
    if not text:
        return False
    if _NUMBER.match(text):
        return int(text) != 0
    defined = _DEFINED.match(text)
    if defined and defined.group(1) in variables:
        return True
    compared = _COMPARED.match(text)
    if compared:
        return (compared.group(2) == compared.group(3)) != bool(compared.group(1))
    return None


class Conditions:
    """The blocks that a line is in."""

    def __init__(self) -> None:
        # of each block whether its present part counts, and whether an earlier part did; None: not known
        self._parts: List[Optional[bool]] = []
        self._taken: List[Optional[bool]] = []

    def read(self, keyword: str, condition: Optional[bool]) -> bool:
        """Take ``.if``, ``.elif``, ``.else`` or ``.endif``; False when it fits no block."""
        if keyword == ".if":
            self._parts.append(condition)
            self._taken.append(condition)
            return True
        if not self._parts:
            return False
        if keyword == ".endif":
            self._parts.pop()
            self._taken.pop()
            return True
        taken = self._taken[-1]
        present = True if keyword == ".else" else condition
        if taken is None:
            self._parts[-1] = False if present is False else None
        else:
            self._parts[-1] = present if not taken else False
            self._taken[-1] = taken or present
        return True

    @property
    def counts(self) -> Optional[bool]:
        """Whether a line counts here; None when that cannot be known."""
        if False in self._parts:
            return False
        return None if None in self._parts else True

    @property
    def open(self) -> bool:
        """Whether a block is not closed."""
        return bool(self._parts)
