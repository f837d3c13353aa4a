# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From registered results to the files of a report and its block."""

from __future__ import annotations

import locale
import os
from collections.abc import Iterator, Mapping
from datetime import datetime, timezone
from importlib import resources
from typing import Any

import yaml
from ansible_collections.tcpops.timewait.plugins.plugin_utils._findings.evaluate import evaluate
from ansible_collections.tcpops.timewait.plugins.plugin_utils._report import audit_json, html, terminal
from ansible_collections.tcpops.timewait.plugins.plugin_utils._report.collect import Collector
from ansible_collections.tcpops.timewait.plugins.plugin_utils._report.files import Files
from ansible_collections.tcpops.timewait.plugins.plugin_utils._report.model import Report
from ansible_collections.tcpops.timewait.plugins.plugin_utils._report.text import quantity

RESULT = "timewait_result"
FILES = {"html": "index.html", "json": "audit.json", "text": "audit.txt"}


def results(names: list[str], hostvars: Any, registered: str = RESULT) -> Iterator[tuple[str, object]]:
    """What each host's task registered, untemplated: hostvars[name] would run a host's words as Jinja."""
    for name in names:
        # A Mapping only where the inventory knows the host.
        variables = hostvars.raw_get(name)
        yield name, variables.get(registered) if isinstance(variables, Mapping) else None


def write(found: Iterator[tuple[str, object]], bounds: dict[str, float], directory: str) -> Report:
    """Reads every host once, and writes the files when there is a directory."""
    now = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    version = collection_version()
    collector = Collector(lambda host, facts: evaluate(host, facts, bounds))
    if not directory:
        for name, result in found:
            collector.add(name, result)
        return collector.report(now, version, bounds)
    with Files(directory) as files:
        writer = audit_json.Writer(files.open(FILES["json"]), now, version, bounds)
        for name, result in found:
            writer.add(collector.add(name, result))
        report = collector.report(now, version, bounds)
        writer.finish(report.summary)
        html.write(report, files.open(FILES["html"]))
        files.open(FILES["text"]).write(block(report, directory, 40, 100))
    return report


def collection_version() -> str:
    root = resources.files("ansible_collections.tcpops.timewait")
    # A checkout has galaxy.yml, an installed collection MANIFEST.json; JSON is YAML.
    for name in ("MANIFEST.json", "galaxy.yml"):
        file = root / name
        if file.is_file():
            about = yaml.safe_load(file.read_text(encoding="utf-8"))
            return str(about.get("collection_info", about).get("version", "unknown"))
    return "unknown"


def block(report: Report, directory: str, rows: int, columns: int) -> str:
    unicode = locale.getpreferredencoding(False).lower().replace("-", "") == "utf8"
    # Ansible takes 79 columns when there is no terminal to ask.
    columns = columns if columns > 79 else 100
    written = "check mode: nothing was written"
    if directory:
        written = f"{os.path.join(directory, FILES['html'])} ({FILES['json']} and {FILES['text']} beside it)"
    return terminal.block(report, rows, columns, unicode, written)


def unaudited(report: Report, directory: str) -> str:
    names = ", ".join(host.name for host in report.missing[:5])
    more = ", ..." if len(report.missing) > 5 else ""
    where = f" The report is in {directory}." if directory else ""
    return f"{quantity(len(report.missing), 'host')} could not be audited: {names}{more}.{where}"
