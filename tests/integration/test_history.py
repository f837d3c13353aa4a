# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When connections entered TIME-WAIT, and which of them connect() may take over."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.lab import facts, oracle
from tests.lab.namespaces import Namespace
from tests.lab.traffic import Traffic


def pool_of(namespace: Namespace) -> dict[str, Any]:
    found = facts.by_module(namespace, gather_subset=["census"])
    assert found["unavailable"] == []
    (pool,) = found["namespaces"][0]["pools"]
    assert isinstance(pool, dict)
    return pool


@pytest.mark.parametrize("end", ["client", "server"])
def test_history_has_each_close_in_its_second(namespace: Namespace, traffic: Traffic, end: str) -> None:
    server = traffic.listen(namespace, "127.0.0.1", 80)
    closed_at = []
    for count, pause in ((40, 5.0), (10, 3.0), (25, 0.0)):
        closed_at += [
            one.done_at for one in traffic.connect(namespace, server, "127.0.0.1", end, count).connections
        ]
        time.sleep(pause)
    oracle.wait_for(lambda: oracle.ss_states(namespace)["TIME-WAIT"] == 75)
    pool = pool_of(namespace)
    now = time.time()
    assert len(pool["history"]) == 60
    assert sum(pool["history"]) == pool["time_wait"] == 75
    assert pool["close_rate"] == pytest.approx(75 / 60, abs=0.01)
    expected = sorted(59 - int(now - moment) for moment in closed_at)
    found = [slot for slot, count in enumerate(pool["history"]) for _one in range(count)]
    # The clock is read after the kernel was, and ages come in quarters of a second: one slot of tolerance.
    assert all(abs(one - other) <= 1 for one, other in zip(found, expected, strict=True)), (found, expected)


def test_entries_past_their_time_hold_their_quadruplets(namespace: Namespace, traffic: Traffic) -> None:
    """A TIME-WAIT socket may outlive its 60 s by up to 2 s: used still, but not of the last 60 seconds."""
    server = traffic.listen(namespace, "127.0.0.1", 80)
    traffic.connect(namespace, server, "127.0.0.1", "client", 30)
    time.sleep(58.0)
    late = 0
    for _attempt in range(80):
        before = oracle.ss_states(namespace)["TIME-WAIT"]
        pools = facts.by_module(namespace, gather_subset=["census"])["namespaces"][0]["pools"]
        after = oracle.ss_states(namespace)["TIME-WAIT"]
        assert after <= sum(pool["time_wait"] for pool in pools) <= before
        for pool in pools:
            assert pool["used"] == pool["time_wait"]
            assert sum(pool["history"]) <= pool["time_wait"]
            assert sum(pool["history"][4:]) == 0, "none is younger than 56 s"
            late += sum(pool["history"]) < pool["time_wait"]
        if not after:
            break
        time.sleep(0.1)
    else:
        pytest.fail("TIME-WAIT sockets older than 66 s")
    assert late, "no socket was seen past its 60 s"


@pytest.mark.parametrize(
    ("reuse", "timestamps", "address", "expected"),
    [
        pytest.param(1, 1, "127.0.0.1", 12, id="reuse on"),
        pytest.param(1, 0, "127.0.0.1", 0, id="no timestamps, no reuse"),
        pytest.param(0, 1, "127.0.0.1", 0, id="reuse off"),
        pytest.param(2, 1, "127.0.0.1", 12, id="loopback only, and this is loopback"),
    ],
)
def test_reusable_are_those_that_connect_may_take_over(
    namespace: Namespace, traffic: Traffic, reuse: int, timestamps: int, address: str, expected: int
) -> None:
    namespace.set_sysctls(
        {
            "ipv4/tcp_tw_reuse": reuse,
            "ipv4/tcp_timestamps": timestamps,
            "ipv4/ip_local_port_range": "40000 40011",
        }
    )
    server = traffic.listen(namespace, address, 80)
    assert len(traffic.connect(namespace, server, address, "client", 12).connections) == 12
    oracle.wait_for(lambda: oracle.ss_states(namespace)["TIME-WAIT"] == 12)
    time.sleep(2.6)  # the reuse delay, one second, and the coarseness of ages
    pool = pool_of(namespace)
    assert pool["time_wait"] == 12
    assert pool["reusable"] == expected
    # The kernel's word on it: all ports hold TIME-WAIT, so each connection takes one over or fails.
    taken = traffic.connect(namespace, server, address, "client", 12)
    assert len(taken.connections) == expected


def test_loopback_reuse_does_not_reach_other_addresses(
    namespace: Namespace, traffic: Traffic, made: Any
) -> None:
    made.dead_end(namespace, "10.9.0.1/24")
    namespace.set_sysctls({"ipv4/tcp_tw_reuse": 2})
    server = traffic.listen(namespace, "10.9.0.1", 80)
    traffic.connect(namespace, server, "10.9.0.1", "client", 5)
    time.sleep(2.6)
    assert pool_of(namespace)["reusable"] == 0
