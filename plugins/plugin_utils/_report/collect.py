# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the hosts returned -> a report. One pass; a host's facts may be dropped once it is added."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

from ansible_collections.tcpops.timewait.plugins.plugin_utils._findings.finding import Finding
from ansible_collections.tcpops.timewait.plugins.plugin_utils._report.model import (
    POOLS_KEPT,
    RANK,
    SEVERITIES,
    Group,
    Host,
    Item,
    Pool,
    Report,
    Summary,
    Worst,
)
from ansible_collections.tcpops.timewait.plugins.plugin_utils._untrusted.pool import connection, history
from ansible_collections.tcpops.timewait.plugins.plugin_utils._untrusted.text import clean
from ansible_collections.tcpops.timewait.plugins.plugin_utils._untrusted.values import count, mapping, mappings, measure

FACTS_SCHEMA = 1
_BOILERPLATE = re.compile(r"See stdout/stderr for the (exact error|returned output)\.?")
KERNEL_COLUMNS = (
    "release",
    "TIME-WAIT length",
    "ip_local_port_range",
    "usable ports",
    "ip_local_reserved_ports",
    "tcp_tw_reuse",
    "tcp_tw_recycle",
    "tcp_timestamps",
    "tcp_max_tw_buckets",
    "tcp_fin_timeout",
)
_SYSCTLS = frozenset(name for name in KERNEL_COLUMNS if "_" in name)
# More than any real host has; keeps one host from filling the report.
_POOLS_READ = 5000

Judge = Callable[[str, object], "list[Finding]"]


class Audited(NamedTuple):
    """What one host adds to audit.json."""

    name: str
    status: str
    reason: str | None
    facts: object
    findings: list[Finding]


class Collector:
    def __init__(self, judge: Judge) -> None:
        self._judge = judge
        self._hosts: list[Host] = []
        self._groups: dict[tuple[str, str, str], Group] = {}
        self._pools: Worst[Pool] = Worst(POOLS_KEPT)
        self._findings = dict.fromkeys(SEVERITIES, 0)
        self._states = {"waived": 0, "error": 0}

    def add(self, name: str, result: object) -> Audited:
        """Judges one host's result (the registered one of the facts module)."""
        status, reason, facts = _outcome(result)
        findings: list[Finding] = []
        if status == "audited":
            try:
                findings = self._judge(name, facts)
            # Facts are untrusted: whatever a host made of them, the other hosts' report must be written.
            except Exception as exc:
                status, reason = (
                    "failed",
                    f"its facts could not be judged: {clean(f'{type(exc).__name__}: {exc}')}",
                )
        self._count(name, status, reason, facts, findings)
        return Audited(name, status, reason or None, facts if status == "audited" else None, findings)

    def _count(self, name: str, status: str, reason: str, facts: object, findings: list[Finding]) -> None:
        shown = clean(name, 120)
        failed = [finding for finding in findings if finding.state == "fail"]
        for finding in findings:
            self._group(shown, finding)
        if status != "audited":
            self._hosts.append(Host(shown, status, reason, "", 0, 0.0, 0, 0, 0, (), ()))
            return
        read = mapping(facts)
        pools, utilisation = self._add_pools(shown, read)
        worst = max((f.severity for f in failed), key=lambda s: RANK.get(s, 0), default="")
        self._hosts.append(
            Host(
                name=shown,
                status=status,
                reason="",
                worst=worst,
                findings=len(failed),
                utilisation=utilisation,
                pools=pools,
                time_wait=sum(_time_wait(namespace) for namespace in mappings(read.get("namespaces"))),
                time_wait_bytes=count(mapping(read.get("memory")).get("time_wait_bytes")) or 0,
                kernel=_kernel(read),
                unavailable=tuple(
                    f"{clean(gap.get('what'), 60)}: {clean(gap.get('reason'), 300)}"
                    for _unused, gap in zip(range(20), mappings(read.get("unavailable")), strict=False)
                ),
            )
        )

    def _group(self, host: str, finding: Finding) -> None:
        if finding.state in self._states:
            self._states[finding.state] += 1
        if finding.state == "fail" and finding.severity in self._findings:
            self._findings[finding.severity] += 1
        key = (finding.id, finding.severity, finding.state)
        group = self._groups.get(key)
        if group is None:
            texts = {
                name: clean(getattr(finding, name), 2000) for name in ("id", "title", "why", "reference")
            }
            group = self._groups[key] = Group(finding, texts)
        weight = measure(finding.weight) or 0.0
        group.heaviest = max(group.heaviest, weight)
        group.hosts[host] = None
        if group.items.wants(weight):
            group.items.add(weight, _item(host, finding, weight))
        else:
            group.items.skip()

    def _add_pools(self, host: str, facts: Mapping[str, object]) -> tuple[int, float]:
        seen, highest = 0, 0.0
        for namespace in mappings(facts.get("namespaces")):
            for pool in mappings(namespace.get("pools")):
                if seen == _POOLS_READ:
                    return seen, highest
                seen += 1
                utilisation = _share(pool.get("utilisation"))
                highest = max(highest, utilisation)
                if self._pools.wants(utilisation):
                    self._pools.add(utilisation, read_pool(host, namespace.get("label"), pool))
                else:
                    self._pools.skip()
        return seen, highest

    def report(self, generated_at: str, version: str, thresholds: dict[str, float]) -> Report:
        hosts = sorted(
            self._hosts,
            key=lambda host: (host.status == "audited", -RANK.get(host.worst, 0), -host.utilisation),
        )
        status = [host.status for host in hosts]
        groups = sorted(self._groups.values(), key=lambda group: group.order)
        return Report(
            generated_at=generated_at,
            collection_version=version,
            thresholds=thresholds,
            summary=Summary(
                hosts=len(hosts),
                audited=status.count("audited"),
                unreachable=status.count("unreachable"),
                failed=status.count("failed"),
                findings=dict(self._findings),
                waived=self._states["waived"],
                errors=self._states["error"],
                time_wait=sum(host.time_wait for host in hosts),
                time_wait_bytes=sum(host.time_wait_bytes for host in hosts),
            ),
            hosts=hosts,
            groups=[group for group in groups if group.state == "fail"],
            unjudged=[group for group in groups if group.state == "error"],
            pools=self._pools.items(),
            pools_total=self._pools.count,
        )


