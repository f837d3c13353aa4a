# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lines of a file that keeps its bytes, its line ends and what it ends with. Pure."""

from typing import List, NamedTuple

#: what everything that is inserted carries
MARK = "# tcpops.timewait"


class Line(NamedTuple):
    """One line. ``end``: what ends it, nothing for the last line of a file that has no final newline."""

    text: str
    end: str


def split(content: bytes) -> List[Line]:
    """Lines end with a line feed, perhaps behind a carriage return. A character stands for a byte."""
    pieces = content.decode("latin-1").split("\n")
    lines = []
    for piece in pieces[:-1]:
        returned = piece.endswith("\r")
        lines.append(Line(piece[:-1] if returned else piece, "\r\n" if returned else "\n"))
    return lines + [Line(piece, "") for piece in pieces[-1:] if piece]


def join(lines: List[Line]) -> bytes:
    """The content again."""
    return "".join(line.text + line.end for line in lines).encode("latin-1")


def insert(lines: List[Line], index: int, text: str) -> None:
    """Put a line of its own before ``lines[index]``, or behind the last one. A file keeps what it ends with."""
    usual = next((line.end for line in lines if line.end), "\n")
    if index < len(lines):
        lines.insert(index, Line(text, lines[index].end or usual))
        return
    end = lines[-1].end if lines else usual
    if lines and not end:
        lines[-1] = Line(lines[-1].text, usual)
    lines.append(Line(text, end))


def delete(lines: List[Line], index: int) -> None:
    """Take a line out. A file keeps what it ends with."""
    gone = lines.pop(index)
    if lines and index == len(lines) and not gone.end:
        lines[-1] = Line(lines[-1].text, "")
