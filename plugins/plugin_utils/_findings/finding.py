# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a rule says about one host, and the order in which findings are read."""

from __future__ import annotations

from typing import Any, NamedTuple

#: worst last, so that a position compares
SEVERITIES = ("INFO", "LOW", "MEDIUM", "HIGH", "CRITICAL")
#: what needs somebody first
STATES = ("fail", "error", "waived", "not_applicable")

_SEVERITY_RANK = {severity: rank for rank, severity in enumerate(reversed(SEVERITIES))}
_STATE_RANK = {state: rank for rank, state in enumerate(STATES)}


class Finding(NamedTuple):
    """One rule that matched, or could not be judged, on one host. The fields are those of ``docs/schema.md``."""

    id: str
    severity: str
    state: str
    title: str
    host: str
    #: label of the namespace; None when it concerns the host as a whole
    namespace: str | None
    subject: str
    #: the pool's facts; None for other families
    pool: dict[str, Any] | None
    evidence: list[str]
    why: str
    #: a command to copy; None where there is nothing to do
    remedy: str | None
    remedy_note: str | None
    reference: str
    #: sorts findings of the same severity, larger first
    weight: float

    def as_dict(self) -> dict[str, Any]:
        """For the Ansible boundary and JSON."""
        return self._asdict()


def sort_key(finding: Finding) -> tuple[int, int, float, str, str, str]:
    """Worst first, and the same order for the same findings whatever order they were made in."""
    return (
        _STATE_RANK[finding.state],
        _SEVERITY_RANK[finding.severity],
        -finding.weight,
        finding.namespace or "",
        finding.subject,
        finding.id,
    )
