# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a host's findings got worse between two looks at it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from ansible_collections.tcpops.timewait.plugins.plugin_utils._findings.finding import SEVERITIES

from .errors import RemediationError

#: what a finding is about: family, namespace, subject
_Case = tuple[str, str, str]


class Change(NamedTuple):
    """A case that got worse: its worst finding then (None: there was none) and now, and one sentence."""

    before: dict[str, Any] | None
    after: dict[str, Any]
    reason: str

    def as_dict(self) -> dict[str, Any]:
        """For the Ansible boundary."""
        return self._asdict()


def worse(before: object, after: object, least: str = "MEDIUM", margin: float = 0.1) -> list[Change]:
    """Cases that are worse after than before, in the order of ``after``.

    Rules of one family speak one after the other of the same pool or sysctl, the milder the less there is to say. So
    findings are compared by what they are about, and only the worst of each case counts. A rule that could be judged
    before and cannot now is worse too, whatever its severity: nothing is known any more.

    :param before: findings as dictionaries of docs/schema.md.
    :param after: the same, of a later look.
    :param least: severity below which a finding does not count.
    :param margin: a finding of the same severity is worse when its weight rose by at least this.
    :raises RemediationError: for lists that are none, and a severity or margin that makes no sense.
    """
    if least not in SEVERITIES:
        raise RemediationError(f"severity {least!r:.40} is none of {', '.join(SEVERITIES)}")
    if not 0 < margin <= 1:
        raise RemediationError(f"a margin of {margin:g} is not above 0 and at most 1")
    then, now = _read(before, "before"), _read(after, "after")
    unjudged = {finding["id"] for finding in then if finding["state"] == "error"}
    changes = [
        Change(None, finding, f"{finding['id']} cannot be judged any more: {_first(finding)}")
        for finding in now
        if finding["state"] == "error" and finding["id"] not in unjudged
    ]
    known = _worst(then)
    floor = SEVERITIES.index(least)
    for case, finding in _worst(now).items():
        if _rank(finding) < floor:
            continue
        former = known.get(case)
        reason = _reason(former, finding, margin)
        if reason:
            changes.append(Change(former, finding, reason))
    return changes


def _read(findings: object, which: str) -> list[dict[str, Any]]:
    if not isinstance(findings, list) or not all(
        isinstance(one, Mapping) and {"id", "severity", "state", "subject"} <= one.keys() for one in findings
    ):
        raise RemediationError(f"what is given as {which} is no list of findings: tcpops.timewait.findings makes them")
    return [dict(one) for one in findings]


def _worst(findings: Iterable[dict[str, Any]]) -> dict[_Case, dict[str, Any]]:
    found: dict[_Case, dict[str, Any]] = {}
    for finding in findings:
        if finding["state"] != "fail":
            continue
        case = _case(finding)
        if case not in found or _key(finding) > _key(found[case]):
            found[case] = finding
    return found


def _case(finding: Mapping[str, Any]) -> _Case:
    family = str(finding["id"]).rpartition("-")[0]
    subject = str(finding["subject"])
    if subject.startswith("net."):
        subject = subject.partition(" ")[0]  # the value that may follow is what a remedy changes
    return family, str(finding.get("namespace") or ""), subject


def _rank(finding: Mapping[str, Any]) -> int:
    severity = finding["severity"]
    return SEVERITIES.index(severity) if severity in SEVERITIES else len(SEVERITIES)


def _weight(finding: Mapping[str, Any]) -> float:
    weight = finding.get("weight")
    return float(weight) if isinstance(weight, (int, float)) else 0.0


def _key(finding: Mapping[str, Any]) -> tuple[int, float]:
    return _rank(finding), _weight(finding)


def _reason(former: Mapping[str, Any] | None, finding: Mapping[str, Any], margin: float) -> str | None:
    now = f"{finding['id']} {finding['severity']} on {finding['subject']}: {_first(finding)}"
    if former is None:
        return f"new: {now}"
    if _rank(finding) > _rank(former):
        return f"was {former['id']} {former['severity']}: {now}"
    # weights are floats of four digits: 0.9 - 0.8 is a little less than 0.1
    if _rank(finding) == _rank(former) and round(_weight(finding) - _weight(former), 6) >= margin:
        return f"weight {_weight(former):.2f} -> {_weight(finding):.2f}: {now}"
    return None


def _first(finding: Mapping[str, Any]) -> str:
    evidence = finding.get("evidence")
    return str(evidence[0]) if isinstance(evidence, list) and evidence else str(finding.get("title", ""))
