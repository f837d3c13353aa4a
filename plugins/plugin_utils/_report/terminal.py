# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The block that ends an audit: what to do first, on one screen, without colour."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable

from ansible_collections.tcpops.timewait.plugins.plugin_utils._report.model import (
    SEVERITIES,
    Group,
    Host,
    Item,
    Pool,
    Report,
)
from ansible_collections.tcpops.timewait.plugins.plugin_utils._report.text import (
    duration,
    fit,
    grouped,
    quantity,
    size,
    width,
)
from ansible_collections.tcpops.timewait.plugins.plugin_utils._untrusted.text import clean

NARROWEST, WIDEST = 80, 120
BAR_CELLS = 20
# Where connect() starts to slow down, and where exhaustion is a matter of a traffic peak.
MARKS = (0.5, 0.8)
_GROUPS_SHOWN = 8
_ITEMS_PER_GROUP = 5
_MISSING_SHOWN = 5
_NAMES_IN_A_ROW = 4


def block(report: Report, rows: int = 20, columns: int = 100, unicode: bool = True, written: str = "") -> str:
    """The block as plain text. `rows` limits the lines with findings; `written` tells where the report lies."""
    columns = min(max(columns, NARROWEST), WIDEST)
    lines = [*_head(report, columns), ""]
    lines += _groups(report, max(rows, 1), columns, unicode)
    lines += _missing(report, columns)
    lines += _tail(report, columns)
    if written:
        lines += ["", *_wrap("Report", written, columns)]
    text = "\n".join(line.rstrip() for line in lines) + "\n"
    return text if unicode else text.encode("ascii", "backslashreplace").decode("ascii")


def drawn_bar(utilisation: float, unicode: bool) -> str:
    full, empty = ("█", "·") if unicode else ("#", ".")
    # Anything above nothing shows a cell, anything below everything leaves one empty.
    cells = min(round(utilisation * BAR_CELLS), BAR_CELLS)
    if 0 < utilisation < 1:
        cells = min(max(cells, 1), BAR_CELLS - 1)
    drawn = full * cells + empty * (BAR_CELLS - cells)
    first, second = (round(mark * BAR_CELLS) for mark in MARKS)
    return f"[{drawn[:first]}|{drawn[first:second]}|{drawn[second:]}]"


def _head(report: Report, columns: int) -> list[str]:
    summary = report.summary
    title = f"TIME-WAIT audit of {quantity(summary.hosts, 'host')}"
    if summary.audited != summary.hosts:
        parts = [f"{grouped(summary.audited)} audited"]
        parts += [f"{grouped(summary.unreachable)} unreachable"] if summary.unreachable else []
        parts += [f"{grouped(summary.failed)} failed"] if summary.failed else []
        title += ": " + ", ".join(parts)
    when = report.generated_at.replace("T", " ").replace("Z", " UTC")
    return ["=" * columns, fit(title, columns - len(when) - 1) + " " + when, "=" * columns]


def _groups(report: Report, rows: int, columns: int, unicode: bool) -> list[str]:
    serious = [group for group in report.groups if group.severity != "INFO"]
    if not serious:
        if not report.summary.audited:
            return []
        return [f"Nothing to fix on {quantity(report.summary.audited, 'audited host')}.", ""]
    lines: list[str] = []
    shown = serious[: min(_GROUPS_SHOWN, rows)]
    left = rows
    for place, group in enumerate(shown):
        # Each of the groups still to come keeps one row.
        room = min(_ITEMS_PER_GROUP, left - (len(shown) - place - 1))
        items = group.items.items()[: max(room, 1)]
        left -= len(items)
        lines += [*_group(group, items, columns, unicode), ""]
    rest = serious[len(shown) :]
    if rest:
        told = ", ".join(
            f"{group.id} {group.severity} ({quantity(len(group.hosts), 'host')})" for group in rest
        )
        lines += [*_wrap("Also", told, columns), ""]
    return lines


