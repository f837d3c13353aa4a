# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Known connections: the census must find exactly what was made, and what ss finds."""

from __future__ import annotations

import sys
from collections import Counter
from typing import Any

import pytest

from tests.lab import facts, oracle
from tests.lab.namespaces import Lab, Namespace
from tests.lab.oracle import End, client_end, server_end
from tests.lab.traffic import Traffic


def census(namespace: Namespace, ends: list[End], server_ports: set[int], **options: Any) -> dict[str, Any]:
    """The namespace's facts, after the check that they, ``ss`` and what was made are the same pools."""
    expected = oracle.pools_of(ends, server_ports)
    oracle.wait_for(lambda: oracle.pools_of(oracle.ss_ends(namespace), server_ports) == expected)
    found: dict[str, Any] = facts.by_module(namespace, gather_subset=["census", "listeners"], **options)
    assert found["unavailable"] == []
    assert found["source"] == "sock_diag"
    first: dict[str, Any] = found["namespaces"][0]
    assert oracle.pools_in(first) == expected
    assert first["pools_total"] == len(expected)
    for direction in ("outbound", "inbound"):
        pools = {key: held for key, held in expected.items() if key.direction == direction}
        total = first["totals"][direction]
        time_wait = sum(held.time_wait for held in pools.values())
        assert {key: total[key] for key in ("pools", "used", "time_wait")} == {
            "pools": len(pools),
            "used": sum(held.used for held in pools.values()),
            "time_wait": time_wait,
        }
        # all of it came in one burst or in a few: the mean of ten seconds is a tenth of that at most
        assert 0 <= total["peak_close_rate"] <= time_wait / 10
        assert bool(total["peak_close_rate"]) == bool(time_wait)
    return first


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_the_end_that_closes_first_is_left(namespace: Namespace, traffic: Traffic, address: str) -> None:
    server = traffic.listen(namespace, address, 80)
    client_first = traffic.connect(namespace, server, address, "client", 5).connections
    server_first = traffic.connect(namespace, server, address, "server", 7).connections
    ends = [client_end(one) for one in client_first] + [server_end(one) for one in server_first]
    found = census(namespace, ends, {80})
    assert found["states"]["time_wait"] == 12
    assert found["listeners"] == [{"address": address, "port": 80}]


def test_mapped_addresses_are_merged_with_ipv4(namespace: Namespace, traffic: Traffic) -> None:
    plain = traffic.listen(namespace, "127.0.0.1", 80)
    dual = traffic.listen(namespace, "::", 81, dual_stack=True)
    ends = [
        client_end(one) for one in traffic.connect(namespace, plain, "127.0.0.1", "client", 3).connections
    ]
    mapped = traffic.connect(namespace, plain, "::ffff:127.0.0.1", "client", 4).connections
    ends += [client_end(one) for one in mapped]
    accepted = traffic.connect(namespace, dual, "127.0.0.1", "server", 2).connections
    accepted += traffic.connect(namespace, dual, "::ffff:127.0.0.1", "server", 2).connections
    ends += [server_end(one) for one in accepted]
    found = census(namespace, ends, {80, 81})
    by_direction = {pool["direction"]: pool["used"] for pool in found["pools"]}
    assert by_direction == {"outbound": 7, "inbound": 4}, "one pool each, not one for each family"


def test_several_destinations_and_sources_are_several_pools(
    made: Lab, namespace: Namespace, traffic: Traffic
) -> None:
    made.dead_end(namespace, "10.9.0.1/24", "fd09::1/64")
    ends = []
    for port in (80, 443):
        for listening, address, source in (
            ("0.0.0.0", "127.0.0.1", None),
            ("0.0.0.0", "127.0.0.2", None),
            ("0.0.0.0", "10.9.0.1", "127.0.0.9"),
            ("::", "fd09::1", None),
        ):
            if listening == "::" or address == "127.0.0.1":
                server = traffic.listen(namespace, listening, port)
            if listening == "::":
                made_here = traffic.connect(namespace, server, address, "client", 2, source)
            else:
                made_here = traffic.connect(namespace, server, address, "client", 3, source)
            ends += [client_end(one) for one in made_here.connections]
    found = census(namespace, ends, {80, 443})
    assert found["pools_total"] == 8


def test_every_state_holds_a_quadruplet(made: Lab, namespace: Namespace, traffic: Traffic) -> None:
    made.dead_end(namespace, "10.9.0.1/24")
    server = traffic.listen(namespace, "0.0.0.0", 80)
    (held,) = traffic.connect(namespace, server, "127.0.0.1", "held").connections
    (half_closed,) = traffic.connect(namespace, server, "127.0.0.1", "half_closed").connections
    (orphaned,) = traffic.connect(namespace, server, "127.0.0.1", "orphaned").connections
    (unanswered,) = traffic.syn_sent(namespace, "10.9.0.77", 8080).connections
    (half_open,) = traffic.syn_received(namespace, "10.9.0.78", 1234, "10.9.0.1", 80).connections
    ends = [
        client_end(held, "ESTAB"),
        server_end(held, "ESTAB"),
        client_end(half_closed, "FIN-WAIT-2"),
        server_end(half_closed, "CLOSE-WAIT"),
        client_end(orphaned, "FIN-WAIT-2"),
        server_end(orphaned, "CLOSE-WAIT"),
        client_end(unanswered, "SYN-SENT"),
        server_end(half_open, "SYN-RECV"),
    ]
    states = census(namespace, ends, {80})["states"]
    assert states == {
        "established": 2,
        "syn_sent": 1,
        "syn_recv": 1,
        "fin_wait_1": 0,
        "fin_wait_2": 1,
        "fin_wait_2_mini": 1,
        "time_wait": 0,
        "close_wait": 2,
        "last_ack": 0,
        "closing": 0,
    }


