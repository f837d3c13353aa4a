# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Order of findings, facts that are missing, and facts that a hostile host sends."""

from __future__ import annotations

import copy
import json
import math
import time
from typing import Any

import pytest
from ansible_collections.tcpops.timewait.plugins.plugin_utils._findings.evaluate import RULES, evaluate
from ansible_collections.tcpops.timewait.plugins.plugin_utils._findings.finding import (
    SEVERITIES,
    STATES,
    Finding,
    sort_key,
)
from ansible_collections.tcpops.timewait.plugins.plugin_utils._findings.rule import FACTS_RULE_ID
from ansible_collections.tcpops.timewait.plugins.plugin_utils._findings.thresholds import DEFAULTS
from hypothesis import given, settings
from hypothesis import strategies as st
from support.facts_factory import make_container, make_facts, make_namespace, make_pool, make_sysctls

FIELDS = (
    "id", "severity", "state", "title", "host", "namespace", "subject", "pool", "evidence", "why", "remedy",
    "remedy_note", "reference", "weight",
)


def judge(facts: object) -> list[Finding]:
    return evaluate("web1", facts, DEFAULTS)


def errors(facts: object) -> dict[str, Finding]:
    return {finding.id: finding for finding in judge(facts) if finding.state == "error"}


def busy_facts() -> dict[str, Any]:
    """Facts in which many rules speak, so that changing any of them reaches code."""
    pools = [
        make_pool(used=28000),
        make_pool(used=9000, seconds_to_exhaustion=10, history=[3000] * 60),
        make_pool("inbound", used=28000),
    ]
    values = {
        "ip_local_port_range": "32768 61000", "ip_local_reserved_ports": "33000,34000-34010", "tcp_tw_recycle": 1,
        "tcp_tw_reuse": 1, "tcp_timestamps": 0, "tcp_fin_timeout": 5, "tcp_rfc1337": 1, "tcp_max_orphans": 5,
        "tcp_max_tw_buckets": 1000, "nf_conntrack_tcp_timeout_time_wait": 2,
    }
    listeners = [{"address": "::", "port": 40000}]
    wide = make_namespace(pools, sysctls=make_sysctls(**{**values, "ip_local_port_range": "10240 65534"}))
    container = make_container(pools=pools, sysctls=make_sysctls(**values), listeners=listeners)
    container["counters"]["TCPTimeWaitOverflow"] = 3
    return make_facts(namespaces=[wide, container], unavailable=[{"what": "namespaces", "reason": "needs root"}])


def check_schema(findings: list[Finding]) -> None:
    known = {rule.id for rule in RULES} | {FACTS_RULE_ID}
    for finding in findings:
        shown = finding.as_dict()
        assert tuple(shown) == FIELDS
        assert shown["id"] in known and shown["severity"] in SEVERITIES and shown["state"] in STATES
        assert isinstance(shown["evidence"], list) and shown["evidence"]
        assert all(isinstance(line, str) and len(line) < 2000 for line in shown["evidence"])
        assert math.isfinite(shown["weight"]) and 0 <= shown["weight"] <= 1
        assert shown["remedy"] is None or (isinstance(shown["remedy"], str) and len(shown["remedy"]) < 2500)
        # nothing of a host's that a terminal would act on
        assert json.dumps(shown["evidence"] + [shown["subject"], shown["namespace"]]).find("\\u001b") < 0
        json.dumps(shown, allow_nan=False)
    assert findings == sorted(findings, key=sort_key)


def test_ids_are_unique_and_of_their_family() -> None:
    ids = [rule.id for rule in RULES]
    assert len(ids) == len(set(ids))
    families = {identifier.rsplit("-", 1)[0] for identifier in ids}
    assert families == {"TW-APP", "TW-POOL", "TW-SYS", "TW-KERN", "TW-MEM"}


def test_rules_name_thresholds_that_there_are_and_every_threshold_is_read() -> None:
    assert {name for rule in RULES for name in rule.thresholds} == set(DEFAULTS)


def test_the_worse_rules_of_a_group_come_first() -> None:
    for group in {rule.group for rule in RULES if rule.group}:
        ranks = [SEVERITIES.index(rule.severity) for rule in RULES if rule.group == group]
        assert ranks == sorted(ranks, reverse=True), group


def test_many_rules_speak_in_the_busy_facts() -> None:
    findings = judge(busy_facts())
    check_schema(findings)
    assert len({finding.id for finding in findings if finding.state == "fail"}) >= 13


