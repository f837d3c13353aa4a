# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Applies every rule to the facts of one host."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from . import rules_app, rules_kernel, rules_memory, rules_persisted, rules_pool, rules_sysctl
from .facts_reader import Facts, Namespace, read_facts
from .finding import Finding, sort_key
from .remedies import with_role
from .rule import (
    FACTS_REFERENCE,
    FACTS_RULE_ID,
    FACTS_SEVERITY,
    FACTS_TITLE,
    FACTS_WHY,
    HOST,
    INBOUND_POOL,
    NAMESPACE,
    OUTBOUND_POOL,
    Match,
    Rule,
)

#: a new family is one more module here
RULES: tuple[Rule, ...] = (
    rules_pool.RULES
    + rules_app.RULES
    + rules_sysctl.RULES
    + rules_persisted.RULES
    + rules_kernel.RULES
    + rules_memory.RULES
)

_POOL_RULES = {
    direction: tuple(rule for rule in RULES if rule.scope == scope)
    for direction, scope in (("outbound", OUTBOUND_POOL), ("inbound", INBOUND_POOL))
}
_ALL_POOL_RULES = _POOL_RULES["outbound"] + _POOL_RULES["inbound"]
_NAMESPACE_RULES = tuple(rule for rule in RULES if rule.scope == NAMESPACE)
_HOST_RULES = tuple(rule for rule in RULES if rule.scope == HOST)

#: the need of a rule that compares namespaces; it judges those that are in the facts, and tells of the others
_NAMESPACES = "namespaces"
#: the need of a rule that asks what the kernel can do; documents that were never asked for it are not judged by it
_CAPABILITIES = "capabilities"
#: needs of rules that only judge what was asked for, likewise
_ASKED_FOR = ("connect_failures", "connection_reuse", "sysctl_files")
_NAMESPACE_NEEDS = {rule.id: rule.needs - {_NAMESPACES, _CAPABILITIES} for rule in _NAMESPACE_RULES}
_SHOWN = 5


def evaluate(host: str, facts: object, thresholds: Mapping[str, float]) -> list[Finding]:
    """Findings of one host, worst first. Never raises, whatever the facts are.

    :param facts: ``ansible_facts.timewait`` of docs/schema.md, untrusted.
    :param thresholds: all of them, as ``thresholds.merge`` returns them.
    """
    readable = read_facts(facts)
    if isinstance(readable, str):
        return [_unusable(host, readable)]
    findings: list[Finding] = []
    unjudged: dict[str, list[str]] = {}
    shared: dict[tuple[str, str], list[tuple[Finding, str]]] = {}
    for namespace in readable.namespaces:
        _judge_pools(host, namespace, thresholds, findings, unjudged)
        for rule, match in _namespace_matches(namespace, thresholds, unjudged):
            finding = _finding(host, rule, match, namespace.label)
            if namespace.is_first:
                findings.append(finding)
            else:
                shared.setdefault((rule.id, finding.subject), []).append((finding, namespace.label))
    findings.extend(_one_of(alike) for alike in shared.values())
    _judge_host(host, readable, thresholds, findings, unjudged)
    findings.extend(_error(host, rule, unjudged[rule.id]) for rule in RULES if rule.id in unjudged)
    findings.sort(key=sort_key)
    return findings


def _judge_pools(
    host: str,
    namespace: Namespace,
    thresholds: Mapping[str, float],
    findings: list[Finding],
    unjudged: dict[str, list[str]],
) -> None:
    if "pools" not in namespace.available:
        _cannot(_judgeable(_ALL_POOL_RULES, namespace), namespace.why_missing("pools"), unjudged)
        return
    rules = {direction: _judgeable(found, namespace) for direction, found in _POOL_RULES.items()}
    for direction, number in namespace.unreadable_pools.items():
        reason = namespace.facts.reason(("ip_local_port_range",), None if namespace.is_first else namespace.label)
        reason = f"{namespace.label}: {number} {direction} pools are not as docs/schema.md says" + (
            f" ({reason})" if reason else ""
        )
        _cannot(rules.get(direction, rules["outbound"] + rules["inbound"]), reason, unjudged)
    for pool in namespace.pools:
        spoken = set()
        for rule in rules[pool.direction]:
            if rule.group and rule.group in spoken:
                continue
            match = rule.check(pool, thresholds)
            if match:
                spoken.add(rule.group)
                findings.append(_finding(host, rule, match, namespace.label, pool.as_dict()))


