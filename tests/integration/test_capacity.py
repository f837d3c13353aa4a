# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Capacity against the kernel: a pool holds exactly as many connections as the facts say."""

from __future__ import annotations

import errno
from typing import Any

import pytest

from tests.lab import facts, oracle
from tests.lab.namespaces import Namespace
from tests.lab.traffic import Traffic

LOW, HIGH = 40000, 40099


def census(namespace: Namespace) -> dict[str, Any]:
    found = facts.by_module(namespace, gather_subset=["census"])
    assert found["unavailable"] == []
    first: dict[str, Any] = found["namespaces"][0]
    return first


def fill(namespace: Namespace, traffic: Traffic, address: str = "127.0.0.1") -> int:
    """Connections until the kernel refuses one; each leaves a TIME-WAIT socket."""
    server = traffic.listen(namespace, address, 80)
    made = traffic.connect(namespace, server, address, "client", HIGH - LOW + 10)
    assert made.errno == errno.EADDRNOTAVAIL
    count = len(made.connections)
    oracle.wait_for(lambda: oracle.ss_states(namespace)["TIME-WAIT"] == count)
    return count


@pytest.mark.parametrize(
    ("high", "reserved", "capacity"),
    [
        pytest.param(HIGH, "", 100, id="plain"),
        pytest.param(HIGH, "40010-40019,40050", 89, id="reserved"),
        pytest.param(HIGH, "40050\n40010-40019,", 89, id="reserved, as oddly as the kernel takes it"),
        pytest.param(HIGH, "30000-50000", 0, id="every port reserved"),
        pytest.param(LOW, "", 1, id="one port"),
    ],
)
def test_a_pool_is_exhausted_at_its_capacity(
    namespace: Namespace, traffic: Traffic, high: int, reserved: str, capacity: int
) -> None:
    namespace.set_sysctls({"ipv4/ip_local_port_range": f"{LOW} {high}"})
    if reserved:
        namespace.set_sysctls({"ipv4/ip_local_reserved_ports": reserved})
    made = fill(namespace, traffic)
    first = census(namespace)
    assert made == capacity, "what the kernel could make"
    assert first["port_range"]["usable"] == capacity
    if not capacity:
        return
    (pool,) = first["pools"]
    assert pool["capacity"] == capacity
    assert pool["used"] == capacity
    assert pool["utilisation"] == 1.0
    assert pool["seconds_to_exhaustion"] == 0
    assert pool["sustainable_rate"] == pytest.approx(capacity / 60, abs=0.06)


def test_a_range_of_odd_size_loses_a_port(namespace: Namespace, traffic: Traffic) -> None:
    """Each search of connect() passes over one port, the last or the first: which one depends on where it starts.

    So the pool is full at 98 of 99 when the search goes on passing over the port that is free, else at 99.
    """
    namespace.set_sysctls({"ipv4/ip_local_port_range": f"{LOW} {HIGH - 1}"})
    made = fill(namespace, traffic)
    first = census(namespace)
    (pool,) = first["pools"]
    assert made in (98, 99), "what the kernel could make"
    assert first["port_range"]["usable"] == pool["capacity"] == 98
    assert pool["used"] == made
    assert pool["utilisation"] >= 1.0
    assert pool["seconds_to_exhaustion"] == 0


def test_an_exhausted_pool_leaves_the_others_alone(namespace: Namespace, traffic: Traffic) -> None:
    namespace.set_sysctls({"ipv4/ip_local_port_range": f"{LOW} {HIGH}"})
    fill(namespace, traffic)
    other = traffic.listen(namespace, "127.0.0.2", 80)
    assert traffic.connect(namespace, other, "127.0.0.2", "client").errno == 0
    utilisations = {pool["remote_address"]: pool["utilisation"] for pool in census(namespace)["pools"]}
    assert utilisations == {"127.0.0.1": 1.0, "127.0.0.2": 0.01}


def test_an_exhausted_ipv6_pool(namespace: Namespace, traffic: Traffic) -> None:
    namespace.set_sysctls({"ipv4/ip_local_port_range": f"{LOW} {HIGH}"})
    assert fill(namespace, traffic, "::1") == 100
    (pool,) = census(namespace)["pools"]
    assert (pool["remote_address"], pool["utilisation"]) == ("::1", 1.0)


def test_established_connections_exhaust_a_pool_too(namespace: Namespace, traffic: Traffic) -> None:
    namespace.set_sysctls({"ipv4/ip_local_port_range": f"{LOW} {HIGH}"})
    server = traffic.listen(namespace, "127.0.0.1", 80)
    made = traffic.connect(namespace, server, "127.0.0.1", "held", HIGH - LOW + 10)
    assert (len(made.connections), made.errno) == (100, errno.EADDRNOTAVAIL)
    (pool,) = [pool for pool in census(namespace)["pools"] if pool["direction"] == "outbound"]
    assert (pool["used"], pool["time_wait"], pool["utilisation"]) == (100, 0, 1.0)


def test_listeners_in_the_range_hold_their_ports(namespace: Namespace, traffic: Traffic) -> None:
    namespace.set_sysctls({"ipv4/ip_local_port_range": f"{LOW} {HIGH}"})
    for port in (40001, 40002, 40090):
        traffic.listen(namespace, "127.0.0.9", port)
    assert fill(namespace, traffic) == 97
    first = census(namespace)
    assert first["held_ports"] == "40001-40002,40090"
    assert first["port_range"]["held"] == 3
    (pool,) = first["pools"]
    assert (pool["capacity"], pool["utilisation"]) == (97, 1.0)


def test_connected_sockets_that_were_bound_hold_their_ports(namespace: Namespace, traffic: Traffic) -> None:
    namespace.set_sysctls({"ipv4/ip_local_port_range": f"{LOW} {HIGH}"})
    elsewhere = traffic.listen(namespace, "127.0.0.5", 81)
    for port in (40010, 40011, 40030):
        traffic.connect(namespace, elsewhere, "127.0.0.5", "held", source="127.0.0.1", source_port=port)
    assert fill(namespace, traffic) == 97
    first = census(namespace)
    assert first["held_ports"] == "40010-40011,40030"
    pools = {pool["remote_address"]: pool for pool in first["pools"] if pool["direction"] == "outbound"}
    assert pools["127.0.0.1"]["utilisation"] == 1.0
    assert pools["127.0.0.1"]["capacity"] == 97


def test_sockets_that_are_only_bound_hold_their_ports(namespace: Namespace, traffic: Traffic) -> None:
    namespace.set_sysctls({"ipv4/ip_local_port_range": f"{LOW} {HIGH}"})
    for port in (40020, 40021):
        traffic.bind(namespace, "127.0.0.7", port)
    assert fill(namespace, traffic) == 98
    first = census(namespace)
    assert first["held_ports"] == "40020-40021"
    assert first["pools"][0]["capacity"] == 98


def test_a_reserved_port_is_not_held_as_well(namespace: Namespace, traffic: Traffic) -> None:
    namespace.set_sysctls(
        {"ipv4/ip_local_port_range": f"{LOW} {HIGH}", "ipv4/ip_local_reserved_ports": "40001"}
    )
    traffic.listen(namespace, "127.0.0.9", 40001)
    assert fill(namespace, traffic) == 99
    first = census(namespace)
    assert (first["port_range"]["held"], first["port_range"]["usable"]) == (0, 99)