def test_worst_first_then_weight() -> None:
    pools = [make_pool(used=used, capacity=10000) for used in (5500, 9700, 8100, 9900)]
    findings = judge(make_facts(pools=pools))
    assert [(finding.severity, finding.weight) for finding in findings] == [
        ("CRITICAL", 0.99), ("CRITICAL", 0.97), ("HIGH", 0.81), ("MEDIUM", 0.55), ("INFO", 0.0),
    ]


def test_what_failed_comes_before_what_could_not_be_judged() -> None:
    facts = make_facts(namespaces=[make_namespace([make_pool(used=20000)], sysctls=make_sysctls(tcp_tw_recycle=...))])
    assert [finding.state for finding in judge(facts)] == ["fail", "fail", "error"]


@pytest.mark.parametrize(
    "facts",
    [
        None, 7, "text", [], {}, {"schema": None}, {"schema": 2}, {"schema": "1"}, {"schema": True},
        {"schema": 10**5000}, {"schema": [[]]}, {"schema": float("nan")}, {"schema": 1},
        make_facts() | {"namespaces": []},
        make_facts() | {"namespaces": {}}, make_facts() | {"schema": 2},
    ],
    ids=lambda facts: repr(facts)[:30] if not isinstance(facts, dict) or len(facts) != 1 else None,
)
def test_unusable_facts_are_one_error(facts: object) -> None:
    [finding] = judge(facts)
    check_schema([finding])
    assert (finding.id, finding.state) == ("TW-FACTS-001", "error")


PARTS = {
    "pools": {"TW-APP-001", *(f"TW-POOL-00{number}" for number in range(1, 7)), "TW-SYS-007"},
    "totals": {"TW-POOL-006", "TW-SYS-003", "TW-SYS-007"},
    "counters": {"TW-KERN-002", "TW-SYS-006"},
    "listeners": {"TW-KERN-003", "TW-SYS-005"},
}


@pytest.mark.parametrize("part", sorted(PARTS))
@pytest.mark.parametrize("value", [..., None, 7, "text"], ids=str)
def test_a_missing_part_is_an_error_of_the_rules_that_need_it(part: str, value: object) -> None:
    namespace = make_namespace() | {part: value}
    if value is ...:
        del namespace[part]
    facts = make_facts(namespaces=[namespace])
    found = errors(facts)
    assert set(found) == PARTS[part]
    assert all(part in found[rule].evidence[0] for rule in found)


@pytest.mark.parametrize("value", [..., "text", [], 1.5, True, 2**70], ids=str)
def test_a_missing_sysctl_is_an_error_of_the_rules_that_read_it(value: object) -> None:
    assert set(errors(make_facts(sysctls={"tcp_tw_recycle": value}))) == {"TW-SYS-001"}


@pytest.mark.parametrize("value", ["1-2-3", "70000", "x", "0-65535," * 30000, {}], ids=lambda value: str(value)[:9])
def test_unreadable_reserved_ports_are_an_error(value: object) -> None:
    started = time.monotonic()
    assert set(errors(make_facts(sysctls={"ip_local_reserved_ports": value}))) == {"TW-SYS-005"}
    assert time.monotonic() - started < 2


def test_missing_memory_is_an_error() -> None:
    facts = make_facts()
    del facts["memory"]
    assert set(errors(facts)) == {"TW-KERN-005", "TW-MEM-001"}


CAPABILITY_RULES = {"TW-KERN-001", "TW-KERN-002", "TW-KERN-003", "TW-KERN-004"}


def test_documents_from_before_there_were_capabilities_are_judged_without_them() -> None:
    facts = make_facts(gather_subset=["census", "counters", "listeners", "memory", "namespaces", "sysctls"])
    del facts["kernel"]["capabilities"]
    assert judge(facts) == []


@pytest.mark.parametrize("value", [None, 7, "text", []], ids=str)
def test_capabilities_that_were_asked_for_and_are_missing_are_an_error(value: object) -> None:
    facts = make_facts(unavailable=[{"what": "kernel", "reason": "not to be had"}])
    facts["kernel"]["capabilities"] = value
    found = errors(facts)
    assert set(found) == CAPABILITY_RULES
    assert {tuple(finding.evidence) for finding in found.values()} == {("host: kernel: not to be had",)}


@pytest.mark.parametrize("value", [None, 7, "yes", [], {}, {"available": "yes"}, {"available": 1}], ids=str)
def test_a_capability_that_is_none_is_taken_for_unknown(value: object) -> None:
    facts = make_facts()
    facts["kernel"]["capabilities"] = dict.fromkeys(facts["kernel"]["capabilities"], value)
    assert judge(facts) == []


