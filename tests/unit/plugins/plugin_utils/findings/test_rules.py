# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each rule with facts in which it speaks and facts, changed as little as possible, in which it must not."""

from __future__ import annotations

import shlex
from typing import Any, NamedTuple

import pytest
from ansible_collections.tcpops.timewait.plugins.plugin_utils._findings.evaluate import RULES, evaluate
from ansible_collections.tcpops.timewait.plugins.plugin_utils._findings.finding import SEVERITIES, Finding
from ansible_collections.tcpops.timewait.plugins.plugin_utils._findings.thresholds import DEFAULTS
from support.facts_factory import (
    make_container,
    make_facts,
    make_line,
    make_namespace,
    make_persisted,
    make_pool,
    make_sysctls,
)


class Case(NamedTuple):
    rule: str
    name: str
    facts: dict[str, Any]


def pool(**fields: Any) -> dict[str, Any]:
    return make_facts(pools=[make_pool(**{"capacity": 10000, **fields})])


def sysctls(**values: Any) -> dict[str, Any]:
    return make_facts(sysctls=values)


def wide_host_with(**container: Any) -> dict[str, Any]:
    wide = make_namespace(sysctls=make_sysctls(ip_local_port_range="10240 65535"))
    return make_facts(namespaces=[wide, make_container(**container)])


def buckets(counters: dict[str, Any] | None = None, pools: list[Any] | None = None, **values: Any) -> dict[str, Any]:
    first = make_namespace(pools, sysctls=make_sysctls(**values))
    first["counters"].update(counters or {})
    return make_facts(namespaces=[first])


def crowd(time_wait: int) -> dict[str, Any]:
    """A server of so many clients that none of its pools is among the top ones; the limit is the default, 131072."""
    totals = {
        "outbound": {"pools": 0, "used": 0, "time_wait": 0},
        "inbound": {"pools": time_wait, "used": time_wait, "time_wait": time_wait},
    }
    return make_facts(namespaces=[make_namespace(totals=totals)])


def listening(*ports: int, **values: Any) -> dict[str, Any]:
    listeners = [{"address": "0.0.0.0", "port": port} for port in ports]
    return make_facts(namespaces=[make_namespace(sysctls=make_sysctls(**values), listeners=listeners)])


def kernel(namespace: dict[str, Any] | None = None, **capabilities: Any) -> dict[str, Any]:
    first = make_namespace()
    first["counters"]["PAWSTimewait"] = 0
    for part, value in (namespace or {}).items():
        first[part] = {**first[part], **value} if isinstance(value, dict) else value
    return make_facts(namespaces=[first], capabilities=capabilities)


REFUSED = {"counters": {"PAWSTimewait": 3}}
STUCK = {"connect_bucket_recovery": (False, None)}


def failing(pools: list[Any] | None = None, **fields: Any) -> dict[str, Any]:
    part = {
        "seconds": 10.0,
        "total": 3,
        "lost": 0,
        "destinations": [{"address": "10.0.0.2", "port": 80, "count": 3}],
        "destinations_omitted": {"count": 0, "failures": 0},
        **fields,
    }
    return make_facts(pools=pools or [], connect_failures=part)


NO_KEEPALIVE = {
    "server": "nginx",
    "path": "/etc/nginx/conf.d/app.conf",
    "line": 12,
    "backend": "app",
    "reason": "no-keepalive",
    "change": "keepalive 32;",
    "destinations": [{"address": "10.0.0.2", "port": 80}],
}
TWO_SERVERS = [{"address": "10.0.0.1", "port": 80}, {"address": "10.0.0.2", "port": 80}]
NEVER = {**NO_KEEPALIVE, "server": "haproxy", "path": "/etc/haproxy/haproxy.cfg", "reason": "never", "change": ""}


def anew(*lines: dict[str, Any], namespaces: list[Any] | None = None, **fields: Any) -> dict[str, Any]:
    where = {"namespaces": namespaces} if namespaces else {"pools": [make_pool(**{"capacity": 10000, **fields})]}
    return make_facts(connection_reuse=list(lines), **where)


def held(ports: str) -> dict[str, Any]:
    return {"held_ports": ports, "listeners": [{"address": "::", "port": 40000}]}


