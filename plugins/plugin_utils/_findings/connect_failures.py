# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Connections that failed for want of a port, as the rules read them."""

from __future__ import annotations

from typing import NamedTuple

from ansible_collections.tcpops.timewait.plugins.plugin_utils._untrusted.pool import endpoint
from ansible_collections.tcpops.timewait.plugins.plugin_utils._untrusted.text import text
from ansible_collections.tcpops.timewait.plugins.plugin_utils._untrusted.values import (
    count,
    listing,
    mapping,
    measure,
    port,
)


class Destination(NamedTuple):
    """Where connections failed to, and how many."""

    address: str
    port: int
    failures: int

    @property
    def subject(self) -> str:
        """``10.0.0.2:80``."""
        return endpoint(self.address, self.port)


class ConnectFailures(NamedTuple):
    """Connections that failed for want of a port while the host was listened to; the worst destination first."""

    seconds: float
    total: int
    lost: int
    destinations: list[Destination]


def read_connect_failures(raw: object) -> ConnectFailures | None:
    """None when a field is not what the schema says."""
    part = mapping(raw)
    seconds, total, lost = measure(part.get("seconds")), count(part.get("total")), count(part.get("lost"))
    entries = listing(part.get("destinations"))
    if seconds is None or total is None or lost is None or entries is None:
        return None
    destinations = [one for one in map(_destination, entries) if one is not None]
    if len(destinations) != len(entries):
        return None
    return ConnectFailures(seconds, total, lost, sorted(destinations, key=lambda one: -one.failures))


def _destination(raw: object) -> Destination | None:
    part = mapping(raw)
    address, number, failures = text(part.get("address"), ""), port(part.get("port")), count(part.get("count"))
    if not address or number is None or failures is None:
        return None
    return Destination(address, number, failures)
