# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What holds for any configuration: adding comes back, twice is once, and the order does not matter."""

from __future__ import annotations

import os
from pathlib import Path
from types import ModuleType

import pytest
from ansible_collections.tcpops.timewait.plugins.module_utils._files import Files
from ansible_collections.tcpops.timewait.plugins.module_utils._listeners.apache import edit as apache
from ansible_collections.tcpops.timewait.plugins.module_utils._listeners.haproxy import edit as haproxy
from ansible_collections.tcpops.timewait.plugins.module_utils._listeners.plan import Plan
from ansible_collections.tcpops.timewait.plugins.module_utils._listeners.request import Request
from ansible_collections.tcpops.timewait.plugins.module_utils._listeners.systemd_socket import edit as systemd_socket

from tests.lab.listener_random import MAKERS, MadeUp

_SERVERS = {"apache": apache, "haproxy": haproxy, "systemd_socket": systemd_socket}
_SEEDS = 60
_EVERY = [(server, seed) for server in _SERVERS for seed in range(_SEEDS)]


def make(root: Path, made: MadeUp) -> None:
    for path, content in made.files.items():
        target = root / path[1:]
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    for path, link in made.links.items():
        target = root / path[1:]
        target.parent.mkdir(parents=True, exist_ok=True)
        target.symlink_to(link)


def write(root: Path, plan: Plan) -> None:
    for path, content in plan.edits.items():
        target = root / path[1:]
        if content:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
        else:
            target.unlink()


def contents(root: Path) -> dict[str, bytes]:
    return {os.path.relpath(path, root): path.read_bytes() for path in root.rglob("*") if path.is_file()}


@pytest.fixture(params=_EVERY, ids=[f"{server}-{seed}" for server, seed in _EVERY])
def server_on(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[ModuleType, Path]:
    server, seed = request.param
    make(tmp_path, MAKERS[server](seed))
    return _SERVERS[server], tmp_path


def test_adding_comes_back_byte_for_byte(server_on: tuple[ModuleType, Path]) -> None:
    server, root = server_on
    files = Files(str(root))
    before, heard = contents(root), server.find(files)
    plan = server.add(files, Request(80, (81, 82)))
    assert plan.edits
    write(root, plan)
    wanted = sorted((one.address, port) for one in heard if one.port == 80 for port in (81, 82))
    assert sorted((one.address, one.port) for one in server.find(files) if one.added) == wanted
    assert sorted((one.address, one.port) for one in plan.listeners) == wanted
    others = [(one.path, one.address, one.port, one.options) for one in server.find(files) if not one.added]
    assert others == [(one.path, one.address, one.port, one.options) for one in heard]
    back = server.remove(files, Request(80, (81, 82)))
    assert sorted((one.address, one.port) for one in back.listeners) == wanted
    write(root, back)
    assert contents(root) == before


def test_adding_twice_is_adding_once(server_on: tuple[ModuleType, Path]) -> None:
    server, root = server_on
    files = Files(str(root))
    write(root, server.add(files, Request(80, (81, 82))))
    again = server.add(files, Request(80, (82, 81)))
    assert again.edits == {}
    assert {one.port for one in again.listeners} == {81, 82}
    assert server.remove(files, Request(80, (83,))).edits == {}


def test_one_port_after_another_is_both_at_once(server_on: tuple[ModuleType, Path]) -> None:
    server, root = server_on
    files = Files(str(root))
    write(root, server.add(files, Request(80, (81,))))
    first = contents(root)
    write(root, server.add(files, Request(80, (82,))))
    second = contents(root)
    write(root, server.remove(files, Request(80, (81, 82))))
    write(root, server.add(files, Request(80, (81, 82))))
    assert contents(root) == second
    write(root, server.remove(files, Request(80, (82,))))
    assert contents(root) == first


def test_what_was_added_beside_another_port_stays(server_on: tuple[ModuleType, Path]) -> None:
    server, root = server_on
    files = Files(str(root))
    write(root, server.add(files, Request(80, (81,))))
    assert server.remove(files, Request(8080, (81,))).edits == {}
