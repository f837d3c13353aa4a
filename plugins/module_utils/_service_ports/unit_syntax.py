# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The syntax of unit files (systemd.syntax(7)). Pure text."""

from typing import Iterator, List, NamedTuple


class Assignment(NamedTuple):
    """One assignment, continuation lines joined. ``line``: number of its first line."""

    section: str
    key: str
    value: str
    path: str
    line: int


def assignments(text: str, path: str) -> Iterator[Assignment]:
    """The assignments of one file, in order. Lines that are none are left out, as systemd does."""
    section = ""
    parts: List[str] = []
    first = 0
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.strip()
        if line.startswith(("#", ";")) or not (line or parts):
            continue  # a comment amid continuation lines belongs to nothing, and ends nothing
        if not parts:
            first = number
        if line.endswith("\\"):
            parts.append(line[:-1].strip())
            continue
        parts.append(line)
        whole = " ".join(parts).strip()
        parts = []
        if whole.startswith("[") and whole.endswith("]"):
            section = whole[1:-1]
            continue
        key, equals, value = whole.partition("=")
        if equals:
            yield Assignment(section, key.strip(), value.strip(), path, first)


def values_of(found: List[Assignment], section: str, key: str) -> List[Assignment]:
    """What a key that is a list holds in the end: an empty assignment takes back all before it."""
    values: List[Assignment] = []
    for one in found:
        if (one.section, one.key) != (section, key):
            continue
        if one.value:
            values.append(one)
        else:
            values.clear()
    return values