def table(time_wait: int, **container: Any) -> dict[str, Any]:
    """A table of 262144 buckets, and a container beside it."""
    container_sysctls = make_sysctls(**{"tcp_ehash_entries": -262144, **container})
    half = [make_pool(used=time_wait // 2, capacity=2**30)]
    return make_facts(namespaces=[make_namespace(half), make_container(pools=half, sysctls=container_sysctls)])


def burst(per_second: int) -> list[int]:
    return [0] * 30 + [per_second] * 10 + [0] * 20


OUR_FILE = "/etc/sysctl.d/zz-tcpops-timewait.conf"
RECYCLE = make_line("/etc/sysctl.conf", "1", key="net.ipv4.tcp_tw_recycle")
TWO_LOADERS = [make_line("/etc/sysctl.d/a.conf", "1"), make_line("/etc/sysctl.conf", "2", loader="procps")]
BEATEN = [
    make_line(OUR_FILE, "1", False, loader="procps"),
    make_line("/etc/sysctl.conf", "0", loader="procps", line=7),
]


def persisted(lines: list[Any], running: object = 1, scripts: list[Any] | None = None, **key: Any) -> dict[str, Any]:
    return make_facts(**make_persisted(lines, running, scripts, **key))


FIRING = [
    Case("TW-APP-001", "nginx, at half", anew(NO_KEEPALIVE, used=5000)),
    Case("TW-APP-001", "HAProxy, exhausted", anew(NEVER, used=10000)),
    Case("TW-APP-001", "one of several servers", anew({**NEVER, "destinations": TWO_SERVERS}, used=5000)),
    Case("TW-APP-002", "no pool at all", make_facts(connection_reuse=[NO_KEEPALIVE])),
    Case("TW-APP-002", "names are not resolved", anew({**NO_KEEPALIVE, "destinations": []}, used=5000)),
    Case("TW-APP-003", "no pool at all", make_facts(connection_reuse=[NO_KEEPALIVE, NEVER])),
    Case("TW-POOL-001", "at half", pool(used=5000)),
    Case("TW-POOL-001", "a small pool counts like a large one", pool(used=2, capacity=4)),
    Case("TW-POOL-001", "reusable leaves half", pool(used=10000, reusable=5000)),
    Case("TW-POOL-001", "just below high", pool(used=7999)),
    Case("TW-POOL-002", "at 80 %", pool(used=8000)),
    Case("TW-POOL-002", "just below critical", pool(used=9499)),
    Case("TW-POOL-003", "at 95 %", pool(used=9500)),
    Case("TW-POOL-003", "more held than there are ports to choose", pool(used=12000)),
    Case("TW-POOL-003", "no port to choose at all", pool(used=1, capacity=0)),
    Case("TW-POOL-004", "soon", pool(used=2000, seconds_to_exhaustion=40)),
    Case("TW-POOL-004", "just before the threshold", pool(used=2000, seconds_to_exhaustion=299.9)),
    Case("TW-POOL-004", "half of TIME-WAIT reusable", pool(used=2000, reusable=1000, seconds_to_exhaustion=40)),
    Case("TW-POOL-005", "at 80 %", pool(direction="inbound", used=8000)),
    Case("TW-POOL-006", "container at the default", wide_host_with(pools=[make_pool()])),
    Case("TW-POOL-007", "three", failing()),
    Case("TW-POOL-007", "one to somewhere", failing(total=1, destinations=[])),
    Case("TW-SYS-001", "on", sysctls(tcp_tw_recycle=1)),
    Case("TW-SYS-002", "reuse 1", sysctls(tcp_tw_reuse=1, tcp_timestamps=0)),
    Case("TW-SYS-002", "reuse 2", sysctls(tcp_tw_reuse=2, tcp_timestamps=0)),
    Case("TW-SYS-003", "only inbound", make_facts(sysctls={"tcp_tw_reuse": 1}, pools=[make_pool("inbound")])),
    Case("TW-SYS-004", "both even", sysctls(ip_local_port_range="32768 61000")),
    Case("TW-SYS-004", "both odd up to the last port", sysctls(ip_local_port_range="1025 65535")),
    Case("TW-SYS-005", "at the low end", listening(32768)),
    Case("TW-SYS-005", "at the high end", listening(60999)),
    Case("TW-SYS-005", "another one reserved", listening(50000, ip_local_reserved_ports="50001-50010")),
    Case("TW-SYS-006", "one", buckets({"TCPTimeWaitOverflow": 1})),
    Case("TW-SYS-007", "burst", buckets(pools=[make_pool(history=burst(1748))])),
    Case("TW-SYS-007", "many small pools that do not travel", crowd(104858)),
    Case("TW-SYS-008", "one less", sysctls(tcp_max_tw_buckets=131071)),
    Case("TW-SYS-009", "lowered", sysctls(tcp_fin_timeout=15)),
    Case("TW-SYS-009", "raised", sysctls(tcp_fin_timeout=120)),
    Case("TW-SYS-010", "on", sysctls(tcp_rfc1337=1)),
    Case("TW-SYS-011", "off, and no reuse", sysctls(tcp_timestamps=0, tcp_tw_reuse=0)),
    Case("TW-SYS-012", "lowered", sysctls(nf_conntrack_tcp_timeout_time_wait=30)),
    Case("TW-SYS-013", "raised", sysctls(tcp_max_orphans=262144)),
    Case("TW-SYS-014", "a line that wins", persisted([RECYCLE], 0)),
    Case("TW-SYS-014", "a line that loses", persisted([{**RECYCLE, "wins": False}], 0)),
    Case("TW-SYS-014", "a value that is none", persisted([{**RECYCLE, "value": ""}], 0)),
    Case("TW-SYS-014", "a script", persisted([], 0, [{**RECYCLE, "value": None}])),
    Case("TW-SYS-015", "a line that sets it", persisted([RECYCLE], None)),
    Case("TW-SYS-015", "also to 0", persisted([{**RECYCLE, "value": "0"}], None)),
    Case("TW-SYS-016", "another value", persisted([make_line("/etc/sysctl.d/a.conf", "1")], 2, drift=True)),
    Case("TW-SYS-017", "two values", persisted([*TWO_LOADERS], 1, agree=False)),
    Case("TW-SYS-018", "under one loader", persisted([make_line(OUR_FILE, "1"), *BEATEN])),
    Case("TW-SYS-018", "no line wins", persisted([BEATEN[0]])),
    Case("TW-KERN-001", "off", kernel(tw_recycle=(True, {"setting": 0, "works": None}))),
    Case("TW-KERN-001", "value unreadable", kernel(tw_recycle=(True, [1]))),
    Case("TW-KERN-002", "one", kernel(REFUSED)),
    Case("TW-KERN-003", "one beyond the listener", kernel(held("40000-40001"), **STUCK)),
    Case("TW-KERN-004", "no", kernel(bind_address_no_port=(False, None))),
    Case("TW-KERN-005", "four in a bucket, two namespaces", table(4 * 262144)),
    Case("TW-MEM-001", "one", pool(used=1)),
]

SILENT = [
    Case("TW-APP-001", "just below half", anew(NO_KEEPALIVE, used=4999)),
    Case("TW-APP-001", "another port", anew(NO_KEEPALIVE, used=5000, remote_port=81)),
    Case("TW-APP-001", "another address", anew(NO_KEEPALIVE, used=5000, remote_address="10.0.0.3")),
    Case("TW-APP-001", "names are not resolved", anew({**NO_KEEPALIVE, "destinations": []}, used=5000)),
    Case("TW-APP-001", "inbound", anew(NO_KEEPALIVE, direction="inbound", used=5000)),
    Case("TW-APP-001", "a container's pool", anew(
        NO_KEEPALIVE, namespaces=[make_namespace(), make_container(pools=[make_pool(used=28000)])]
    )),
    Case("TW-APP-001", "nothing found", pool(used=5000)),
    Case("TW-APP-002", "nothing found", anew()),
    Case("TW-APP-002", "HAProxy's", anew(NEVER)),
    Case("TW-APP-002", "no line", anew({**NO_KEEPALIVE, "line": None}, {**NO_KEEPALIVE, "path": 7})),
    Case("TW-APP-003", "nothing found", anew()),
    Case("TW-APP-003", "nginx's", anew(NO_KEEPALIVE)),
    Case("TW-POOL-001", "just below half", pool(used=4999)),
    Case("TW-POOL-001", "high speaks instead", pool(used=8000)),
    Case("TW-POOL-001", "reusable leaves less than half", pool(used=10000, reusable=5001)),
    Case("TW-POOL-001", "inbound", pool(direction="inbound", used=5000)),
    Case("TW-POOL-001", "a million spread out", make_facts(pools=[make_pool(used=11000) for _pool in range(100)])),
    Case("TW-POOL-002", "just below", pool(used=7999)),
    Case("TW-POOL-002", "critical speaks instead", pool(used=9500)),
    Case("TW-POOL-003", "just below", pool(used=9499)),
    Case("TW-POOL-003", "full of reusable", pool(used=10000, reusable=9800)),
    Case("TW-POOL-003", "nothing held, nothing to choose", pool(used=0, capacity=0)),
    Case("TW-POOL-004", "never", pool(used=2000)),
    Case("TW-POOL-004", "at the threshold", pool(used=2000, seconds_to_exhaustion=300)),
    Case("TW-POOL-004", "exhausted already", pool(used=9500, seconds_to_exhaustion=1)),
    Case("TW-POOL-004", "most is reusable", pool(used=2000, reusable=1001, seconds_to_exhaustion=40)),
    Case("TW-POOL-005", "just below", pool(direction="inbound", used=7999)),
    Case("TW-POOL-005", "outbound", pool(used=9000)),
    Case("TW-POOL-005", "nothing assumed", pool(direction="inbound", used=1, capacity=0)),
    Case("TW-POOL-006", "no outbound pool", wide_host_with(pools=[make_pool("inbound")])),
    Case(
        "TW-POOL-006", "the same range",
        make_facts(namespaces=[make_namespace(), make_container(pools=[make_pool()])]),
    ),
    Case("TW-POOL-007", "none failed", failing(total=0, destinations=[])),
    Case("TW-POOL-007", "nobody listened", make_facts()),
    Case("TW-SYS-001", "off", sysctls(tcp_tw_recycle=0)),
    Case("TW-SYS-001", "gone", sysctls(tcp_tw_recycle=None)),
    Case("TW-SYS-002", "timestamps on", sysctls(tcp_tw_reuse=1, tcp_timestamps=1)),
    Case("TW-SYS-002", "timestamps without offset", sysctls(tcp_tw_reuse=1, tcp_timestamps=2)),
    Case("TW-SYS-002", "reuse off", sysctls(tcp_tw_reuse=0, tcp_timestamps=0)),
    Case("TW-SYS-003", "outbound", make_facts(sysctls={"tcp_tw_reuse": 1}, pools=[make_pool()])),
    Case("TW-SYS-003", "loopback only", make_facts(sysctls={"tcp_tw_reuse": 2}, pools=[make_pool("inbound")])),
    Case("TW-SYS-004", "default", sysctls()),
    Case("TW-SYS-004", "one port", sysctls(ip_local_port_range="40000 40000")),
    Case("TW-SYS-005", "just outside", listening(32767, 61000)),
    Case("TW-SYS-005", "reserved", listening(50000, ip_local_reserved_ports="50000")),
    Case("TW-SYS-005", "reserved, shown as a number", listening(50000, ip_local_reserved_ports=50000)),
    Case("TW-SYS-005", "no such key", listening(50000, ip_local_reserved_ports=None)),
    Case("TW-SYS-006", "none", buckets({"TCPTimeWaitOverflow": 0})),
    Case("TW-SYS-007", "a little less", buckets(pools=[make_pool(history=burst(1747))])),
    Case("TW-SYS-007", "one less in small pools", crowd(104857)),
    Case("TW-SYS-007", "overflow speaks instead",
         buckets({"TCPTimeWaitOverflow": 1}, [make_pool(history=burst(1748))])),
    Case("TW-SYS-008", "default", sysctls()),
    Case("TW-SYS-008", "raised", sysctls(tcp_max_tw_buckets=262144)),
    Case("TW-SYS-008", "default unknown", sysctls(tcp_max_tw_buckets=5, tcp_ehash_entries=None)),
    Case("TW-SYS-008", "shared table", sysctls(tcp_ehash_entries=-262144)),
    Case("TW-SYS-009", "default", sysctls()),
    Case("TW-SYS-010", "off", sysctls()),
    Case("TW-SYS-011", "on", sysctls(tcp_timestamps=1, tcp_tw_reuse=0)),
    Case("TW-SYS-011", "said by reuse", sysctls(tcp_timestamps=0, tcp_tw_reuse=1)),
    Case("TW-SYS-012", "default", sysctls(nf_conntrack_tcp_timeout_time_wait=120)),
    Case("TW-SYS-012", "not loaded", sysctls(nf_conntrack_tcp_timeout_time_wait=None)),
    Case("TW-SYS-013", "default", sysctls()),
    Case("TW-SYS-013", "default unknown", sysctls(tcp_max_orphans=5, tcp_ehash_entries=None)),
    Case("TW-SYS-014", "set to 0", persisted([{**RECYCLE, "value": "0"}], 0)),
    Case("TW-SYS-014", "only kept out of a pattern", persisted([{**RECYCLE, "value": None, "wins": False}], 0)),
    Case("TW-SYS-014", "the kernel does not have it", persisted([RECYCLE], None)),
    Case("TW-SYS-014", "whether the kernel has it is not known", persisted([RECYCLE], None, in_kernel=None)),
    Case("TW-SYS-015", "the kernel has it", persisted([RECYCLE], 0)),
    Case("TW-SYS-015", "no line", persisted([make_line("/etc/sysctl.d/a.conf", "1")], None)),
    Case("TW-SYS-016", "the same", persisted([make_line("/etc/sysctl.d/a.conf", "1")], 1)),
    Case("TW-SYS-016", "cannot tell", persisted([make_line("/etc/sysctl.d/a.conf", "1")], 2, drift=None)),
    Case("TW-SYS-017", "the same", persisted([*TWO_LOADERS])),
    Case("TW-SYS-017", "cannot tell", persisted([*TWO_LOADERS], agree=None)),
    Case("TW-SYS-018", "ours wins", persisted([make_line("/etc/sysctl.d/a", "0", False), make_line(OUR_FILE, "1")])),
    Case("TW-SYS-018", "only others", persisted([BEATEN[1]])),
    Case("TW-SYS-018", "ours beats an older one of ours", persisted(
        [make_line(OUR_FILE, "1", False), make_line("/etc/sysctl.d/zzz-tcpops-timewait.conf", "1")]
    )),
    Case("TW-KERN-001", "gone", kernel(tw_recycle=(False, None))),
    Case("TW-KERN-001", "cannot tell", kernel(tw_recycle=(None, None))),
    Case("TW-KERN-002", "none", kernel()),
    Case("TW-KERN-002", "offset by pair of hosts", kernel(REFUSED, timestamp_offset=(True, "per_host_pair"))),
    Case("TW-KERN-002", "offset cannot be told", kernel(REFUSED, timestamp_offset=(None, None))),
    Case("TW-KERN-003", "recovers", kernel(held("40000-40001"))),
    Case("TW-KERN-003", "cannot tell", kernel(held("40000-40001"), connect_bucket_recovery=(None, None))),
    Case("TW-KERN-003", "only listeners", kernel(held("40000"), **STUCK)),
    Case("TW-KERN-003", "unreadable", kernel(held("40001-x"), **STUCK)),
    Case("TW-KERN-004", "yes", kernel()),
    Case("TW-KERN-004", "cannot tell", kernel(bind_address_no_port=(None, None))),
    Case("TW-KERN-005", "two less", table(4 * 262144 - 2)),
    Case("TW-KERN-005", "a table of the container's own", table(4 * 262144, tcp_ehash_entries=1024)),
    Case("TW-MEM-001", "no TIME-WAIT", make_facts()),
]


def label(case: Case) -> str:
    return f"{case.rule} {case.name}"


def judge(facts: object) -> list[Finding]:
    return evaluate("web1", facts, DEFAULTS)


def only(facts: object, rule: str) -> Finding:
    found = [finding for finding in judge(facts) if finding.id == rule]
    assert len(found) == 1, judge(facts)
    return found[0]


@pytest.mark.parametrize("case", FIRING, ids=label)
def test_fires(case: Case) -> None:
    finding = only(case.facts, case.rule)
    assert finding.state == "fail"
    assert finding.severity in SEVERITIES
    assert finding.host == "web1"
    assert finding.title and finding.why and finding.reference and finding.subject and finding.evidence
    assert 0 <= finding.weight <= 1


@pytest.mark.parametrize("case", SILENT, ids=label)
def test_is_silent(case: Case) -> None:
    assert [finding for finding in judge(case.facts) if finding.id == case.rule] == []


@pytest.mark.parametrize("cases", [FIRING, SILENT], ids=["firing", "silent"])
def test_every_rule_has_a_case(cases: list[Case]) -> None:
    assert {case.rule for case in cases} == {rule.id for rule in RULES}


def test_failed_connections_tell_where_to_and_widen_the_range_of_the_pool_that_is_full() -> None:
    destinations = [{"address": "10.0.0.2", "port": 80, "count": 2}, {"address": "fd00::2", "port": 443, "count": 3}]
    full = make_pool(remote_address="10.0.0.2", remote_port=80, used=28232)
    pools = [full, make_pool(remote_port=81)]
    finding = only(failing(pools, total=9, lost=4, destinations=destinations), "TW-POOL-007")
    assert (finding.severity, finding.subject, finding.namespace) == ("CRITICAL", "[fd00::2]:443", None)
    assert finding.evidence[:6] == [
        "9 connects failed in 10 s, in all namespaces of the host",
        "3 of them to [fd00::2]:443",
        "2 of them to 10.0.0.2:80",
        "4 of them to other destinations",
        "4 more came too fast to be read",
        f"fullest outbound pool to there: {full['local_address']} -> 10.0.0.2:80, in namespace host",
    ]
    assert finding.remedy and "ip_local_port_range" in finding.remedy


def test_failed_connections_to_where_no_pool_is_known_give_no_command() -> None:
    finding = only(failing([make_pool(remote_address="10.0.0.9")]), "TW-POOL-007")
    assert finding.remedy is None
    assert finding.remedy_note and "ip_local_port_range" in finding.remedy_note


def test_a_healthy_host_has_no_findings() -> None:
    assert judge(make_facts()) == []


def test_a_million_harmless_sockets_get_a_clean_bill_with_their_cost() -> None:
    large = {"tcp_ehash_entries": 2**22, "tcp_max_tw_buckets": 2**21, "tcp_max_orphans": 2**21}
    facts = make_facts(sysctls=large, pools=[make_pool("inbound", used=10000) for _pool in range(100)])
    [finding] = judge(facts)
    assert (finding.id, finding.severity) == ("TW-MEM-001", "INFO")
    assert finding.evidence[0] == "1000000 TIME-WAIT sockets: 244.1 MiB"


@pytest.mark.parametrize("used, severity", [(5000, "MEDIUM"), (8000, "HIGH"), (9500, "CRITICAL")])
def test_only_the_worst_of_a_group_speaks(used: int, severity: str) -> None:
    pools = [finding for finding in judge(pool(used=used)) if finding.id.startswith("TW-POOL")]
    assert [finding.severity for finding in pools] == [severity]


def test_what_is_reusable_is_told_with_the_assumption() -> None:
    finding = only(pool(used=10000, reusable=5000), "TW-POOL-001")
    assert finding.weight == 0.5
    assert any("5000 of them are TIME-WAIT that connect() may take over" in line for line in finding.evidence)
    assert any("if those connections used timestamps" in line for line in finding.evidence)


def test_a_full_pool_of_reusable_time_wait_is_no_finding() -> None:
    assert [f.id for f in judge(pool(used=10000, reusable=9900))] == ["TW-MEM-001"]


def test_the_capacity_of_an_inbound_pool_is_called_an_assumption() -> None:
    finding = only(pool(direction="inbound", used=9000), "TW-POOL-005")
    assert finding.subject == "10.0.0.2 -> 10.0.0.1:80"
    assert any("assumption" in line for line in finding.evidence)
    assert finding.remedy is None


def test_widening_reserves_what_listens_in_the_wider_range_and_keeps_what_is_reserved() -> None:
    first = make_namespace(
        [make_pool(used=28000)],
        sysctls=make_sysctls(ip_local_reserved_ports="30000-30002,50000"),
        listeners=[{"address": "0.0.0.0", "port": port} for port in (22, 10239, 10240, 15432, 50000, 50001)],
    )
    remedy = only(make_facts(namespaces=[first]), "TW-POOL-003").remedy
    assert remedy is not None
    assert shlex.split(remedy) == [
        "sysctl",
        "-w",
        "net.ipv4.ip_local_reserved_ports=10240,15432,30000-30002,50000-50001",
        "net.ipv4.ip_local_port_range=10240 65535",
    ]


@pytest.mark.parametrize(
    "present, proposed",
    [
        ("32768 60999", "10240 65535"),
        ("1024 60999", "1024 65535"),
        ("10241 65535", None),  # one port more is not worth it
        ("10240 65535", None),
        ("1024 65535", None),
        ("9001 60000", "9000 65535"),
    ],
)
def test_a_range_is_widened_and_never_narrowed(present: str, proposed: str | None) -> None:
    facts = make_facts(sysctls={"ip_local_port_range": present}, pools=[make_pool(used=28000)])
    remedy = only(facts, "TW-POOL-003").remedy
    assert remedy == (proposed and f"sysctl -w 'net.ipv4.ip_local_port_range={proposed}'")


def test_ports_below_the_unprivileged_ones_are_not_proposed() -> None:
    facts = make_facts(sysctls={"ip_unprivileged_port_start": 20000}, pools=[make_pool(used=28000)])
    assert only(facts, "TW-POOL-003").remedy == "sysctl -w 'net.ipv4.ip_local_port_range=20000 65535'"


@pytest.mark.parametrize("broken", [{"listeners": None}, {"sysctls": make_sysctls(ip_local_reserved_ports=...)}])
def test_no_command_without_knowing_which_ports_to_spare(broken: dict[str, Any]) -> None:
    facts = make_facts(namespaces=[make_namespace([make_pool(used=28000)], **broken)])
    finding = only(facts, "TW-POOL-003")
    assert finding.remedy is None
    assert "no command is proposed" in str(finding.remedy_note)


def test_a_command_too_long_to_copy_is_not_proposed() -> None:
    finding = only(listening(*range(32768, 34768, 2)), "TW-SYS-005")
    assert finding.remedy is None
    assert "too long" in str(finding.remedy_note)
    assert "and 992 more" in finding.evidence[0]


def test_reuse_is_named_last_and_only_where_it_would_act() -> None:
    note = str(only(pool(used=9900), "TW-POOL-003").remedy_note)
    assert note.index("keep-alive") < note.index("more ports on the server") < note.index("tcp_tw_reuse=1")
    silent = make_facts(sysctls={"tcp_tw_reuse": 1}, pools=[make_pool(used=28000)])
    assert "tcp_tw_reuse" not in str(only(silent, "TW-POOL-003").remedy_note)


@pytest.mark.parametrize(
    "present, proposed",
    [
        ("32768 61000", "32768 61001"),
        ("1025 65535", "1024 65535"),
        ("1023 65535", None),
    ],
)
def test_a_range_of_odd_size_gains_a_port(present: str, proposed: str | None) -> None:
    finding = only(sysctls(ip_local_port_range=present), "TW-SYS-004")
    if proposed is None:
        assert finding.remedy is None
    else:
        assert f"'net.ipv4.ip_local_port_range={proposed}'" in str(finding.remedy)


def test_a_remedy_for_another_namespace_enters_it() -> None:
    facts = make_facts(namespaces=[make_namespace(), make_container(sysctls=make_sysctls(tcp_fin_timeout=5))])
    finding = only(facts, "TW-SYS-009")
    assert finding.namespace == "0123456789ab"
    assert finding.remedy == "nsenter --net=/proc/4711/ns/net sysctl -w net.ipv4.tcp_fin_timeout=60"


@pytest.mark.parametrize("path", ["/run/netns/a b;$(reboot)'`x`", '/run/netns/"; rm -rf / #'])
def test_paths_are_quoted_for_the_shell(path: str) -> None:
    container = make_container(path=path, sysctls=make_sysctls(tcp_fin_timeout=5))
    remedy = only(make_facts(namespaces=[make_namespace(), container]), "TW-SYS-009").remedy
    assert shlex.split(str(remedy))[:3] == ["nsenter", f"--net={path}", "sysctl"]


@pytest.mark.parametrize(
    "path", [None, 7, "", "relative", "/a\nreboot", "/a\x1b[2J", "/" + "x" * 5000, "/\u202e", ["/a"]]
)
def test_what_is_no_path_is_in_no_command(path: object) -> None:
    container = make_container(path=path, sysctls=make_sysctls(tcp_fin_timeout=5))
    finding = only(make_facts(namespaces=[make_namespace(), container]), "TW-SYS-009")
    assert finding.remedy is None
    assert "sysctl -w net.ipv4.tcp_fin_timeout=60" in str(finding.remedy_note)


def test_containers_with_the_same_default_share_one_finding() -> None:
    containers = [make_container(f"c{number}", number, pools=[make_pool()]) for number in range(1, 11)]
    containers[4]["pools"] = [make_pool(used=12000)]
    wide = make_namespace(sysctls=make_sysctls(ip_local_port_range="10240 65535"))
    finding = only(make_facts(namespaces=[wide, *containers]), "TW-POOL-006")
    assert finding.namespace == "c5"  # the one with the fullest pool
    assert finding.evidence[-1] == "likewise in c1, c10, c2, c3, c4 and 4 more"
    assert str(finding.remedy).startswith("nsenter --net=/proc/5/ns/net sysctl -w ")
    assert "'net.ipv4.ip_local_port_range=10240 65535'" in str(finding.remedy)


def test_the_host_does_not_share_a_finding_with_its_containers() -> None:
    namespaces = [
        make_namespace(sysctls=make_sysctls(tcp_rfc1337=1)),
        make_container(sysctls=make_sysctls(tcp_rfc1337=1)),
    ]
    found = [finding for finding in judge(make_facts(namespaces=namespaces)) if finding.id == "TW-SYS-010"]
    assert [finding.namespace for finding in found] == ["0123456789ab", "host"]


def test_overflow_is_raised_at_least_to_the_kernels_own_value() -> None:
    finding = only(buckets({"TCPTimeWaitOverflow": 3}, tcp_max_tw_buckets=5), "TW-SYS-006")
    assert finding.remedy == "sysctl -w net.ipv4.tcp_max_tw_buckets=131072"
    finding = only(buckets({"TCPTimeWaitOverflow": 3}), "TW-SYS-006")
    assert finding.remedy == "sysctl -w net.ipv4.tcp_max_tw_buckets=262144"


def test_recycle_shows_what_it_dropped_and_what_holds_it_back() -> None:
    first = make_namespace(sysctls=make_sysctls(tcp_tw_recycle=1, tcp_timestamps=0, tcp_tw_reuse=0))
    first["counters"]["PAWSPassive"] = 12
    evidence = only(make_facts(namespaces=[first]), "TW-SYS-001").evidence
    assert evidence == [
        "net.ipv4.tcp_tw_recycle = 1",
        "PAWSPassive 12: SYNs dropped for their timestamp since the namespace was made",
        "net.ipv4.tcp_timestamps = 0 keeps it from acting as yet",
    ]
    assert len(only(sysctls(tcp_tw_recycle=1), "TW-SYS-001").evidence) == 1


def test_reuse_that_was_set_weighs_more_than_the_default_one() -> None:
    weights = [only(sysctls(tcp_tw_reuse=reuse, tcp_timestamps=0), "TW-SYS-002").weight for reuse in (1, 2)]
    assert weights[0] > weights[1]


def test_the_weight_of_a_forecast_is_the_occupancy() -> None:
    assert only(pool(used=2000, seconds_to_exhaustion=40), "TW-POOL-004").weight == 0.2


def test_the_weight_of_an_inbound_pool_is_its_utilisation() -> None:
    assert only(pool(direction="inbound", used=9000), "TW-POOL-005").weight == 0.9


def test_rates_are_told_where_they_are_known() -> None:
    told = "83 closes/s, sustainable 166.7/s"
    assert told in only(pool(used=5000), "TW-POOL-001").evidence
    for missing in ("close_rate", "sustainable_rate"):
        assert told not in only(pool(used=5000, **{missing: None}), "TW-POOL-001").evidence


def test_the_parity_of_a_range_up_to_the_last_port_is_left_when_there_is_none_below() -> None:
    facts = sysctls(ip_local_port_range="2049 65535", ip_unprivileged_port_start=2049)
    assert only(facts, "TW-SYS-004").remedy is None


def test_a_widened_range_of_odd_size_goes_down_to_the_last_port_allowed() -> None:
    facts = make_facts(sysctls={"ip_local_port_range": "1025 60000"}, pools=[make_pool(used=28000)])
    assert only(facts, "TW-POOL-003").remedy == "sysctl -w 'net.ipv4.ip_local_port_range=1024 65535'"


def test_the_length_of_time_wait_is_the_hosts() -> None:
    facts = buckets(pools=[make_pool(history=burst(1747))])
    facts["kernel"]["timewait_seconds"] = 61
    finding = only(facts, "TW-SYS-007")
    assert finding.evidence[1:] == [
        "1747 closes/s in the busiest 10 s of the last minute, in the pools of the facts alone",
        "that makes 106567 entries if it goes on for the 61 s of TIME-WAIT",
    ]
    assert finding.remedy == "sysctl -w net.ipv4.tcp_max_tw_buckets=262144"


def test_the_busiest_seconds_are_those_of_all_pools_together() -> None:
    pools = [make_pool(history=burst(874), remote_port=port) for port in (80, 81)]
    assert only(buckets(pools=pools), "TW-SYS-007").evidence[1].startswith("1748 closes/s")
    apart = [make_pool(history=burst(874)), make_pool(history=burst(874)[::-1])]
    apart[1]["history"] = [874] * 10 + [0] * 50
    assert "TW-SYS-007" not in {finding.id for finding in judge(buckets(pools=apart))}


def test_the_last_ten_seconds_count_too() -> None:
    facts = buckets(pools=[make_pool(history=[0] * 50 + [1748] * 10)])
    assert only(facts, "TW-SYS-007").weight == pytest.approx(0.8, abs=0.001)


def test_overflow_weighs_what_was_skipped() -> None:
    assert only(buckets({"TCPTimeWaitOverflow": 1, "TW": 3}), "TW-SYS-006").weight == 0.25


def test_lowered_buckets_weigh_what_was_taken_away() -> None:
    assert only(sysctls(tcp_max_tw_buckets=32768), "TW-SYS-008").weight == 0.75


@pytest.mark.parametrize("source, words", [("slab", "slabs"), ("estimate", "estimate")])
def test_sizes_that_are_estimates_are_called_so(source: str, words: str) -> None:
    facts = pool(used=10)
    facts["memory"]["source"] = source
    assert words in only(facts, "TW-MEM-001").evidence[1]


def test_a_short_list_is_not_said_to_go_on() -> None:
    assert only(listening(*range(40000, 40008)), "TW-SYS-005").evidence[0].count("port ") == 8
    assert "more" not in only(listening(*range(40000, 40008)), "TW-SYS-005").evidence[0]


@pytest.mark.parametrize(
    "works, words", [(True, "it acts"), (False, "it is broken"), (None, "could not be told"), ("x", "not be told")]
)
def test_a_kernel_with_recycle_tells_of_which_kind_it_is(works: object, words: str) -> None:
    finding = only(kernel(tw_recycle=(True, {"setting": 0, "works": works})), "TW-KERN-001")
    assert words in finding.evidence[1]


def test_refused_connections_are_cured_on_the_clients_and_not_by_rfc1337() -> None:
    finding = only(kernel({"counters": {"PAWSTimewait": 5, "PassiveOpens": 15}}), "TW-KERN-002")
    note = str(finding.remedy_note)
    assert finding.remedy is None  # to be run elsewhere
    assert "On the clients: sysctl -w net.ipv4.tcp_timestamps=2" in note and "Not tcp_rfc1337=1" in note
    assert finding.weight == 0.25


def test_poisoned_ports_are_shown_without_those_of_listeners() -> None:
    ports = ",".join(str(port) for port in range(40000, 60000, 2))
    evidence = only(kernel(held(ports), **STUCK), "TW-KERN-003").evidence
    assert evidence[0].startswith("9999 of 28232 ports held by explicit binds that do not listen: 40002,40004")
    assert evidence[0].endswith(", and more") and len(evidence[0]) < 160


def test_the_option_is_advised_only_where_the_kernel_has_it() -> None:
    facts = kernel(held("40001"), **STUCK, bind_address_no_port=(False, None))
    assert "IP_BIND_ADDRESS_NO_PORT" not in str(only(facts, "TW-KERN-003").remedy_note)


def test_a_table_is_proposed_with_a_bucket_for_each_socket() -> None:
    assert "thash_entries=1048576 (8 MiB)" in str(only(table(4 * 262144), "TW-KERN-005").remedy_note)


def test_evidence_about_files_names_file_and_line() -> None:
    beaten = only(persisted([make_line(OUR_FILE, "1"), *BEATEN]), "TW-SYS-018")
    assert beaten.evidence == [
        f"net.ipv4.tcp_tw_reuse = 1 in {OUR_FILE}:3 loses under procps: /etc/sysctl.conf:7 sets 0 (procps, wins)"
    ]
    drift = only(persisted([make_line("/etc/sysctl.d/a.conf", "1")], 2, drift=True), "TW-SYS-016")
    assert drift.evidence == ["net.ipv4.tcp_tw_reuse runs with 2; /etc/sysctl.d/a.conf:3 says 1"]
    disagreement = only(persisted([*TWO_LOADERS], agree=False), "TW-SYS-017")
    assert disagreement.evidence == [
        "net.ipv4.tcp_tw_reuse: systemd-sysctl 1 (/etc/sysctl.d/a.conf:3), procps 2 (/etc/sysctl.conf:3)"
    ]
    script = only(persisted([], 0, [{**RECYCLE, "path": "/etc/rc.local", "loader": ""}]), "TW-SYS-014")
    assert script.evidence == ["/etc/rc.local:3 sets 1 (script)"]


def test_many_lines_are_counted_and_what_a_host_sends_is_not_trusted() -> None:
    lines = [make_line(f"/etc/sysctl.d/{number}\x1b[2J", "1", False, key=RECYCLE["key"]) for number in range(50)]
    finding = only(persisted(lines, None), "TW-SYS-015")
    assert len(finding.evidence) == 9 and finding.evidence[-1] == "and 42 more"
    assert "\x1b" not in "".join(finding.evidence)


@pytest.mark.parametrize("junk", [None, 1, "x", [], {}, [[]], {"keys": 1}, {"keys": {"a": [1]}, "scripts": [3, {}]}])
def test_junk_about_files_raises_nothing(junk: object) -> None:
    for facts in ({"sysctl_files": junk}, {"sysctl_persisted": junk}, {"sysctl_files": [junk, {"path": junk}]}):
        judge(make_facts(**facts))


def test_files_that_were_asked_for_and_are_not_there_are_an_error_and_else_nothing() -> None:
    facts = make_facts(unavailable=[{"what": "sysctl_files", "reason": "no"}])
    del facts["sysctl_files"]
    assert [finding.state for finding in judge(facts) if finding.id == "TW-SYS-016"] == ["error"]
    facts["gather_subset"].remove("sysctl_files")
    assert judge(facts) == []


def test_what_is_to_be_written_for_reuse_comes_before_all_other_cures() -> None:
    facts = anew(NO_KEEPALIVE, {**NO_KEEPALIVE, "line": 20, "reason": "http-1.0", "change": "proxy_http_version 1.1;"},
                 used=9000)  # fmt: skip
    (scarce,) = [one for one in judge(facts) if one.id == "TW-POOL-002"]
    assert (scarce.remedy_note or "").startswith(
        "First of all use connections again. Write keepalive 32; at /etc/nginx/conf.d/app.conf:12,"
        " proxy_http_version 1.1; at /etc/nginx/conf.d/app.conf:20. Then: nginx -t && systemctl reload nginx."
    )


def test_a_line_that_is_to_go_is_told_so() -> None:
    (found,) = [one for one in judge(anew(NEVER)) if one.id == "TW-APP-003"]
    assert "Take away the line at /etc/haproxy/haproxy.cfg:12." in (found.remedy_note or "")
    assert found.evidence == [
        "/etc/haproxy/haproxy.cfg:12: connections of app: no connection is used for another client's request"
    ]


def test_of_many_lines_the_first_ones_are_shown_and_the_others_counted() -> None:
    lines = [{**NEVER, "line": number} for number in range(1, 12)]
    (found,) = [one for one in judge(anew(*lines)) if one.id == "TW-APP-003"]
    assert len(found.evidence) == 9
    assert found.evidence[-1] == "and 3 lines more"
    assert "The facts have 3 lines more." in (found.remedy_note or "")


def test_reuse_that_was_asked_for_and_cannot_be_told_is_an_error() -> None:
    facts = make_facts(unavailable=[{"what": "connection_reuse", "reason": "no"}])
    del facts["connection_reuse"]
    found = {one.id: one for one in judge(facts) if one.state == "error"}
    assert set(found) == {"TW-APP-002", "TW-APP-003"}
    assert "connection_reuse: no" in found["TW-APP-002"].evidence[0]
    facts["gather_subset"].remove("connection_reuse")
    assert judge(facts) == []


@pytest.mark.parametrize("junk", [None, 1, "x", {}, [[]], [{}], [{"path": "/a", "line": 1, "destinations": [7, {}]}]])
def test_junk_about_reuse_raises_nothing(junk: object) -> None:
    judge(make_facts(connection_reuse=junk, pools=[make_pool(used=28000)]))
