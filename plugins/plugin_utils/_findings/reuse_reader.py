# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Typed reading of what the facts say about connections that could be used again, which is untrusted like the rest."""

from __future__ import annotations

from typing import NamedTuple

from ansible_collections.tcpops.timewait.plugins.module_utils._spread.unused import REASONS
from ansible_collections.tcpops.timewait.plugins.plugin_utils._untrusted.pool import endpoint
from ansible_collections.tcpops.timewait.plugins.plugin_utils._untrusted.text import text
from ansible_collections.tcpops.timewait.plugins.plugin_utils._untrusted.values import count, listing, mapping, port

#: what a document has more is not looked at
_MOST = 2000
#: characters: it names a line to write, or two
_LONGEST_CHANGE = 400


class ReuseLine(NamedTuple):
    """A line that keeps the connections of a backend from being used again. ``destinations``: as pools name them."""

    server: str
    place: str
    backend: str
    reason: str
    change: str
    destinations: frozenset[str]

    @property
    def told(self) -> str:
        """For evidence."""
        return f"{self.place}: connections of {self.backend}: {REASONS.get(self.reason, self.reason)}"


def read_reuse(raw: object) -> list[ReuseLine] | None:
    """None when the document has no such part, or one that is none."""
    entries = listing(raw)
    if entries is None:
        return None
    return [one for one in map(_line, entries[:_MOST]) if one is not None]


def _line(raw: object) -> ReuseLine | None:
    part = mapping(raw)
    number, path = count(part.get("line")), text(part.get("path"), "")
    if number is None or not path:
        return None
    destinations = set()
    for entry in listing(part.get("destinations")) or []:
        one = mapping(entry)
        address, at = text(one.get("address"), ""), port(one.get("port"))
        if address and at is not None:
            destinations.add(endpoint(address, at))
    return ReuseLine(
        text(part.get("server"), ""),
        f"{path}:{number}",
        text(part.get("backend"), "a backend"),
        text(part.get("reason"), ""),
        text(part.get("change"), "", _LONGEST_CHANGE),
        frozenset(destinations),
    )
