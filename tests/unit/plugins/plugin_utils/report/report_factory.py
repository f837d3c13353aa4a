# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reports of made-up hosts, judged by the real rules."""

from __future__ import annotations

from typing import Any

from ansible_collections.tcpops.timewait.plugins.plugin_utils._findings import thresholds
from ansible_collections.tcpops.timewait.plugins.plugin_utils._findings.evaluate import evaluate
from ansible_collections.tcpops.timewait.plugins.plugin_utils._report.collect import Collector
from ansible_collections.tcpops.timewait.plugins.plugin_utils._report.model import Report
from support.facts_factory import make_facts

BOUNDS = thresholds.merge({})


def registered(**overrides: Any) -> dict[str, Any]:
    return {"ansible_facts": {"timewait": make_facts(**overrides)}, "changed": False}


def collect(results: dict[str, object]) -> Report:
    collector = Collector(lambda host, facts: evaluate(host, facts, BOUNDS))
    for name, result in results.items():
        collector.add(name, result)
    return collector.report("2026-11-22T08:00:05Z", "0.1.0", BOUNDS)
