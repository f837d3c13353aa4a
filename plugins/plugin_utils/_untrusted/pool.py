# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the rules and the report read alike out of a pool's facts, as docs/schema.md has it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.tcpops.timewait.plugins.plugin_utils._untrusted.text import text
from ansible_collections.tcpops.timewait.plugins.plugin_utils._untrusted.values import LARGEST, count, listing, port

_HISTORY_SECONDS = 60


def connection(pool: Mapping[str, Any]) -> str:
    """``10.0.0.1 -> 10.0.0.2:80`` outbound, ``10.0.0.9 -> 10.0.0.1:80`` inbound: who connects to what."""
    local, remote = text(pool.get("local_address")), text(pool.get("remote_address"))
    if pool.get("direction") == "inbound":
        return f"{remote} -> {endpoint(local, pool.get('local_port'))}"
    return f"{local} -> {remote_endpoint(pool)}"


def remote_endpoint(pool: Mapping[str, Any]) -> str:
    """The remote address, and the port where the pool has one."""
    return endpoint(text(pool.get("remote_address")), pool.get("remote_port"))


def endpoint(address: str, of: object) -> str:
    """``10.0.0.2:80``, ``[2001:db8::1]:80``."""
    number = port(of)
    host = f"[{address}]" if ":" in address else address
    return f"{host}:{'?' if number is None else number}"


def history(pool: Mapping[str, Any]) -> list[int]:
    """Entries into TIME-WAIT in each of the last 60 seconds, newest last; empty when it is not that."""
    slots = listing(pool.get("history"))
    if slots is None or len(slots) != _HISTORY_SECONDS:
        return []
    if set(map(type, slots)) == {int}:  # the usual case, at C speed; ansible-core 2.19 has an int of its own
        return slots if min(slots) >= 0 and max(slots) <= LARGEST else []
    counts = [slot for slot in map(count, slots) if slot is not None]
    return counts if len(counts) == _HISTORY_SECONDS else []