def _group(group: Group, items: list[Item], columns: int, unicode: bool) -> list[str]:
    many = f" on {quantity(len(group.hosts), 'host')}" if len(group.hosts) > 1 else ""
    head = f"{group.severity:<8} {group.id}{many}: {group.title}"
    lines = [fit(head, columns).rstrip()]
    if any(item.pool for item in items):
        lines += _pool_rows(items, columns, unicode)
    elif len(group.hosts) > 2 and len({item.subject for item in items}) == 1:
        # The same sysctl on many hosts needs their names, not one line each.
        return [*lines, *_wrap("on", _names(group), columns, 2), *_advice(items[0], group, columns)]
    else:
        name = min(max(width(item.host) for item in items), 28)
        for item in items:
            told = "; ".join(part for part in (_where(item), *item.evidence[:2]) if part)
            lines.append(fit(f"  {fit(item.host, name)}  {told}", columns))
    hidden = group.items.count - len(items)
    if hidden > 0:
        others = [host for host in group.hosts if host not in {item.host for item in items}]
        names = f": {', '.join(others[:_NAMES_IN_A_ROW])}" + (
            ", ..." if len(others) > _NAMES_IN_A_ROW else ""
        )
        lines.append(
            fit(
                f"  and {quantity(hidden, 'more', 'more')}{names if others else ' on the same hosts'}",
                columns,
            )
        )
    return [*lines, *_advice(items[0], group, columns)]


def _names(group: Group) -> str:
    names = list(group.hosts)
    told = ", ".join(names[:_NAMES_IN_A_ROW])
    more = len(names) - _NAMES_IN_A_ROW
    return f"{told} and {quantity(more, 'more', 'more')}" if more > 0 else told


def _where(item: Item) -> str:
    inside = f"{item.namespace}: " if item.namespace not in ("", "host") else ""
    return inside + item.subject


def _pool_rows(items: list[Item], columns: int, unicode: bool) -> list[str]:
    name = min(max(width(item.host) for item in items), 20)
    tails = [_pool_tail(item.pool) if item.pool else "" for item in items]
    # Host, three gaps, the bar with its brackets and marks, and the figures: the pool gets the rest.
    room = columns - name - 5 - (BAR_CELLS + 4) - max(map(len, tails))
    needed = min(max(width(_where(item)) for item in items), 46)
    lines = []
    for item, tail in zip(items, tails, strict=True):
        drawn = drawn_bar(item.pool.utilisation if item.pool else 0.0, unicode) + tail
        if needed <= room:
            lines.append(f"  {fit(item.host, name)}  {fit(_where(item), needed)} {drawn}")
        else:
            lines += [fit(f"  {item.host}  {_where(item)}", columns), f"      {drawn}"]
    return lines


def _pool_tail(pool: Pool) -> str:
    told = f"{pool.utilisation:>5.0%} {pool.close_rate:>5.0f}/s of {pool.sustainable_rate:.0f}/s"
    if pool.seconds_to_exhaustion is not None:
        told += f", {duration(pool.seconds_to_exhaustion)} left"
    return told


def _advice(item: Item, group: Group, columns: int) -> list[str]:
    lines = _wrap("why", clean(group.why, 300), columns, 2)
    if item.remedy:
        # Never wrapped: a command is copied. One that is longer than the line is in the report.
        first, *more = item.remedy.split("\n")
        # A comment, so that the whole line can be pasted.
        many = f"  # {item.host}" if len(group.hosts) > 1 and "\n" not in item.remedy else ""
        lines.append(f"  fix  {first}{'' if width(first) + len(many) + 7 > columns else many}")
        lines += [f"       {line}" for line in more[:5]]
        if len(more) > 5:
            lines.append("       ... (all of it in the report)")
    elif item.remedy_note:
        lines += _wrap("do", clean(item.remedy_note, 300), columns, 2)
    return lines