def _outcome(result: object) -> tuple[str, str, object]:
    """Status, reason and facts out of what the facts task registered."""
    if not isinstance(result, dict):
        return "failed", "no result: the host left the run before it was audited", None
    if result.get("unreachable") is True:
        return "unreachable", reason(result) or "unreachable", None
    if result.get("failed") is True:
        return "failed", reason(result) or "the facts module failed without a message", None
    facts = mapping(result.get("ansible_facts")).get("timewait")
    if facts is None:
        return "failed", "the facts module returned no facts", None
    schema = mapping(facts).get("schema")
    if schema != FACTS_SCHEMA or isinstance(schema, bool):
        told = clean(schema, 40) if isinstance(facts, dict) else type(facts).__name__
        return "failed", f"facts of schema {told or 'null'}, where {FACTS_SCHEMA} is understood", None
    return "audited", "", facts


def reason(result: Mapping[str, object]) -> str:
    """Why a task failed, in one line: Ansible's message, and what the host said last."""
    told = clean(result.get("msg"), 400).removeprefix("Task failed: ")
    told = _BOILERPLATE.sub("", told).strip()
    stderr = result.get("module_stderr")
    if isinstance(stderr, str) and stderr.strip():
        said = clean(stderr[-2000:].strip().splitlines()[-1], 300)
        told = f"{told} ({said})" if told else said
    return told


def _item(host: str, finding: Finding, weight: float) -> Item:
    evidence = finding.evidence if isinstance(finding.evidence, (list, tuple)) else [finding.evidence]
    pool = getattr(finding, "pool", None)
    namespace = clean(finding.namespace, 80)
    return Item(
        host=host,
        namespace=namespace,
        subject=clean(finding.subject, 200),
        evidence=tuple(clean(line, 300) for line in evidence[:12]),
        remedy=clean(finding.remedy, 2000, lines=True),
        remedy_note=clean(finding.remedy_note, 1000),
        pool=read_pool(host, namespace, pool) if isinstance(pool, dict) else None,
        weight=weight,
    )


def read_pool(host: str, namespace: object, pool: Mapping[str, object]) -> Pool:
    return Pool(
        host=host,
        namespace=clean(namespace, 80),
        direction="inbound" if pool.get("direction") == "inbound" else "outbound",
        subject=connection(pool),
        used=count(pool.get("used")) or 0,
        time_wait=count(pool.get("time_wait")) or 0,
        reusable=count(pool.get("reusable")) or 0,
        capacity=count(pool.get("capacity")) or 0,
        capacity_assumed=pool.get("capacity_assumed") is True,
        utilisation=_share(pool.get("utilisation")),
        close_rate=measure(pool.get("close_rate")) or 0.0,
        sustainable_rate=measure(pool.get("sustainable_rate")) or 0.0,
        seconds_to_exhaustion=measure(pool.get("seconds_to_exhaustion")),
        history=tuple(history(pool)),
    )


def _share(value: object) -> float:
    """A utilisation: 0 when it is none; up to 9.99, so that a wrong one is still seen to be wrong."""
    return min(measure(value) or 0.0, 9.99)


def _time_wait(namespace: Mapping[str, object]) -> int:
    counted = count(mapping(namespace.get("states")).get("time_wait"))
    if counted is None:
        counted = count(mapping(namespace.get("sockets")).get("time_wait"))
    return counted or 0


def _kernel(facts: Mapping[str, object]) -> tuple[str, ...]:
    kernel = mapping(facts.get("kernel"))
    own: Mapping[str, object] = next(mappings(facts.get("namespaces")), {})
    sysctls, ports = mapping(own.get("sysctls")), mapping(own.get("port_range"))
    seconds = measure(kernel.get("timewait_seconds"))
    special = {
        "release": clean(kernel.get("release"), 40),
        "TIME-WAIT length": "" if seconds is None else f"{seconds:g} s",
        "usable ports": clean(ports.get("usable"), 12),
    }
    return tuple(_sysctl(sysctls, name) if name in _SYSCTLS else special[name] for name in KERNEL_COLUMNS)


def _sysctl(sysctls: Mapping[str, object], name: str) -> str:
    value = sysctls.get(name)
    # An empty list of reserved ports is not the same as a kernel without one.
    return "none" if value == "" else clean(value, 60)
