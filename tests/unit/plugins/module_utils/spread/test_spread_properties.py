# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What holds for any configuration: spreading comes back, twice is once, the order does not matter, limits add up."""

from __future__ import annotations

import re
from pathlib import Path
from types import ModuleType

import pytest
from ansible_collections.tcpops.timewait.plugins.module_utils._files import Files
from ansible_collections.tcpops.timewait.plugins.module_utils._spread.haproxy import edit as haproxy
from ansible_collections.tcpops.timewait.plugins.module_utils._spread.nginx import edit as nginx
from ansible_collections.tcpops.timewait.plugins.module_utils._spread.plan import Plan
from ansible_collections.tcpops.timewait.plugins.module_utils._spread.request import Request, version_of

from tests.lab.spread_random import MAKERS

_SERVERS = {"haproxy": haproxy, "nginx": nginx}
_SEEDS = 60
_EVERY = [(server, seed) for server in _SERVERS for seed in range(_SEEDS)]
_LIMIT = re.compile(rb"max_?conn[s=\s]+(\d+)")
_LIVE = re.compile(rb"(?m)^[ \t]*#.*$|#.*$")


@pytest.fixture(name="made", params=_EVERY, ids=[f"{server}-{seed}" for server, seed in _EVERY])
def fixture_made(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[ModuleType, Path, Request]:
    server, seed = request.param
    made = MAKERS[server](seed)
    for path, content in made.files.items():
        (tmp_path / path[1:]).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path[1:]).write_bytes(content)
    return _SERVERS[server], tmp_path, made.request


def write(root: Path, plan: Plan) -> None:
    for path, content in plan.edits.items():
        if content:
            (root / path[1:]).write_bytes(content)
        else:
            (root / path[1:]).unlink()


def contents(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def limits(root: Path) -> int:
    """All limits of servers together, those in comments left out."""
    return sum(int(number) for text in contents(root).values() for number in _LIMIT.findall(_LIVE.sub(b"", text)))


def test_spreading_comes_back_byte_for_byte(made: tuple[ModuleType, Path, Request]) -> None:
    server, root, request = made
    files, before = Files(str(root)), contents(root)
    plan = server.add(files, request)
    write(root, plan)
    assert server.add(files, request).edits == {}
    write(root, server.remove(files, request))
    assert contents(root) == before
    write(root, plan)
    write(root, server.remove(files, Request("app")))
    assert contents(root) == before


def test_every_server_is_reached_in_every_way(made: tuple[ModuleType, Path, Request]) -> None:
    server, root, request = made
    files = Files(str(root))
    before = [one for one in server.find(files) if one.backend == "app"]
    others = [one._replace(line=0) for one in server.find(files) if one.backend != "app"]
    plan = server.add(files, request)
    write(root, plan)
    wanted = {
        (source, host, port)
        for one in before
        for host in (one.address, *request.addresses_of(_name(server, root, one.line, one.address)))
        for port in (one.port, *request.ports)
        for source in request.sources or ("",)
    }
    found = [(one.source, one.address, one.port) for one in plan.connections]
    assert sorted(found) == sorted(wanted)
    assert all(version_of(source) == 4 for source, _host, _port in found if source)
    assert [one._replace(line=0) for one in server.find(files) if one.backend != "app"] == others


def _name(server: ModuleType, root: Path, line: int, address: str) -> str:
    """HAProxy's name of a server is that of its address here: s1 is 10.20.0.1."""
    return "s" + address.rpartition(".")[2] if server is haproxy else address


def test_limits_are_divided(made: tuple[ModuleType, Path, Request]) -> None:
    server, root, request = made
    text = b"".join(contents(root).values())
    before = limits(root)
    if b"default-server maxconn 60" in text:  # it stands there once, and each server that is divided has it then
        section = re.split(rb"(?m)^(?:backend|listen)", text.partition(b" app  #")[2])[0]
        servers = [line for line in section.splitlines() if line.split()[:1] == [b"server"] and b"maxconn" not in line]
        names = [line.split()[1].decode() for line in servers]
        ways = [max(1, len(request.sources)) * (1 + len(request.ports)) * (1 + len(request.addresses_of(name)))
                for name in names]  # fmt: skip
        before += 60 * sum(way > 1 for way in ways)
    write(root, server.add(Files(str(root)), request))
    assert limits(root) == before


def test_one_thing_after_another_is_all_at_once(made: tuple[ModuleType, Path, Request]) -> None:
    server, root, request = made
    files = Files(str(root))
    parts = [Request("app", sources=(one,)) for one in request.sources]
    parts += [Request("app", ports=(one,)) for one in request.ports]
    parts += [Request("app", addresses=(one,)) for one in request.addresses]
    states = [contents(root)]
    for part in parts:
        write(root, server.add(files, part))
        states.append(contents(root))
    write(root, server.remove(files, Request("app")))
    assert contents(root) == states[0]
    write(root, server.add(files, request))
    assert contents(root) == states[-1]
    for part, state in zip(reversed(parts), reversed(states[:-1]), strict=True):
        write(root, server.remove(files, part))
        assert contents(root) == state
