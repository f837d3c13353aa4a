# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""index.html: one file that asks for nothing else, and carries what a browser can hold of any fleet."""

from __future__ import annotations

import base64
import hashlib
import json
import pathlib
from typing import TextIO

import jinja2
from ansible_collections.tcpops.timewait.plugins.plugin_utils._report.collect import KERNEL_COLUMNS
from ansible_collections.tcpops.timewait.plugins.plugin_utils._report.model import (
    SEVERITIES,
    Group,
    Item,
    Pool,
    Report,
)
from ansible_collections.tcpops.timewait.plugins.plugin_utils._report.text import grouped, quantity, size
from markupsafe import Markup

ASSETS = pathlib.Path(__file__).parent / "assets"
FINDINGS_SHOWN = 2000
# Each rule keeps some findings, however many a worse rule has.
FINDINGS_PER_RULE_AT_LEAST = 20
# In a script element these end the element, start a comment, or end a line of an older JavaScript.
_ESCAPES = {ord(char): f"\\u{ord(char):04x}" for char in "<>&'\u2028\u2029"}


def write(report: Report, out: TextIO) -> None:
    css, script = ((ASSETS / name).read_text(encoding="utf-8") for name in ("page.css", "page.js"))
    data = payload(report)
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(str(ASSETS)),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(grouped=grouped, size=size)
    summary = report.summary
    template = environment.get_template("page.html.j2")
    pieces = template.stream(
        report=report,
        summary=summary,
        severities=SEVERITIES,
        verdict=verdict(report),
        left_out=left_out(report),
        quantity=quantity,
        policy=policy(css, script),
        css=_trusted(css),
        script=_trusted(script),
        data=_trusted(embedded(data)),
    )
    # In chunks: a piece is often a few characters.
    pieces.enable_buffering(500)
    out.writelines(pieces)


def _trusted(text: str) -> Markup:
    """Our own files, and JSON that went through `embedded`."""
    return Markup(text)  # noqa: S704


def embedded(data: object) -> str:
    """JSON that can stand in a script element."""
    return json.dumps(data, allow_nan=False, ensure_ascii=False, separators=(",", ":")).translate(_ESCAPES)


def policy(css: str, script: str) -> str:
    return (
        f"default-src 'none'; style-src {_hash(css)}; script-src {_hash(script)}; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def verdict(report: Report) -> str:
    summary = report.summary
    if not summary.audited:
        return "No host could be audited."
    busy = sum(1 for host in report.hosts if host.worst not in ("", "INFO"))
    if not busy:
        return "Nothing to fix."
    return f"{quantity(busy, 'host')} of {grouped(summary.audited)} {'needs' if busy == 1 else 'need'} work."


def left_out(report: Report) -> list[str]:
    told = []
    pools = len(report.pools)
    if pools < report.pools_total:
        told.append(
            f"The page carries the {grouped(pools)} pools with the highest utilisation of "
            f"{grouped(report.pools_total)} that the hosts returned."
        )
    findings = sum(group.items.count for group in report.groups)
    shown = sum(len(items) for items in _shares(report.groups))
    if shown < findings:
        told.append(f"It carries the {grouped(shown)} weightiest findings of {grouped(findings)}.")
    if told:
        told.append("All of them are in audit.json.")
    return told


def payload(report: Report) -> dict[str, object]:
    return {
        "columns": KERNEL_COLUMNS,
        # Arrays where there may be ten thousand: names would be half of the page.
        "hosts": [
            [
                host.name,
                host.status,
                host.reason,
                host.worst,
                host.findings,
                round(host.utilisation, 4),
                host.pools,
                host.time_wait,
                host.time_wait_bytes,
                host.kernel,
                host.unavailable,
            ]
            for host in report.hosts
        ],
        "pools": [_pool(pool) for pool in report.pools],
        "groups": [
            _group(group, items) for group, items in zip(report.groups, _shares(report.groups), strict=True)
        ],
        "unjudged": [
            _group(group, group.items.items()[:FINDINGS_PER_RULE_AT_LEAST]) for group in report.unjudged
        ],
    }


def _shares(groups: list[Group]) -> list[list[Item]]:
    left = FINDINGS_SHOWN
    shares = []
    for group in groups:
        items = group.items.items()[: max(left, FINDINGS_PER_RULE_AT_LEAST)]
        left -= len(items)
        shares.append(items)
    return shares


def _pool(pool: Pool) -> list[object]:
    return [
        pool.host,
        pool.namespace,
        pool.direction,
        pool.subject,
        pool.used,
        pool.capacity,
        pool.capacity_assumed,
        round(pool.utilisation, 4),
        round(pool.close_rate, 1),
        round(pool.sustainable_rate, 1),
        pool.seconds_to_exhaustion,
        pool.time_wait,
        pool.history,
        pool.reusable,
    ]


def _group(group: Group, items: list[Item]) -> dict[str, object]:
    return {
        "id": group.id,
        "severity": group.severity,
        "title": group.title,
        "count": group.items.count,
        "items": [
            [
                item.host,
                item.namespace,
                item.subject,
                item.evidence,
                item.remedy,
                item.remedy_note,
                round(item.pool.utilisation, 4) if item.pool else None,
            ]
            for item in items
        ],
    }
