# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What holds for every configuration, tried on made-up ones; the number of a test is the seed of its configuration."""

from __future__ import annotations

import random

import pytest
from ansible_collections.tcpops.timewait.plugins.module_utils._files import Files, MissingFileError
from ansible_collections.tcpops.timewait.plugins.module_utils._listeners.nginx import edit
from ansible_collections.tcpops.timewait.plugins.module_utils._listeners.plan import Listener, Plan
from ansible_collections.tcpops.timewait.plugins.module_utils._listeners.request import Request
from ansible_collections.tcpops.timewait.tests.lab.nginx_random import RandomConfiguration

_SEEDS = range(120)
_PORTS = (81, 82, 7000, 9000)


class FilesInMemory(Files):
    """The seam without a disk: hundreds of configurations, each edited a dozen times."""

    def __init__(self, made: RandomConfiguration) -> None:
        super().__init__()
        self.contents = dict(made.files)
        self._links = made.links

    def read_bytes(self, path: str) -> bytes:
        if path not in self.contents:
            raise MissingFileError(path, "there is no such file")
        return self.contents[path]

    def real_path(self, path: str) -> str:
        return self._links.get(path, path)

    def glob(self, pattern: str) -> list[str]:
        return sorted(path for path in [*self.contents, *self._links] if self._matches(path, pattern))

    def _matches(self, path: str, pattern: str) -> bool:
        folder, _slash, name = pattern.rpartition("/")
        if name == "*.conf":
            return path.rpartition("/")[0] == folder and path.endswith(".conf")
        return path == pattern.replace("[", "").replace("]", "")

    def apply(self, plan: Plan) -> None:
        idle = [path for path, content in plan.edits.items() if self.contents[path] == content]
        assert idle == [], "edits that change nothing"
        self.contents.update(plan.edits)


def mirrored(listeners: list[Listener], port: int) -> list[tuple]:
    return [(one.path, one.address, one.options) for one in listeners if one.port == port]


@pytest.fixture(params=_SEEDS)
def files(request: pytest.FixtureRequest) -> FilesInMemory:
    return FilesInMemory(RandomConfiguration(request.param))


def test_what_is_added_goes_again_and_twice_is_once(files: FilesInMemory) -> None:
    before = dict(files.contents)
    request = Request(80, _PORTS)
    plan = edit.add(files, request)
    files.apply(plan)
    after = edit.find(files)
    assert mirrored(after, 80)
    for port in _PORTS:
        assert mirrored(after, port) == mirrored(after, 80)
    assert plan.listeners == [one for one in after if one.added]
    assert edit.add(files, request).edits == {}
    files.apply(edit.remove(files, request))
    assert files.contents == before


def test_ports_come_and_go_in_any_order(files: FilesInMemory, request: pytest.FixtureRequest) -> None:
    """The files tell which ports are there, and nothing of the way to it."""
    chance = random.Random(request.node.callspec.params["files"])
    states = {frozenset(): dict(files.contents)}
    present: set[int] = set()
    for _step in range(12):
        ports = tuple(chance.sample(_PORTS, chance.randint(1, 3)))
        if chance.random() < 0.6:
            files.apply(edit.add(files, Request(80, ports)))
            present |= set(ports)
        else:
            files.apply(edit.remove(files, Request(80, ports)))
            present -= set(ports)
        assert states.setdefault(frozenset(present), dict(files.contents)) == files.contents
        assert {one.port for one in edit.find(files) if one.added} == present
    files.apply(edit.remove(files, Request(80, _PORTS)))
    assert files.contents == states[frozenset()]


def test_only_lines_are_inserted(files: FilesInMemory) -> None:
    """Every byte that was there is there, in its order, and every new one is part of a marked line."""
    before = dict(files.contents)
    files.apply(edit.add(files, Request(80, (81, 82))))
    for path, content in before.items():
        new = files.contents[path]
        at = 0
        inserted = bytearray()
        for byte in new:
            if at < len(content) and byte == content[at]:
                at += 1
            else:
                inserted.append(byte)
        assert at == len(content)
        assert len(new) - len(content) == len(inserted)
        marks = (new.count(b"# tcpops.timewait") - content.count(b"# tcpops.timewait"), inserted.count(b";"))
        assert marks[0] == marks[1]
