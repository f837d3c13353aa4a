#!/usr/bin/env python
# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes docs/rules.md from the tables of rules and thresholds; with --check, tells whether it is up to date.

Needs the parent of ``ansible_collections`` on PYTHONPATH.
"""

from __future__ import annotations

import sys
from pathlib import Path

from ansible_collections.tcpops.timewait.plugins.plugin_utils._findings import rule as rules
from ansible_collections.tcpops.timewait.plugins.plugin_utils._findings.evaluate import RULES
from ansible_collections.tcpops.timewait.plugins.plugin_utils._findings.finding import SEVERITIES
from ansible_collections.tcpops.timewait.plugins.plugin_utils._findings.thresholds import TABLE

TARGET = Path(__file__).resolve().parent.parent / "docs" / "rules.md"

_HEAD = f"""# Rules

<!-- Written by tools/generate_rules.py out of the tables of rules and thresholds. Do not edit. -->

Severities, worst first: {", ".join(reversed(SEVERITIES))}. A rule whose facts are missing gives a finding of state
`error` with the reason. Of several rules of one group only the worst that matches speaks for a pool or a namespace.
Namespaces other than the first share one finding where rule and subject are the same. Ids are never given to
another rule.
"""


def render() -> str:
    """The whole document."""
    ordered = sorted(RULES, key=lambda rule: rule.id)
    lines = [_HEAD, "| id | severity | title |", "|---|---|---|"]
    lines += [f"| [{rule.id}](#{rule.id.lower()}) | {rule.severity} | {rule.title} |" for rule in ordered]
    facts = (rules.FACTS_RULE_ID, rules.FACTS_SEVERITY, f"{rules.FACTS_TITLE} (always state `error`)")
    lines.append(f"| {' | '.join(facts)} |")
    lines += ["", "## Thresholds", "", "| name | default | unit | meaning |", "|---|---|---|---|"]
    lines += [f"| `{row.name}` | {row.default:g} | {row.unit} | {row.meaning} |" for row in TABLE]
    for rule in ordered:
        thresholds = ", ".join(f"`{name}`" for name in rule.thresholds)
        lines += [
            "",
            f"## {rule.id}",
            "",
            f"**{rule.title}** ({rule.severity}, per {rule.scope})",
            "",
            f"* Fires when: {rule.when}",
            f"* Why: {rule.why}",
            f"* Needs: {', '.join(f'`{need}`' for need in sorted(rule.needs))}",
        ]
        if thresholds:
            lines.append(f"* Thresholds: {thresholds}")
        if rule.group:
            lines.append(f"* Group: {rule.group}")
        lines.append(f"* Reference: {rule.reference}")
    return "\n".join(lines) + "\n"


def main() -> int:
    """Exit code: 1 when ``--check`` finds the document out of date."""
    if "--check" in sys.argv[1:]:
        fresh = TARGET.exists() and TARGET.read_text(encoding="utf-8") == render()
        if not fresh:
            print(f"{TARGET} is out of date: run {Path(__file__).name}", file=sys.stderr)
        return 0 if fresh else 1
    TARGET.write_text(render(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
