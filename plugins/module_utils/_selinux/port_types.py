# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What ``semanage port -l`` prints: types of ports. Pure."""

import re
from typing import List, NamedTuple, Optional

_LINE = re.compile(r"(\w+)\s+(tcp)\s+(\d[\d, -]*)\Z")
#: what every port has that no service was given: allowed to who needs no port of its own
_GENERIC = ("port_t", "unreserved_port_t", "ephemeral_port_t", "reserved_port_t", "hi_reserved_port_t")


class PortType(NamedTuple):
    """One entry of the policy."""

    type: str
    first: int
    last: int


def parse(text: str) -> List[PortType]:
    """Entries for TCP."""
    found = []
    for line in text.splitlines():
        match = _LINE.match(line.rstrip())
        for span in match.group(3).split(",") if match else []:
            first, _dash, last = span.strip().partition("-")
            if first.isdigit() and (last or first).isdigit():
                found.append(PortType(match.group(1) if match else "", int(first), int(last or first)))
    return found


def of_port(entries: List[PortType], local: List[PortType], port: int) -> Optional[PortType]:
    """What counts for a port: the administrator's entries before the policy's, and the narrowest of them."""
    for found in (local, entries):
        there = [one for one in found if one.first <= port <= one.last]
        if there:
            return min(there, key=lambda one: (one.last - one.first, one.type in _GENERIC))
    return None


def is_generic(entry: Optional[PortType]) -> bool:
    return entry is None or entry.type in _GENERIC
