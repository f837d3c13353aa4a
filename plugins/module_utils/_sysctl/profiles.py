# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files of TuneD: sections of ``key = value`` lines, with the number of each line."""

import re
from typing import Dict, List, NamedTuple, Optional

_SECTION = re.compile(r"\[([^]]+)\]")
_INLINE = re.compile(r"\s#.*\Z", re.DOTALL)


class Option(NamedTuple):
    """One line. ``continued``: lines below it belong to it too."""

    name: str
    value: str
    line: int
    continued: bool


class Malformed(Exception):
    """What the configparser of Python would refuse, and TuneD with it: the whole file counts for nothing."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__("line %d: %s" % (line, reason))
        self.line = line


Sections = Dict[str, Dict[str, Option]]


def parse(data: bytes, first_section: Optional[str] = None, old: bool = False) -> Sections:
    """Sections by name; of one option the last line counts, but it keeps the place of the first.

    The dialect is ``ConfigParser(delimiters="=", inline_comment_prefixes="#", strict=False)``.

    :param first_section: name for the lines before any section, where the file may have such.
    :param old: the dialect of ConfigObj, which older versions of TuneD read with: ``;`` begins no comment, and an
        option may stand in a section once.
    :raises Malformed: when the file is refused.
    """
    sections: Sections = {}
    current = sections.setdefault(first_section, {}) if first_section else None
    last: Optional[str] = None
    depth = 0
    for number, raw in enumerate(_lines(data), 1):
        if raw.strip()[:1] in (("#",) if old else ("#", ";")):
            continue
        line = _INLINE.sub("", raw)
        text = line.strip()
        if not text:
            continue
        indent = len(line) - len(line.lstrip())
        if current is not None and last is not None and indent > depth:
            option = current[last]
            current[last] = option._replace(value=option.value + "\n" + text, continued=True)
            continue
        depth = indent
        header = _SECTION.match(text)
        if header:
            current = sections.setdefault(header.group(1), {})
            last = None
            continue
        name, equals, value = text.partition("=")
        if current is None or not equals or not name.strip():
            raise Malformed(number, "it is neither a section nor an assignment")
        if old and name.strip() in current:
            raise Malformed(number, "%.60s stands there twice" % name.strip())
        last = name.strip()
        current[last] = Option(last, value.strip(), number, False)
    return sections


def _lines(data: bytes) -> List[str]:
    return re.split(r"\r\n|\r|\n", data.decode("utf-8", "surrogateescape"))
