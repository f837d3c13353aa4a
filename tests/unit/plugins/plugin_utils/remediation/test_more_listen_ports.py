# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How many listen ports are proposed, when, and when it is said that they cannot help."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.tcpops.timewait.plugins.plugin_utils._remediation.errors import RemediationError
from ansible_collections.tcpops.timewait.plugins.plugin_utils._remediation.more_listen_ports import (
    Proposal,
    more_listen_ports,
)
from support.facts_factory import CAPACITY, make_facts, make_namespace, make_pool

_NGINX = {"server": "nginx", "port": 80, "beside": [], "listening": True}


def inbound(used: int, port: int = 80, client: str = "10.0.0.9", **more: Any) -> dict[str, Any]:
    return make_pool("inbound", used=used, local_port=port, remote_address=client, **more)


def service(*beside: int) -> dict[str, Any]:
    return {**_NGINX, "beside": list(beside)}


def one(*pools: dict[str, Any], services: tuple[dict[str, Any], ...] = (_NGINX,), **options: Any) -> Proposal:
    (found,) = more_listen_ports(make_facts(pools=list(pools)), list(services), **options)
    return found


@pytest.mark.parametrize(
    ("used", "rate", "beside"),
    [
        # half of 28232 at each port
        (24000, 0, 1),
        (28232, 0, 1),
        # 60 s of TIME-WAIT for each connection
        (24000, 400, 1),
        (24000, 900, 3),
        (24000, 2000, 8),
        (24000, 1, 0),
    ],
)
def test_as_many_as_leave_each_half_full(used: int, rate: float, beside: int) -> None:
    found = one(inbound(used), target_rate=rate)
    assert (found.server, found.existing_port, found.ports_now, found.beside) == ("nginx", 80, 1, beside)
    assert found.assumed and found.capacity == CAPACITY and found.cannot == ""
    assert f"need {beside + 1} ports" in found.reason
    assert "assumed, its range cannot be seen" in found.reason


def test_nothing_is_proposed_where_no_pool_is_near_capacity() -> None:
    facts = make_facts(pools=[inbound(20000)])
    assert more_listen_ports(facts, [_NGINX]) == []
    assert more_listen_ports(facts, [_NGINX], target_rate=5000) == []
    assert len(more_listen_ports(facts, [_NGINX], threshold=0.7)) == 1
    assert more_listen_ports(make_facts(pools=[inbound(28000, port=8080)]), [_NGINX]) == []
    assert more_listen_ports(make_facts(pools=[make_pool(used=28000)]), [_NGINX]) == []


def test_the_second_run_asks_for_no_more() -> None:
    """The same load over the ports that were added."""
    full = one(inbound(28000))
    assert full.beside == 1
    spread = [inbound(14000), inbound(14000, port=81)]
    assert more_listen_ports(make_facts(pools=spread), [service(81)]) == []


def test_ports_that_clients_do_not_use_are_not_added_to() -> None:
    found = one(inbound(28000), services=(service(81, 82),))
    assert (found.ports_now, found.beside) == (3, 2)
    assert "there are enough, and the client has to use them (80: 28000, 81: 0, 82: 0)" in found.reason


def test_each_client_and_address_is_a_pool_of_its_own() -> None:
    pools = [inbound(9000, client=f"10.0.1.{number}") for number in range(9)]
    assert more_listen_ports(make_facts(pools=pools), [_NGINX]) == []
    found = one(*pools, inbound(25000), inbound(27000, client="10.0.0.8"))
    assert (found.client, found.used) == ("10.0.0.8", 27000)
    assert "and 1 more clients are near capacity" in found.reason


def test_the_fullest_service_comes_first() -> None:
    services = [_NGINX, {"server": "haproxy", "port": 443, "beside": []}]
    pools = [inbound(24000), inbound(28000, port=443)]
    assert [p.existing_port for p in more_listen_ports(make_facts(pools=pools), services)] == [443, 80]


def client_facts(used: int, held: str, time_wait: int, capacity: int = 1000) -> dict[str, Any]:
    pool = make_pool(
        used=used, time_wait=time_wait, capacity=capacity, local_address="10.0.0.9", remote_address="10.0.0.1"
    )
    return make_facts(namespaces=[make_namespace(pools=[pool], held_ports=held, listeners=[])])


def test_the_client_s_own_facts_tell_its_capacity() -> None:
    found = one(inbound(900), clients={"lb": client_facts(900, "", 900)})
    assert (found.capacity, found.assumed, found.beside) == (1000, False, 1)
    assert "known from its own facts" in found.reason


def test_a_client_that_binds_its_ports_gains_nothing() -> None:
    found = one(inbound(900), clients={"lb": client_facts(900, "40000-40899", 0)})
    assert found.cannot.startswith("10.0.0.9 binds its source port before it connects")
    assert "IP_BIND_ADDRESS_NO_PORT" in found.cannot
    few = one(inbound(900), clients={"lb": client_facts(900, "40000-40010", 0)})
    assert few.cannot == ""


def test_a_client_on_the_same_host_is_seen_at_both_ends() -> None:
    pools = [
        inbound(900, client="127.0.0.1", local_address="127.0.0.1"),
        make_pool(used=900, capacity=1000, local_address="127.0.0.1", remote_address="127.0.0.1", remote_port=80),
    ]
    found = one(*pools)
    assert (found.capacity, found.assumed) == (1000, False)


@pytest.mark.parametrize(
    ("facts", "services", "options", "words"),
    [
        (None, [], {}, "the server: the facts are not a dictionary"),
        (make_facts(), [], {"target_rate": -1}, "a target rate of -1"),
        (make_facts(), [], {"target_rate": float("nan")}, "a target rate of nan"),
        (make_facts(), [], {"threshold": 0}, "a threshold of 0"),
        (make_facts(), [{"port": "x"}], {}, "a port that is none"),
        (make_facts(), [{"port": 80, "beside": [None]}], {}, "a port that is none"),
        (make_facts(), [], {"clients": {"lb": 7}}, "lb: the facts are not a dictionary"),
        ({**make_facts(), "namespaces": [{"label": "host"}]}, [], {}, "the pools are not in the facts"),
    ],
)
def test_what_cannot_be_worked_out_is_one_sentence(
    facts: object, services: object, options: dict[str, Any], words: str
) -> None:
    with pytest.raises(RemediationError, match=words) as caught:
        more_listen_ports(facts, services, **options)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("hostile", [None, 7, "x", [], {}, [{}], [None], {"port": []}])
def test_odd_pools_are_left_out(hostile: object) -> None:
    facts = make_facts(pools=[inbound(28000)])
    facts["namespaces"][0]["pools"] += [{**inbound(28000), "local_port": hostile}, hostile]
    assert len(more_listen_ports(facts, [_NGINX])) == 1
