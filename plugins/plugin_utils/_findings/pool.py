# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A pool as the rules compare it.

Pools are read for each host of a fleet, so that what only evidence needs is read when there is evidence to give.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from ansible_collections.tcpops.timewait.plugins.plugin_utils._untrusted.pool import (
    connection,
    history,
    remote_endpoint,
)
from ansible_collections.tcpops.timewait.plugins.plugin_utils._untrusted.text import text
from ansible_collections.tcpops.timewait.plugins.plugin_utils._untrusted.values import count, measure, port

if TYPE_CHECKING:
    from .facts_reader import Namespace


class Pool(NamedTuple):
    """What rules compare of one pool, as docs/schema.md has it."""

    namespace: Namespace
    direction: str
    used: int
    time_wait: int
    reusable: int
    capacity: int
    seconds_to_exhaustion: float | None
    #: share of the capacity that connect() cannot have: held, and not to be taken over
    effective: float
    raw: dict[str, Any]

    @property
    def subject(self) -> str:
        """Who connects to what."""
        return connection(self.raw)

    @property
    def remote(self) -> str:
        """Where an outbound pool leads to."""
        return remote_endpoint(self.raw)

    @property
    def close_rate(self) -> float | None:
        """Connections that entered TIME-WAIT per second, mean of the last minute."""
        return measure(self.raw.get("close_rate"))

    @property
    def sustainable_rate(self) -> float | None:
        """Connections per second that the pool can sustain."""
        return measure(self.raw.get("sustainable_rate"))

    @property
    def history(self) -> list[int]:
        """Entries into TIME-WAIT in each of the last 60 seconds, newest last; may be empty."""
        return history(self.raw)

    def as_dict(self) -> dict[str, Any]:
        """The pool's facts, only the fields of the schema, each of its type or null."""
        raw = self.raw
        shown: dict[str, Any] = {"direction": self.direction}
        for key in ("local_address", "remote_address"):
            shown[key] = text(raw.get(key))
        for key in ("local_port", "remote_port"):
            shown[key] = port(raw.get(key))
        for key in ("used", "time_wait", "reusable", "capacity"):
            shown[key] = count(raw.get(key))
        shown["capacity_assumed"] = self.direction == "inbound" or raw.get("capacity_assumed") is True
        for key in ("utilisation", "sustainable_rate", "close_rate", "seconds_to_exhaustion"):
            shown[key] = measure(raw.get(key))
        shown["history"] = self.history
        return shown


def read_pool(raw: Any, namespace: Namespace) -> Pool | None:
    """None when a field that rules compare is missing or is not what the schema says."""
    if not isinstance(raw, dict):
        return None
    direction = raw.get("direction")
    used = count(raw.get("used"))
    time_wait = count(raw.get("time_wait"))
    reusable = count(raw.get("reusable"))
    capacity = count(raw.get("capacity"))
    if used is None or time_wait is None or reusable is None or capacity is None:
        return None
    if direction not in ("outbound", "inbound"):  # a tuple: the facts may have something there that has no hash
        return None
    left = raw.get("seconds_to_exhaustion", "")
    if left is not None:
        left = measure(left)
        if left is None:
            return None
    busy = used - reusable
    # a pool without capacity is full: no automatic choice can succeed
    effective = 0.0 if busy <= 0 else busy / capacity if capacity else 1.0
    return Pool(namespace, direction, used, time_wait, reusable, capacity, left, effective, raw)