def _missing(report: Report, columns: int) -> list[str]:
    missing = report.missing
    if not missing:
        return []
    lines = [f"NOT AUDITED: {quantity(len(missing), 'host')}"]
    by_reason: dict[tuple[str, str], list[Host]] = {}
    for host in missing:
        by_reason.setdefault((host.status, _same(host)), []).append(host)
    largest = sorted(by_reason.items(), key=lambda entry: -len(entry[1]))
    for (status, _unused), hosts in largest[:_MISSING_SHOWN]:
        told = ", ".join(host.name for host in hosts[:3])
        more = f" and {quantity(len(hosts) - 3, 'more', 'more')}" if len(hosts) > 3 else ""
        lines += _wrap(f"{told}{more}", f"{status}: {clean(hosts[0].reason, 200)}", columns, 2)
    if len(largest) > _MISSING_SHOWN:
        hidden = sum(len(hosts) for _unused, hosts in largest[_MISSING_SHOWN:])
        lines.append(f"  and {quantity(hidden, 'more', 'more')} for other reasons")
    return [*lines, ""]


def _same(host: Host) -> str:
    """A reason without what differs between hosts: its own name, and numbers."""
    return re.sub(r"\d+", "0", host.reason.replace(host.name, ""))[:120]


def _tail(report: Report, columns: int) -> list[str]:
    summary = report.summary
    lines: list[str] = []
    if report.unjudged:
        told = ", ".join(f"{group.id} ({quantity(len(group.hosts), 'host')})" for group in report.unjudged)
        lines += _wrap("Not judged for lack of facts", told, columns)
    if summary.audited:
        quiet = sum(1 for host in report.hosts if host.status == "audited" and host.worst in ("", "INFO"))
        sockets = quantity(summary.time_wait, "TIME-WAIT socket")
        told = f"{sockets} cost {size(summary.time_wait_bytes)} of memory in all"
        if quiet:
            told += f"; nothing to do on {grouped(quiet)} of {quantity(summary.audited, 'host')}"
        if summary.findings["INFO"]:
            told += f"; {quantity(summary.findings['INFO'], 'note')} in the report"
        lines += _wrap("Harmless", told, columns)
    counts = ", ".join(f"{severity} {grouped(summary.findings[severity])}" for severity in SEVERITIES)
    waived = f", waived {grouped(summary.waived)}" if summary.waived else ""
    return [*lines, *_wrap("Findings", counts + waived, columns)]


def _wrap(label: str, text: str, columns: int, indent: int = 0) -> list[str]:
    start = " " * indent + label + "  "
    hang = " " * min(width(start), 10)
    return textwrap.wrap(
        text,
        columns,
        initial_indent=start,
        subsequent_indent=hang,
        break_on_hyphens=False,
        break_long_words=True,
    )


_COLOURS = {"CRITICAL": "1;31", "HIGH": "31", "MEDIUM": "33", "LOW": "36", "NOT AUDITED:": "1;35"}
_LABEL = re.compile(r"(CRITICAL|HIGH|MEDIUM|LOW|NOT AUDITED:)(?=\s)")
_BAR = re.compile(r"\[[█#|]+")


def paint(lines: str) -> str:
    """The block with colour. Only repeats what its words say, so it can be left out."""
    return "\n".join(_painted(lines.split("\n")))


def _painted(lines: Iterable[str]) -> Iterable[str]:
    colour = "0"
    for line in lines:
        label = _LABEL.match(line)
        if label:
            colour = _COLOURS[label[1]]
            yield f"\033[{colour}m{label[1]}\033[0m{line[label.end() :]}"
        elif line.startswith("  fix  "):
            yield f"  fix  \033[1m{line[7:]}\033[0m"
        elif line.startswith("  why  "):
            yield f"\033[2m  why\033[0m  {line[7:]}"
        elif line.startswith("  "):
            yield _BAR.sub(lambda found, on=colour: f"[\033[{on}m{found[0][1:]}\033[0m", line, count=1)  # type: ignore[misc]
        elif line.startswith(("TIME-WAIT audit", "Nothing to fix")):
            yield f"\033[1m{line}\033[0m"
        else:
            yield line
