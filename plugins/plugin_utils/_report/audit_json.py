# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""audit.json, written host by host: a fleet's facts are never in memory twice."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from ansible_collections.tcpops.timewait.plugins.plugin_utils._report.collect import Audited
    from ansible_collections.tcpops.timewait.plugins.plugin_utils._report.model import Summary

SCHEMA = 1
# The facts of a host with 20 pools in each of ten namespaces take 200 KB.
_HOST_LIMIT = 4_000_000
_STRING_LIMIT = 4000
_LIST_LIMIT = 2000
_DEPTH_LIMIT = 12


def encode(value: object) -> str:
    """JSON that every parser reads, whatever `value` holds. ASCII, so that no terminal can be fooled by it."""
    try:
        text = json.dumps(value, allow_nan=False, ensure_ascii=True, separators=(",", ":"))
    # NaN; an integer of thousands of digits; a key or value of another type; a million brackets.
    except (ValueError, TypeError, OverflowError, RecursionError):
        text = ""
    if not text or len(text) > _HOST_LIMIT:
        text = json.dumps(_bounded(value, 0), allow_nan=False, ensure_ascii=True, separators=(",", ":"))
    return text


def _bounded(value: object, depth: int) -> object:  # noqa: PLR0911 - one line for each type
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return int(value) if value.bit_length() <= 64 else None
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, str):
        return value[:_STRING_LIMIT] + (
            f"... ({len(value)} characters)" if len(value) > _STRING_LIMIT else ""
        )
    if depth == _DEPTH_LIMIT:
        return "(nested too deep)"
    if isinstance(value, dict):
        pairs = list(zip(range(_LIST_LIMIT), value.items(), strict=False))
        return {str(key)[:_STRING_LIMIT]: _bounded(item, depth + 1) for _unused, (key, item) in pairs}
    if isinstance(value, (list, tuple)):
        return [_bounded(item, depth + 1) for item in value[:_LIST_LIMIT]]
    return f"({type(value).__name__})"


class Writer:
    def __init__(self, out: TextIO, generated_at: str, version: str, thresholds: dict[str, float]) -> None:
        self._out = out
        self._first = True
        head = {
            "schema": SCHEMA,
            "generated_at": generated_at,
            "collection_version": version,
            "thresholds": thresholds,
        }
        out.write(encode(head)[:-1] + ',\n"hosts":[')

    def add(self, host: Audited) -> None:
        self._out.write("\n" if self._first else ",\n")
        self._first = False
        findings = ",".join(encode(finding.as_dict()) for finding in host.findings)
        head = encode({"name": host.name, "status": host.status, "reason": host.reason})
        self._out.write(f'{head[:-1]},"facts":{encode(host.facts)},"findings":[{findings}]}}')

    def finish(self, summary: Summary) -> None:
        # Last, because only the last host completes it; the order of keys means nothing in JSON.
        self._out.write(f'\n],\n"summary":{encode(summary._asdict())}}}\n')