def _judgeable(rules: Iterable[Rule], namespace: Namespace) -> list[Rule]:
    """Without those that need a part of the host's facts that is not there; the host's rules tell why."""
    return [rule for rule in rules if all(namespace.facts.has(part) for part in _ASKED_FOR if part in rule.needs)]


def _namespace_matches(
    namespace: Namespace, thresholds: Mapping[str, float], unjudged: dict[str, list[str]]
) -> Iterable[tuple[Rule, Match]]:
    spoken = set()
    available = namespace.available
    for rule in _NAMESPACE_RULES:
        if _lacks_capabilities(rule, namespace.facts):
            continue  # told once for the host
        needs = _NAMESPACE_NEEDS[rule.id]
        if not needs <= available:
            reason = namespace.why_missing(min(needs - available))
            _cannot((rule,), reason, unjudged)
        elif not rule.group or rule.group not in spoken:
            match = rule.check(namespace, thresholds)
            if match:
                spoken.add(rule.group)
                yield rule, match


def _judge_host(
    host: str,
    facts: Facts,
    thresholds: Mapping[str, float],
    findings: list[Finding],
    unjudged: dict[str, list[str]],
) -> None:
    hidden = facts.hidden_namespaces
    if hidden:
        _cannot((rule for rule in _NAMESPACE_RULES if _NAMESPACES in rule.needs), hidden, unjudged)
    if facts.asked_for("kernel") and facts.capabilities is None:
        lacking = (rule for rule in RULES if _CAPABILITIES in rule.needs)
        _cannot(lacking, facts.namespaces[0].why_missing(_CAPABILITIES), unjudged)
    for rule in _HOST_RULES:
        if _lacks_capabilities(rule, facts):
            continue
        if "memory" in rule.needs and facts.memory is None:
            _cannot((rule,), facts.namespaces[0].why_missing("memory"), unjudged)
            continue
        missing = [part for part in _ASKED_FOR if part in rule.needs and not facts.has(part)]
        if missing:
            if facts.asked_for(missing[0]):
                _cannot((rule,), facts.namespaces[0].why_missing(missing[0]), unjudged)
            continue
        match = rule.check(facts, thresholds)
        if match:
            findings.append(_finding(host, rule, match, None))


def _lacks_capabilities(rule: Rule, facts: Facts) -> bool:
    return _CAPABILITIES in rule.needs and facts.capabilities is None


def _cannot(rules: Iterable[Rule], reason: str, unjudged: dict[str, list[str]]) -> None:
    for rule in rules:
        unjudged.setdefault(rule.id, []).append(reason)


def _one_of(alike: list[tuple[Finding, str]]) -> Finding:
    """The worst of the findings that other namespaces than the first share: containers have the same defaults."""
    if len(alike) == 1:
        return alike[0][0]
    alike.sort(key=lambda pair: sort_key(pair[0]))
    worst = alike[0][0]
    others = [label for _finding, label in alike[1:]]
    return worst._replace(evidence=[*worst.evidence, f"likewise in {_some(others)}"])


def _some(names: list[str]) -> str:
    """The first few, and how many more there are."""
    shown = ", ".join(names[:_SHOWN])
    return f"{shown} and {len(names) - _SHOWN} more" if len(names) > _SHOWN else shown


def _finding(
    host: str, rule: Rule, match: Match, namespace: str | None, pool: dict[str, Any] | None = None
) -> Finding:
    return Finding(
        id=rule.id,
        severity=rule.severity,
        state="fail",
        title=rule.title,
        host=host,
        namespace=namespace,
        subject=match.subject,
        pool=pool,
        evidence=match.evidence,
        why=rule.why,
        remedy=match.remedy.command,
        remedy_note=with_role(match.remedy, host),
        reference=rule.reference,
        weight=match.weight,
    )


def _error(host: str, rule: Rule, reasons: list[str]) -> Finding:
    evidence = reasons[:_SHOWN]
    if len(reasons) > _SHOWN:
        evidence.append(f"and {len(reasons) - _SHOWN} more")
    match = Match("facts", evidence)
    return _finding(host, rule, match, None)._replace(state="error")


def _unusable(host: str, reason: str) -> Finding:
    return Finding(
        id=FACTS_RULE_ID,
        severity=FACTS_SEVERITY,
        state="error",
        title=FACTS_TITLE,
        host=host,
        namespace=None,
        subject="facts",
        pool=None,
        evidence=[reason],
        why=FACTS_WHY,
        remedy=None,
        remedy_note="Run tcpops.timewait.timewait_facts on the host again, with the version that reads them.",
        reference=FACTS_REFERENCE,
        weight=1.0,
    )
