# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What adding ports changes in configurations after real layouts: the lines, the listeners, the warnings."""

from __future__ import annotations

import difflib
from pathlib import Path

import pytest
from ansible_collections.tcpops.timewait.plugins.module_utils._files import FileError, Files
from ansible_collections.tcpops.timewait.plugins.module_utils._listeners.apache import edit as apache
from ansible_collections.tcpops.timewait.plugins.module_utils._listeners.haproxy import edit as haproxy
from ansible_collections.tcpops.timewait.plugins.module_utils._listeners.plan import Plan
from ansible_collections.tcpops.timewait.plugins.module_utils._listeners.request import Request
from ansible_collections.tcpops.timewait.plugins.module_utils._listeners.systemd_socket import edit as systemd_socket

from tests.lab.listener_cases import CASES, TREES, Case

_SERVERS = {"apache": apache, "haproxy": haproxy, "systemd_socket": systemd_socket}


def described(files: Files, plan: Plan) -> str:
    """Changed lines of each file, and the warnings."""
    lines = []
    for path, content in sorted(plan.edits.items()):
        try:
            before = files.read_text(path).splitlines()
        except FileError:
            before = []
        lines += [f"= {path}", *difflib.unified_diff(before, content.decode().splitlines(), n=0, lineterm="")]
    # the header of a difference names nothing here
    lines = [line for line in lines if not line.startswith(("--- ", "+++ "))]
    return "".join(line + "\n" for line in [*lines, *(f"! {warning}" for warning in plan.warnings)])


@pytest.mark.parametrize("case", CASES, ids=[f"{case.server}-{case.name}" for case in CASES])
def test_ports_are_added_and_taken_away(case: Case, tmp_path: Path) -> None:
    root = tmp_path / "root"
    case.make(root)
    server, files, request = _SERVERS[case.server], Files(str(root)), Request(case.existing_port, case.ports)
    plan = server.add(files, request)
    expected = TREES / f"{case.server}.expected" / f"{case.name}.diff"
    assert described(files, plan) == expected.read_text()
    assert all(one.added and one.port in case.ports for one in plan.listeners)
    assert len(plan.listeners) == case.listeners
    before = {path: (root / path[1:]).read_bytes() if (root / path[1:]).exists() else b"" for path in plan.edits}
    for path, content in plan.edits.items():
        (root / path[1:]).parent.mkdir(parents=True, exist_ok=True)
        (root / path[1:]).write_bytes(content)
    assert server.add(files, request).edits == {}
    assert server.remove(files, request).edits == before


def test_every_case_is_asked_for() -> None:
    there = {(folder.parent.name, folder.name) for server in _SERVERS for folder in (TREES / server).iterdir()}
    assert there == {(case.server, case.name) for case in CASES}
