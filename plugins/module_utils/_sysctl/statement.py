# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One line of a file that sets a sysctl, or keeps one from being set."""

from typing import List, NamedTuple, Optional


class Statement(NamedTuple):
    """``line`` counts from 1, as an editor does.

    ``target`` is the key as a path below /proc/sys, or a pattern of such. ``value`` is None where the line only takes
    keys out of patterns (``-net.ipv4.x``). ``sure`` is False where the value depends on what is not in the line.
    ``editable`` is False where a ``#`` before the line would not take it, and only it, out.
    """

    path: str
    line: int
    target: str
    value: Optional[str]
    sure: bool = True
    editable: bool = True


class Skipped(NamedTuple):
    """A line that the loader passes over, or that stops it, with the reason."""

    path: str
    line: int
    reason: str


class Parsed(NamedTuple):
    """What a loader makes of one file."""

    statements: List[Statement]
    skipped: List[Skipped]
