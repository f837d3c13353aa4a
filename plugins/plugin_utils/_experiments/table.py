# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The comparison as text for a terminal: a table of verdicts, then what each kernel did, worst first."""

from __future__ import annotations

import re
import textwrap

from ansible_collections.tcpops.timewait.plugins.plugin_utils._experiments.compare import (
    VERDICTS,
    Alike,
    Comparison,
)
from ansible_collections.tcpops.timewait.plugins.plugin_utils._report.text import fit, quantity

NARROWEST, WIDEST = 80, 120
_NAME, _CELL = 26, 9
_LETTERS = "ABCDEFGH"
_NAMES_SHOWN = 3
_MISSING_SHOWN = 10
#: those that somebody has to look at
_LOUD = {"failed": "FAILED", "differs": "DIFFERS"}


def table(comparison: Comparison, columns: int = 100) -> str:
    """Plain text; colour is put on by ``paint``."""
    columns = min(max(columns, NARROWEST), WIDEST)
    shown = comparison.groups[: min(len(_LETTERS), (columns - _NAME) // _CELL)]
    lines = [*_head(comparison, columns), *_legend(comparison, shown, columns), ""]
    if shown:
        lines += [*_verdicts(comparison, shown), "", *_details(comparison, shown, columns)]
    lines += _missing(comparison, columns)
    return "\n".join(line.rstrip() for line in lines).rstrip() + "\n"


def _head(comparison: Comparison, columns: int) -> list[str]:
    counts = comparison.verdicts()
    told = ", ".join(f"{counts[verdict]} {verdict}" for verdict in reversed(VERDICTS) if counts[verdict])
    title = f"Experiments on {quantity(comparison.hosts, 'host')}: {told or 'none'}"
    return ["=" * columns, title, "=" * columns]


def _legend(comparison: Comparison, shown: list[Alike], columns: int) -> list[str]:
    lines = []
    for letter, group in zip(_LETTERS, shown, strict=False):
        names = ", ".join(group.hosts[:_NAMES_SHOWN])
        more = len(group.hosts) - _NAMES_SHOWN
        names += f" and {quantity(more, 'more', 'more')}" if more > 0 else ""
        lines.append(fit(f"{letter}  {fit(group.release, 22)} {names}", columns))
    left = comparison.groups[len(shown) :]
    if left:
        hosts = sum(len(group.hosts) for group in left)
        lines.append(f"   and {quantity(hosts, 'more host', 'more hosts')} in {quantity(len(left), 'other group')}")
    return lines


def _verdicts(comparison: Comparison, shown: list[Alike]) -> list[str]:
    lines = [" " * _NAME + "".join(f"{letter:<{_CELL}}" for letter, _group in zip(_LETTERS, shown, strict=False))]
    for name, _worst in comparison.experiments:
        cells = []
        for group in shown:
            outcome = group.outcomes.get(name)
            verdict = outcome.verdict if outcome else "-"
            cells.append(f"{_LOUD.get(verdict, verdict):<{_CELL}}")
        lines.append(fit(name, _NAME - 1) + " " + "".join(cells))
    return lines


def _details(comparison: Comparison, shown: list[Alike], columns: int) -> list[str]:
    lines = []
    for name, _worst in comparison.experiments:
        outcomes = [
            (letter, group.outcomes[name])
            for letter, group in zip(_LETTERS, shown, strict=False)
            if name in group.outcomes
        ]
        if not outcomes:
            continue
        first = outcomes[0][1]
        lines.append(fit(f"{name}: {first.title}", columns))
        if any(outcome.verdict in _LOUD for _letter, outcome in outcomes):
            lines += _wrapped("theory", first.predicts, columns)
        for letter, outcome in outcomes:
            verdict = _LOUD.get(outcome.verdict, outcome.verdict)
            lines += _wrapped(f"{letter} {verdict}", outcome.told, columns)
        lines.append("")
    return lines


def _missing(comparison: Comparison, columns: int) -> list[str]:
    if not comparison.missing:
        return []
    lines = [f"NOT TRIED: {quantity(len(comparison.missing), 'host')}"]
    for name, status, why in comparison.missing[:_MISSING_SHOWN]:
        lines += _wrapped(name, f"{status}: {why}", columns)
    more = len(comparison.missing) - _MISSING_SHOWN
    return [*lines, f"  and {quantity(more, 'more', 'more')}"] if more > 0 else lines


def _wrapped(label: str, text: str, columns: int) -> list[str]:
    start = f"  {label:<10} "
    return textwrap.wrap(
        text, columns, initial_indent=start, subsequent_indent=" " * 13, break_on_hyphens=False
    )


_COLOURS = {"FAILED": "1;31", "DIFFERS": "33", "NOT TRIED": "1;35"}
_WORD = re.compile(r"\b(FAILED|DIFFERS|NOT TRIED)\b")


def paint(text: str) -> str:
    """The table with colour, which only repeats what the words say."""
    return _WORD.sub(lambda found: f"\033[{_COLOURS[found[1]]}m{found[1]}\033[0m", text)