def test_an_orphan_is_a_full_socket_where_fin_timeout_is_long(namespace: Namespace, traffic: Traffic) -> None:
    namespace.set_sysctls({"ipv4/tcp_fin_timeout": 120})
    server = traffic.listen(namespace, "127.0.0.1", 80)
    (orphaned,) = traffic.connect(namespace, server, "127.0.0.1", "orphaned").connections
    states = census(
        namespace, [client_end(orphaned, "FIN-WAIT-2"), server_end(orphaned, "CLOSE-WAIT")], {80}
    )["states"]
    assert (states["fin_wait_2"], states["fin_wait_2_mini"]) == (1, 0)


def test_two_hosts_see_each_their_own_end(made: Lab, traffic: Traffic) -> None:
    client, host = made.namespace(tcp_tw_reuse=0), made.namespace(tcp_tw_reuse=0)
    made.veth(client, "10.9.1.1/24", host, "10.9.1.2/24")
    server = traffic.listen(host, "10.9.1.2", 80)
    client_first = traffic.connect(client, server, "10.9.1.2", "client", 6).connections
    server_first = traffic.connect(client, server, "10.9.1.2", "server", 4).connections
    census(client, [client_end(one) for one in client_first], set())
    census(host, [server_end(one) for one in server_first], {80})


def test_two_thousand_sockets(namespace: Namespace, traffic: Traffic) -> None:
    server = traffic.listen(namespace, "0.0.0.0", 80)
    other = traffic.listen(namespace, "::1", 81)
    ends = [
        client_end(one) for one in traffic.connect(namespace, server, "127.0.0.1", "client", 1000).connections
    ]
    ends += [
        server_end(one) for one in traffic.connect(namespace, server, "127.0.0.3", "server", 500).connections
    ]
    # a new connection must not take the place of a TIME-WAIT socket: from a port of its own each
    for port in range(20000, 20500):
        ends += [
            server_end(one)
            for one in traffic.connect(
                namespace, other, "::1", "server", source="::1", source_port=port
            ).connections
        ]
    census(namespace, ends, {80, 81})


def test_a_server_that_no_longer_listens_is_still_one(namespace: Namespace, traffic: Traffic) -> None:
    server = traffic.listen(namespace, "127.0.0.1", 80)
    ends = [
        server_end(one) for one in traffic.connect(namespace, server, "127.0.0.1", "server", 20).connections
    ]
    traffic.stop_listening(server)
    assert census(namespace, ends, {80})["listeners"] == []


def test_pools_that_do_not_travel_are_summed_up(namespace: Namespace, traffic: Traffic) -> None:
    server = traffic.listen(namespace, "0.0.0.0", 80)
    for number in range(1, 6):
        traffic.connect(namespace, server, f"127.0.0.{number}", "client", number)
    oracle.wait_for(lambda: oracle.ss_states(namespace) == Counter({"TIME-WAIT": 15}))
    found = facts.by_module(namespace, gather_subset=["census"], top=2)["namespaces"][0]
    assert [pool["used"] for pool in found["pools"]] == [5, 4]
    assert found["pools_total"] == 5
    assert found["pools_omitted"] == {"count": 3, "used": 6}
    assert found["totals"]["outbound"] == {"pools": 5, "used": 15, "time_wait": 15, "peak_close_rate": 1.5}


def test_through_ansible(namespace: Namespace, traffic: Traffic) -> None:
    server = traffic.listen(namespace, "127.0.0.1", 80)
    ends = [
        client_end(one) for one in traffic.connect(namespace, server, "127.0.0.1", "client", 11).connections
    ]
    oracle.wait_for(lambda: oracle.ss_states(namespace) == Counter({"TIME-WAIT": 11}))
    found = facts.by_ansible(namespace, gather_subset=["all", "!namespaces"])
    assert oracle.pools_in(found["namespaces"][0]) == oracle.pools_of(ends, {80})
    assert found["unavailable"] == []
    assert found["memory"]["time_wait_bytes"] == 11 * found["memory"]["per_outbound_bytes"]
    assert found["namespaces"][0]["sysctls"]["tcp_tw_reuse"] == 0
    assert found["namespaces"][0]["counters"]["TW"] == 11
    assert found["namespaces"][0]["sockets"]["time_wait"] == 11


def test_privileged_and_unprivileged_messages_give_the_same(namespace: Namespace, traffic: Traffic) -> None:
    """The kernel sends 96 bytes a socket to root and 88 to others."""
    server = traffic.listen(namespace, "0.0.0.0", 80)
    traffic.connect(namespace, server, "127.0.0.1", "client", 700)
    traffic.connect(namespace, server, "127.0.0.2", "server", 700)
    traffic.connect(namespace, server, "127.0.0.1", "held", 3)
    oracle.wait_for(lambda: oracle.ss_states(namespace)["TIME-WAIT"] == 1400)
    root = facts.by_module(namespace, gather_subset=["census"])
    nobody = facts.by_module(
        namespace, "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", gather_subset=["census"]
    )
    assert nobody["source"] == "sock_diag"
    assert oracle.pools_in(nobody["namespaces"][0]) == oracle.pools_in(root["namespaces"][0])
    assert nobody["namespaces"][0]["states"] == root["namespaces"][0]["states"]


def test_an_empty_namespace_has_no_pools(namespace: Namespace) -> None:
    assert sys.platform == "linux"
    found = census(namespace, [], set())
    assert found["pools"] == []
    assert found["listeners"] == []
