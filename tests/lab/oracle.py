# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What pools there must be: out of the ends of connections that were made, or that ``ss`` shows.

Written apart from the collection's own code, one end at a time, so that the two can disagree.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from .namespaces import Namespace
from .traffic import Connection

_MAPPED = "::ffff:"


class End(NamedTuple):
    """One end of a connection."""

    state: str
    local_address: str
    local_port: int
    remote_address: str
    remote_port: int


class PoolKey(NamedTuple):
    direction: str
    local_address: str
    local_port: int | None
    remote_address: str
    remote_port: int | None


class Held(NamedTuple):
    used: int
    time_wait: int


def client_end(connection: Connection, state: str = "TIME-WAIT") -> End:
    return End(
        state,
        plain(connection.local_address),
        connection.local_port,
        plain(connection.remote_address),
        connection.remote_port,
    )


def server_end(connection: Connection, state: str = "TIME-WAIT") -> End:
    client = client_end(connection)
    return End(state, client.remote_address, client.remote_port, client.local_address, client.local_port)


def plain(address: str) -> str:
    """IPv4 for an IPv4-mapped address."""
    return address[len(_MAPPED) :] if address.startswith(_MAPPED) and "." in address else address


def pools_of(ends: Iterable[End], server_ports: Iterable[int]) -> dict[PoolKey, Held]:
    """Pools that these ends make."""
    servers = set(server_ports)
    used: Counter[PoolKey] = Counter()
    time_wait: Counter[PoolKey] = Counter()
    for end in ends:
        if end.local_port in servers:
            key = PoolKey("inbound", end.local_address, end.local_port, end.remote_address, None)
        else:
            key = PoolKey("outbound", end.local_address, None, end.remote_address, end.remote_port)
        used[key] += 1
        time_wait[key] += end.state == "TIME-WAIT"
    return {key: Held(count, time_wait[key]) for key, count in used.items()}


def pools_in(facts: dict[str, Any]) -> dict[PoolKey, Held]:
    """The same out of one namespace of the facts."""
    return {
        PoolKey(*(pool[field] for field in PoolKey._fields)): Held(pool["used"], pool["time_wait"])
        for pool in facts["pools"]
    }


def ss_ends(namespace: Namespace) -> list[End]:
    """What ``ss`` sees, without what listens and what is only bound."""
    ends = []
    for line in namespace.run("ss", "-Htan").splitlines():
        state, _received, _sent, local, remote = line.split()[:5]
        if state not in ("LISTEN", "UNCONN"):
            ends.append(End(state, *_split(local), *_split(remote)))
    return ends


def ss_states(namespace: Namespace) -> Counter[str]:
    return Counter(end.state for end in ss_ends(namespace))


def _split(text: str) -> tuple[str, int]:
    address, _colon, port = text.rpartition(":")
    return plain(address.strip("[]").partition("%")[0]), int(port)


def wait_for(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    """Poll until it holds: the last segments of a connection may still be on their way.

    :raises TimeoutError: when it does not in time.
    """
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not reached within {seconds} s")
        time.sleep(0.05)
