# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What spreading connections changes in configurations after real layouts: the lines, the connections, the warnings."""

from __future__ import annotations

import difflib
from pathlib import Path

import pytest
from ansible_collections.tcpops.timewait.plugins.module_utils._files import FileError, Files
from ansible_collections.tcpops.timewait.plugins.module_utils._spread.haproxy import edit as haproxy
from ansible_collections.tcpops.timewait.plugins.module_utils._spread.nginx import edit as nginx
from ansible_collections.tcpops.timewait.plugins.module_utils._spread.plan import Plan
from ansible_collections.tcpops.timewait.plugins.module_utils._spread.request import Request

from tests.lab.spread_cases import CASES, TREES, Case

_SERVERS = {"haproxy": haproxy, "nginx": nginx}


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


def write(root: Path, plan: Plan) -> None:
    for path, content in plan.edits.items():
        if content:
            (root / path[1:]).parent.mkdir(parents=True, exist_ok=True)
            (root / path[1:]).write_bytes(content)
        else:
            (root / path[1:]).unlink()


def snapshot(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


@pytest.fixture(name="root")
def fixture_root(case: Case, tmp_path: Path) -> Path:
    case.make(tmp_path / "root")
    return tmp_path / "root"


_EVERY = pytest.mark.parametrize("case", CASES, ids=[f"{case.server}-{case.name}" for case in CASES])


@_EVERY
def test_connections_are_spread_and_come_together_again(case: Case, root: Path) -> None:
    server, files, before = _SERVERS[case.server], Files(str(root)), snapshot(root)
    plan = server.add(files, case.request)
    assert described(files, plan) == case.expected.read_text()
    assert len(plan.connections) == case.connections
    write(root, plan)
    found = [one for one in server.find(files) if one.backend.lower() == case.request.backend.lower()]
    assert [one._replace(backend="") for one in found] == [one._replace(backend="") for one in plan.connections]
    again = server.add(files, case.request)
    assert again.edits == {}
    # lines have other numbers now
    assert [one.rpartition(": ")[2] for one in again.warnings] == [one.rpartition(": ")[2] for one in plan.warnings]
    write(root, server.remove(files, case.request))
    assert snapshot(root) == before


@_EVERY
def test_one_thing_after_another_is_all_at_once(case: Case, root: Path) -> None:
    server, files, request = _SERVERS[case.server], Files(str(root)), case.request
    before = snapshot(root)
    parts = [Request(request.backend, ports=(port,)) for port in reversed(request.ports)]
    parts += [Request(request.backend, addresses=(one,)) for one in request.addresses]
    # one at a time: a line that has a source already wants it among those that are given
    parts += [Request(request.backend, sources=request.sources)] if request.sources else []
    for part in parts:
        write(root, server.add(files, part))
    whole = snapshot(root)
    write(root, server.remove(files, Request(request.backend)))
    assert snapshot(root) == before
    write(root, server.add(files, request))
    assert snapshot(root) == whole
    for part in parts:
        write(root, server.remove(files, part))
    assert snapshot(root) == before


@_EVERY
def test_other_backends_stay_as_they_are(case: Case, root: Path) -> None:
    server, files = _SERVERS[case.server], Files(str(root))

    def others() -> list[tuple[str, str, str, int]]:
        found = [one for one in server.find(files) if one.backend.lower() != case.request.backend.lower()]
        return [(one.backend, one.source, one.address, one.port) for one in found]

    before = others()
    write(root, server.add(files, case.request))
    assert others() == before
    assert server.remove(files, Request("another")).edits == {}


def test_every_case_is_asked_for() -> None:
    there = {(folder.parent.name, folder.name) for server in _SERVERS for folder in (TREES / server).iterdir()}
    assert there == {(case.server, case.name) for case in CASES}
