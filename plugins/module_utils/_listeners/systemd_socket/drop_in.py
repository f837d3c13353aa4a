# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The drop-in that is ours: what it says, and how it is written. Pure text."""

import re
from typing import List, NamedTuple, Optional

from ..text import MARK

NAME = "50-tcpops-timewait.conf"
_FOLDER = "/etc/systemd/system"
_BESIDE = re.compile(r"# beside ([0-9]+)\Z")
_LISTEN = "ListenStream="


class Entry(NamedTuple):
    """``value``: of ListenStream. ``beside``: the port that was there."""

    beside: int
    port: int
    value: str


def path_of(unit: str) -> str:
    """Where it is. In /etc, so that it wins over packages."""
    return "%s/%s.d/%s" % (_FOLDER, unit, NAME)


def render(entries: List[Entry]) -> bytes:
    """The whole file; nothing when there is nothing to say."""
    lines = [MARK, "[Socket]"]
    for entry in entries:
        lines += ["# beside %d" % entry.beside, _LISTEN + entry.value]
    return "".join(line + "\n" for line in lines).encode("latin-1") if entries else b""


def parse(content: bytes) -> Optional[List[Entry]]:
    """What it says; None when it is not as ``render`` makes it, so that somebody else wrote in it."""
    entries = []
    beside = None
    for line in content.decode("latin-1").splitlines()[2:]:
        comment = _BESIDE.match(line)
        port = re.search(r"([0-9]+)(%[^:\[\]]+)?\Z", line)
        if comment:
            beside = int(comment.group(1))
        elif line.startswith(_LISTEN) and port and beside is not None:
            entries.append(Entry(beside, int(port.group(1)), line[len(_LISTEN) :]))
    return entries if render(entries) == content else None
