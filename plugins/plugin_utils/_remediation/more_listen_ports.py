# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How many more ports a server should listen on: from its fullest inbound pools, or for a wanted rate.

One address and port of the server is one pool for each client, which holds as many connections as the client has
ports, TIME-WAIT included. Ports are asked for until such a pool is half full, from where on the client's connect() gets
slow (``__inet_hash_connect`` tries one parity first).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from ansible_collections.tcpops.timewait.plugins.plugin_utils._findings.facts_reader import (
    Facts,
    Namespace,
    Pool,
    read_facts,
)
from ansible_collections.tcpops.timewait.plugins.plugin_utils._findings.thresholds import DEFAULTS
from ansible_collections.tcpops.timewait.plugins.plugin_utils._untrusted.text import text
from ansible_collections.tcpops.timewait.plugins.plugin_utils._untrusted.values import listing, mapping, port

from .errors import RemediationError

#: ports of a client that explicit binds hold, as a share of its connections, from which on that is how it connects
_EXPLICIT = 0.5


class Service(NamedTuple):
    """A port that a server listens on, and those that were added beside it."""

    server: str
    port: int
    beside: tuple[int, ...]

    @property
    def ports(self) -> tuple[int, ...]:
        return (self.port, *self.beside)


class Proposal(NamedTuple):
    """What one service should have. ``beside``: how many ports beside the existing one in all.

    ``capacity``: connections of the fullest client at one port; ``assumed``: it is the default of Linux, since the
    client's range cannot be seen. ``cannot``: why more ports would add nothing; empty when nothing says so.
    """

    server: str
    existing_port: int
    ports_now: int
    beside: int
    client: str
    used: int
    capacity: int
    assumed: bool
    target_rate: float
    reason: str
    cannot: str

    def as_dict(self) -> dict[str, Any]:
        """For the Ansible boundary."""
        return self._asdict()


class _Client(NamedTuple):
    """What one client holds at one address of the server, by port. ``range``: its own capacity; None when unknown."""

    address: str
    used: dict[int, int]
    assumed: int
    known: int | None
    explicit: bool

    @property
    def capacity(self) -> int:
        return self.known or self.assumed

    @property
    def fullest(self) -> float:
        return max(self.used.values()) / self.capacity


def more_listen_ports(
    facts: object,
    services: object,
    target_rate: float = 0,
    threshold: float = DEFAULTS["inbound_pool"],
    clients: Mapping[str, object] | None = None,
) -> list[Proposal]:
    """The services with an inbound pool near capacity, the fullest first, and how many ports they should have.

    :param facts: ``ansible_facts.timewait`` of the server, docs/schema.md, untrusted.
    :param services: as ``listen_ports_info`` returns them.
    :param target_rate: connections per second of one client; 0: what it holds now.
    :param threshold: share of its capacity from which on a pool counts.
    :param clients: facts of hosts that may be clients, by name.
    :raises RemediationError: when a parameter makes no sense or the facts do not tell enough.
    """
    if not (math.isfinite(target_rate) and target_rate >= 0):
        raise RemediationError(f"a target rate of {target_rate:g} connections a second is none")
    if not 0 < threshold <= 1:
        raise RemediationError(f"a threshold of {threshold:g} is no share of a capacity: give more than 0, at most 1")
    readable = _readable(facts, "the server")
    others = [_readable(one, name) for name, one in (clients or {}).items()]
    namespace = readable.namespaces[0]
    if "pools" not in namespace.available:
        raise RemediationError("the pools are not in the facts: " + namespace.why_missing("pools"))
    seconds = readable.timewait_seconds
    found = []
    for service in _services(services):
        near = [one for one in _clients(namespace, service, others) if one.fullest >= threshold]
        if near:
            fullest = max(near, key=lambda one: one.fullest)
            found.append((fullest.fullest, _proposal(service, fullest, len(near), target_rate, seconds)))
    return [proposal for _share, proposal in sorted(found, key=lambda one: -one[0])]


def _readable(facts: object, whose: str) -> Facts:
    found = read_facts(facts)
    if isinstance(found, str):
        raise RemediationError(f"{whose}: {found}")
    return found