def listened(part: object, **overrides: Any) -> dict[str, Any]:
    return make_facts(gather_subset=["census", "connect_failures"], connect_failures=part, **overrides)


def test_failed_connections_that_could_not_be_heard_are_an_error_with_the_reason() -> None:
    facts = listened(None, unavailable=[{"what": "connect_failures", "reason": "run as root"}])
    assert errors(facts)["TW-POOL-007"].evidence == ["host: connect_failures: run as root"]


HEARD = {"seconds": 1, "total": 1, "lost": 0, "destinations": [{"address": "10.0.0.2", "port": 80, "count": 1}]}


@pytest.mark.parametrize(
    "part",
    [
        7, [], {}, {**HEARD, "total": -1}, {**HEARD, "seconds": "1"}, {**HEARD, "lost": None},
        {**HEARD, "destinations": {}}, {**HEARD, "destinations": [7]},
        {**HEARD, "destinations": [{"address": ["10.0.0.2"], "port": 80, "count": 1}]},
        {**HEARD, "destinations": [{"address": "10.0.0.2", "port": 70000, "count": 1}]},
        {**HEARD, "destinations": [{"address": "10.0.0.2", "port": 80, "count": "1"}]},
    ],
    ids=str,
)
def test_failed_connections_that_are_not_as_the_schema_says_are_an_error(part: object) -> None:
    assert set(errors(listened(part))) == {"TW-POOL-007"}


def test_the_address_of_a_failed_connection_cannot_act_on_a_terminal() -> None:
    facts = listened({**HEARD, "destinations": [{"address": "10.0.0.2\x1b[2J", "port": 80, "count": 1}]})
    (finding,) = [one for one in judge(facts) if one.id == "TW-POOL-007"]
    assert "\x1b" not in finding.subject + "".join(finding.evidence)


def test_the_reason_is_the_one_that_the_host_gave() -> None:
    facts = make_facts(unavailable=[{"what": "census", "reason": "EPERM from netlink"}])
    del facts["namespaces"][0]["pools"]
    assert errors(facts)["TW-POOL-003"].evidence == ["host: census: EPERM from netlink"]


def test_the_reason_of_another_namespace_is_not_borrowed() -> None:
    unavailable = [
        {"what": "census", "reason": "that of the host"},
        {"what": "namespace c1: census", "reason": "that of the container"},
    ]
    container = make_container("c1")
    del container["pools"]
    facts = make_facts(namespaces=[make_namespace(), container], unavailable=unavailable)
    assert errors(facts)["TW-POOL-003"].evidence == ["c1: namespace c1: census: that of the container"]


@pytest.mark.parametrize("what", ["namespaces", "namespace c1"])
def test_hidden_namespaces_are_told_by_the_rule_that_compares_them(what: str) -> None:
    facts = make_facts(unavailable=[{"what": what, "reason": "needs root"}])
    found = errors(facts)
    assert set(found) == {"TW-POOL-006"}
    assert found["TW-POOL-006"].evidence == [f"{what}: needs root"]


def test_pools_that_cannot_be_read_are_told_and_the_others_judged() -> None:
    facts = make_facts(pools=[make_pool(used=28000), make_pool(capacity=None)])
    findings = judge(facts)
    assert findings[0].id == "TW-POOL-003"
    found = errors(facts)
    # not the inbound one
    assert set(found) == {"TW-APP-001", "TW-POOL-001", "TW-POOL-002", "TW-POOL-003", "TW-POOL-004"}
    assert "1 outbound pools" in found["TW-POOL-001"].evidence[0]


@pytest.mark.parametrize("field", ["direction", "used", "time_wait", "reusable", "capacity", "seconds_to_exhaustion"])
@pytest.mark.parametrize(
    "value", [..., -1, math.nan, math.inf, True, "7", [], {}, 2**64, 10**5000],
    ids=lambda value: repr(value)[:9] if not isinstance(value, int) else hex(value)[:9],
)
def test_a_pool_with_a_wrong_field_is_not_judged(field: str, value: object) -> None:
    one = make_pool(used=28000)
    one[field] = value
    if value is ...:
        del one[field]
    namespace = make_namespace([make_pool()])
    namespace["pools"] = [one]
    facts = make_facts(namespaces=[namespace])
    assert "TW-POOL-003" in errors(facts)
    assert not [finding for finding in judge(facts) if finding.pool]


def test_texts_of_a_host_cannot_reach_the_terminal() -> None:
    one = make_pool(used=28000, remote_address="\x1b]0;owned\x07" + "x" * 10**6)
    facts = make_facts(namespaces=[make_namespace([one], label="web\x1b[2J\u202e\n")])
    check_schema(judge(facts))
    assert judge(facts)[0].namespace == "web?[2J??"


