# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Taking one line of somebody else's file out, so that it can be read why."""

MARK = "tcpops.timewait"


class NoSuchLineError(ValueError):
    """The file has fewer lines than that."""


def comment_line(data: bytes, line: int, reason: str, date: str) -> bytes:
    """The file with one line made a comment below a line that says why; every other byte stays as it is.

    :param line: counts from 1.
    :param reason: a sentence without line ends.
    :param date: ``2026-11-22``.
    :raises NoSuchLineError: when there is no such line.
    """
    lines = data.split(b"\n")
    if not 1 <= line <= len(lines):
        raise NoSuchLineError("line %d of a file of %d lines" % (line, len(lines)))
    text = lines[line - 1]
    end = b"\r" if text.endswith(b"\r") else b""
    why = "# %s %s: %s" % (MARK, date, " ".join(reason.split()))
    lines[line - 1 : line] = [why.encode("utf-8", "surrogateescape") + end, b"#" + text]
    return b"\n".join(lines)