def _services(raw: object) -> list[Service]:
    found = []
    for one in listing(raw) or []:
        part = mapping(one)
        number = port(part.get("port"))
        beside = [port(other) for other in listing(part.get("beside")) or []]
        if number is None or None in beside:
            raise RemediationError("the services have a port that is none: give them as listen_ports_info returns them")
        found.append(Service(text(part.get("server")), number, tuple(other for other in beside if other)))
    return found


def _clients(namespace: Namespace, service: Service, others: list[Facts]) -> list[_Client]:
    """Each client of a service, at each address of the server."""
    pools: dict[tuple[str, str], list[Pool]] = {}
    for pool in namespace.pools:
        if pool.direction == "inbound" and port(pool.raw.get("local_port")) in service.ports and pool.capacity:
            key = text(pool.raw.get("remote_address")), text(pool.raw.get("local_address"))
            pools.setdefault(key, []).append(pool)
    return [_client(key, of_one, service, [namespace.facts, *others]) for key, of_one in pools.items()]


def _client(key: tuple[str, str], pools: list[Pool], service: Service, documents: Iterable[Facts]) -> _Client:
    used = {port(pool.raw.get("local_port")) or 0: pool.used for pool in pools}
    assumed = max(pool.capacity for pool in pools)
    for document in documents:
        for namespace in document.namespaces:
            own = [pool for pool in namespace.pools if _leads_to(pool, key, service)]
            if own:
                known = max((pool.capacity for pool in own), default=0) or None
                return _Client(key[0], used, assumed, known, _binds_explicitly(namespace, own))
    return _Client(key[0], used, assumed, None, False)


def _leads_to(pool: Pool, key: tuple[str, str], service: Service) -> bool:
    raw = pool.raw
    return (
        pool.direction == "outbound"
        and (text(raw.get("local_address")), text(raw.get("remote_address"))) == key
        and port(raw.get("remote_port")) in service.ports
    )


def _binds_explicitly(namespace: Namespace, pools: list[Pool]) -> bool:
    """Whether what the client holds is what explicit binds hold (SOCK_BINDPORT_LOCK), listeners left out.

    TIME-WAIT does not tell it any more, so that only live connections can show it.
    """
    held = (namespace.held or set()) - set(namespace.listening or {})
    live = sum(pool.used - pool.time_wait for pool in pools)
    return live > 0 and len(held) >= _EXPLICIT * live


def _proposal(service: Service, client: _Client, near: int, target_rate: float, seconds: float) -> Proposal:
    held = sum(client.used.values())
    wanted = target_rate * seconds if target_rate else held
    share = DEFAULTS["pool_cliff"]
    needed = max(1, math.ceil(wanted / (client.capacity * share)))
    now = len(service.ports)
    bounds = "assumed, its range cannot be seen" if client.known is None else "known from its own facts"
    load = f"{target_rate:g} connections a second for {seconds:g} s" if target_rate else f"{held} connections"
    reason = (
        f"{client.address} holds {max(client.used.values())} of {client.capacity} quadruplets of a port ({bounds})"
        f"{f', and {near - 1} more clients are near capacity' if near > 1 else ''};"
        f" {load} need {needed} ports to be below {share * 100:g} % of each, there {'is' if now == 1 else 'are'} {now}"
    )
    if needed <= now and now > 1:
        reason += f": there are enough, and the client has to use them ({_uses(service, client)})"
    cannot = ""
    if client.explicit:
        cannot = (
            f"{client.address} binds its source port before it connects, so that one port serves one connection"
            " whatever the destination: more server ports add nothing until it sets IP_BIND_ADDRESS_NO_PORT (HAProxy:"
            " source without a port; nginx: 1.11.4 or newer) or binds no address"
        )
    return Proposal(service.server, service.port, now, max(needed - 1, now - 1), client.address, held, client.capacity,
                    client.known is None, target_rate, reason, cannot)


def _uses(service: Service, client: _Client) -> str:
    return ", ".join(f"{one}: {client.used.get(one, 0)}" for one in service.ports)