def test_a_pool_in_a_finding_has_the_fields_of_the_schema_only() -> None:
    one = make_pool(used=28000)
    facts = make_facts(pools=[{**one, "surprise": "x" * 10**6, "utilisation": math.nan, "history": ["x"] * 60}])
    shown = judge(facts)[0].pool
    assert shown is not None
    assert set(shown) == set(one)
    assert (shown["utilisation"], shown["history"]) == (None, [])


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
    | st.sampled_from([10**400, -1, 2**63, "9" * 6000, "\ud800", "0-65535", "32768 60999", math.nan, math.inf]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


def places(value: object, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in the facts, histories by their first and last second."""
    found = [path] if path else []
    if isinstance(value, dict):
        for key, inner in value.items():
            found += places(inner, (*path, key))
    elif isinstance(value, list):
        for index in range(len(value)) if len(value) < 60 else (0, len(value) - 1):
            found += places(value[index], (*path, index))
    return found


BUSY = busy_facts()
PLACES = places(BUSY)


def changed(path: tuple[Any, ...], value: object) -> dict[str, Any]:
    facts: Any = copy.deepcopy(BUSY)
    holder = facts
    for key in path[:-1]:
        holder = holder[key]
    holder[path[-1]] = value
    return facts  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    "value",
    [None, True, -1, 0, 2**63, 10**400, math.nan, math.inf, "", "\ud800", "9" * 6000, [], [None], {}, {"a": []}],
    ids=lambda value: repr(value)[:9] if not isinstance(value, int) else hex(value)[:9],
)
def test_any_value_in_any_place_is_survived(value: object) -> None:
    for path in PLACES:
        check_schema(judge(changed(path, value)))


@settings(max_examples=400, derandomize=True, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(PLACES), json_values), min_size=1, max_size=4))
def test_garbage_in_several_places_is_survived(changes: list[tuple[tuple[Any, ...], object]]) -> None:
    facts: Any = copy.deepcopy(BUSY)
    for path, value in changes:
        holder = facts
        try:
            for key in path[:-1]:
                holder = holder[key]
            holder[path[-1]] = copy.deepcopy(value)
        except (KeyError, IndexError, TypeError):
            continue  # an earlier change took the place away
    check_schema(judge(facts))


@settings(max_examples=200, derandomize=True, deadline=None)
@given(json_values)
def test_garbage_for_facts_is_survived(facts: object) -> None:
    check_schema(judge(facts))


def test_the_facts_are_left_as_they_are() -> None:
    facts = copy.deepcopy(BUSY)
    judge(facts)
    assert facts == BUSY


def test_many_namespaces_take_time_in_proportion() -> None:
    containers = [make_container(f"c{number}", number, pools=[make_pool()] * 20) for number in range(300)]
    facts = make_facts(namespaces=[make_namespace(), *containers])
    started = time.monotonic()
    check_schema(judge(facts))
    assert time.monotonic() - started < 2


def test_the_range_is_read_from_the_sysctl_where_the_census_is_missing() -> None:
    namespace = make_namespace(sysctls=make_sysctls(ip_local_port_range="32768 61000"))
    del namespace["port_range"]
    assert [finding.id for finding in judge(make_facts(namespaces=[namespace]))] == ["TW-SYS-004"]


def test_numbers_of_a_type_of_their_own_are_numbers() -> None:
    class Tagged(int):
        """As ansible-core 2.19 has them."""

    one = make_pool(used=Tagged(28000), history=[Tagged(1)] * 60)
    shown = judge(make_facts(pools=[one]))[0].pool
    assert shown is not None
    assert shown["history"] == [1] * 60


@pytest.mark.parametrize("history", [None, [1] * 59, [1] * 59 + [-1], [1] * 59 + [2**64], ["1"] * 60, [True] * 60])
def test_a_history_that_is_none_is_empty(history: object) -> None:
    one = {**make_pool(used=28000), "history": history}
    shown = judge(make_facts(pools=[one]))[0].pool
    assert shown is not None
    assert shown["history"] == []


@pytest.mark.parametrize("direction, assumed", [("outbound", False), ("inbound", True)])
def test_a_pool_in_a_finding_says_whether_its_capacity_is_assumed(direction: str, assumed: bool) -> None:
    shown = judge(make_facts(pools=[make_pool(direction, used=28000)]))[0].pool
    assert shown is not None
    assert shown["capacity_assumed"] is assumed
