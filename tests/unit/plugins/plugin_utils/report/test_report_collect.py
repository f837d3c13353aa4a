# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What hosts returned -> report: states, totals, order, caps, and facts that are none."""

from __future__ import annotations

import pytest
from ansible_collections.tcpops.timewait.plugins.plugin_utils._report import model
from ansible_collections.tcpops.timewait.plugins.plugin_utils._report.collect import Collector
from ansible_collections.tcpops.timewait.plugins.plugin_utils._report.model import Worst
from report_factory import collect, registered
from support.facts_factory import make_facts, make_pool


@pytest.mark.parametrize(
    ("result", "status", "reason"),
    [
        (None, "failed", "no result: the host left the run"),
        ("text", "failed", "no result"),
        ({"unreachable": True, "msg": "No route\n\033[2J"}, "unreachable", "No route \\x1b[2J"),
        ({"failed": True, "msg": "Boom"}, "failed", "Boom"),
        (
            {
                "failed": True,
                "msg": "MODULE FAILURE\nSee stdout/stderr for the exact error",
                "module_stderr": "x\nno python\n",
            },
            "failed",
            "MODULE FAILURE (no python)",
        ),
        ({"failed": True}, "failed", "without a message"),
        ({"skipped": True}, "failed", "returned no facts"),
        ({"ansible_facts": []}, "failed", "returned no facts"),
        ({"ansible_facts": {"timewait": "x"}}, "failed", "facts of schema str"),
        (
            {"ansible_facts": {"timewait": {"schema": 2}}},
            "failed",
            "facts of schema 2, where 1 is understood",
        ),
        ({"ansible_facts": {"timewait": {"schema": True}}}, "failed", "facts of schema True"),
        ({"unreachable": "yes", "ansible_facts": {"timewait": make_facts()}}, "audited", ""),
    ],
)
def test_status_and_reason(result: object, status: str, reason: str) -> None:
    host = collect({"web1": result}).hosts[0]
    assert host.status == status
    assert reason in host.reason


def test_summary_adds_up_what_was_audited() -> None:
    report = collect(
        {
            "web1": registered(pools=[make_pool(used=28000)]),
            "web2": registered(pools=[make_pool(used=10)]),
            "web3": {"unreachable": True, "msg": "down"},
            "web4": {"failed": True, "msg": "broken"},
        }
    )
    summary = report.summary
    assert (summary.hosts, summary.audited, summary.unreachable, summary.failed) == (4, 2, 1, 1)
    assert summary.time_wait == 28010
    assert summary.time_wait_bytes == 28010 * 512
    assert summary.findings["CRITICAL"] == 1
    assert [host.name for host in report.hosts][2:] == ["web1", "web2"], "not audited first, then the worst"
    assert [pool.host for pool in report.pools] == ["web1", "web2"]


def test_one_rule_on_many_hosts_is_one_group() -> None:
    report = collect({f"web{n}": registered(pools=[make_pool(used=28000)]) for n in range(30)})
    group = report.groups[0]
    assert group.severity == "CRITICAL"
    assert len(group.hosts) == 30
    assert group.items.count == 30


NONSENSE = [
    None,
    True,
    -1,
    10**400,
    float("nan"),
    float("inf"),
    "x" * 100_000,
    "\033[2J",
    [],
    {},
    [[]],
    {"a": {}},
    ["x"],
    [None],
]


@pytest.mark.parametrize("nonsense", NONSENSE, ids=lambda value: type(value).__name__)
@pytest.mark.parametrize(
    "place",
    ["kernel", "namespaces", "memory", "unavailable", "pools", "sysctls", "pool", "states", "history"],
)
def test_any_fact_may_be_anything(place: str, nonsense: object) -> None:
    facts = make_facts(pools=[make_pool(used=20000)])
    namespace = facts["namespaces"][0]
    if place in ("pools", "sysctls", "states"):
        namespace[place] = nonsense
    elif place == "pool":
        namespace["pools"] = [dict.fromkeys(namespace["pools"][0], nonsense)]
    elif place == "history":
        namespace["pools"][0]["history"] = [nonsense] * 60
    else:
        facts[place] = nonsense
    report = collect({"good": registered(), "odd": {"ansible_facts": {"timewait": facts}}})
    assert {host.name for host in report.hosts} == {"good", "odd"}
    assert next(host for host in report.hosts if host.name == "good").status == "audited"
    assert 0 <= report.summary.time_wait <= 2**53


def test_a_judge_that_fails_costs_one_host() -> None:
    def judge(host: str, facts: object) -> list[model.Finding]:
        if host == "bad":
            raise KeyError("\033[31m")
        return []

    collector = Collector(judge)
    for name in ("bad", "good"):
        collector.add(name, registered())
    hosts = {host.name: host for host in collector.report("", "", {}).hosts}
    assert hosts["good"].status == "audited"
    assert hosts["bad"].status == "failed"
    assert "\033" not in hosts["bad"].reason


def test_worst_keeps_the_largest_and_counts_all() -> None:
    worst: Worst[int] = Worst(3)
    for number in [5, 1, 9, 7, 9, 2]:
        worst.add(number, number)
    assert worst.items() == [9, 9, 7]
    assert worst.count == 6
    assert not worst.wants(7)


def test_ties_keep_the_first() -> None:
    worst: Worst[str] = Worst(2)
    for name in "abc":
        worst.add(1.0, name)
    assert worst.items() == ["a", "b"]
