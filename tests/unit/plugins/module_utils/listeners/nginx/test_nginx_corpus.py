# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Configurations as hosts have them: what adding ports does to each, and that taking them away leaves nothing."""

from __future__ import annotations

import difflib
from pathlib import Path

import pytest
from ansible_collections.tcpops.timewait.plugins.module_utils._files import Files
from ansible_collections.tcpops.timewait.plugins.module_utils._listeners.nginx import edit
from ansible_collections.tcpops.timewait.plugins.module_utils._listeners.plan import Plan
from ansible_collections.tcpops.timewait.plugins.module_utils._listeners.request import Request
from ansible_collections.tcpops.timewait.tests.lab.nginx_cases import CASES, Case


def described(plan: Plan, root: Path) -> str:
    """A plan as people read it: what changes, without the lines around, and the warnings."""
    lines = []
    for path, content in sorted(plan.edits.items()):
        old, new = (
            data.decode().replace("\r\n", "\\r\n").splitlines(keepends=True)
            for data in ((root / path.lstrip("/")).read_bytes(), content)
        )
        lines += difflib.unified_diff(old, new, path, path, n=0)
    lines = [line if line.endswith("\n") else line + "\\no newline\n" for line in lines]
    return "".join(lines + [f"warning: {sentence}\n" for sentence in plan.warnings])


def snapshot(root: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in root.rglob("*") if path.is_file() and not path.is_symlink()}


def apply(plan: Plan, root: Path) -> None:
    for path, content in plan.edits.items():
        target = root / path.lstrip("/")
        assert target.is_file()
        assert not target.is_symlink()
        target.write_bytes(content)


@pytest.fixture(params=CASES, ids=[case.name for case in CASES])
def case(request: pytest.FixtureRequest, tmp_path: Path) -> Case:
    request.param.make(tmp_path)
    return request.param


def test_adding_changes_what_it_should(case: Case, tmp_path: Path) -> None:
    plan = edit.add(Files(str(tmp_path)), Request(case.existing_port, case.ports), case.main)
    assert described(plan, tmp_path) == case.expected.read_text()


def test_removing_gives_back_every_byte(case: Case, tmp_path: Path) -> None:
    files, request = Files(str(tmp_path)), Request(case.existing_port, case.ports)
    before = snapshot(tmp_path)
    added = edit.add(files, request, case.main)
    apply(added, tmp_path)
    assert edit.add(files, request, case.main).edits == {}, "once more changes nothing"
    removed = edit.remove(files, request, case.main)
    assert removed.listeners
    assert sorted(removed.listeners) == sorted(added.listeners)
    apply(removed, tmp_path)
    assert snapshot(tmp_path) == before
    assert edit.remove(files, request, case.main) == Plan({}, [], [])


def test_ports_come_and_go_one_by_one(case: Case, tmp_path: Path) -> None:
    """Whatever the order, the files are those of all that are there at the time."""
    files = Files(str(tmp_path))
    states = {(): snapshot(tmp_path)}
    ports = sorted({*case.ports, 7000, 7001})
    for count in range(1, len(ports) + 1):
        apply(edit.add(files, Request(case.existing_port, tuple(ports[:count])), case.main), tmp_path)
        states[tuple(ports[:count])] = snapshot(tmp_path)
    apply(edit.remove(files, Request(case.existing_port, tuple(ports[:-1])), case.main), tmp_path)
    for port in reversed(ports[:-1]):
        apply(edit.add(files, Request(case.existing_port, (port,)), case.main), tmp_path)
    assert snapshot(tmp_path) == states[tuple(ports)]
    for count in range(len(ports) - 1, -1, -1):
        apply(edit.remove(files, Request(case.existing_port, (ports[count],)), case.main), tmp_path)
        assert snapshot(tmp_path) == states[tuple(ports[:count])]


def test_the_new_ports_are_listened_on_as_the_old_one(case: Case, tmp_path: Path) -> None:
    files = Files(str(tmp_path))
    before = edit.find(files, case.main)
    apply(edit.add(files, Request(case.existing_port, case.ports), case.main), tmp_path)
    after = edit.find(files, case.main)
    assert [one._replace(line=0) for one in after if not one.added] == [one._replace(line=0) for one in before]
    old = [(one.path, one.address, one.options) for one in after if one.port == case.existing_port]
    for port in case.ports:
        assert [(one.path, one.address, one.options) for one in after if one.port == port] == old
