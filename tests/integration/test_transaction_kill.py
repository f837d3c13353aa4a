# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""kill -9 after every system call that changes something, then the next run: the old state or the new one."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.lab import tracer
from tests.lab.facts import COLLECTIONS
from tests.lab.host_tree import Snapshot, snapshot
from tests.lab.namespaces import Lab, Namespace, ip

pytestmark = pytest.mark.skipif(not tracer.supported(), reason="the tracer knows x86-64 only")

#: More than any action makes.
_MOST_CALLS = 400
_OWN = "net/ipv4/ip_local_port_range"
_OTHER = "net/ipv4/tcp_fin_timeout"


@pytest.fixture
def host(made: Lab, monkeypatch: pytest.MonkeyPatch) -> Iterator[Host]:
    monkeypatch.syspath_prepend(str(COLLECTIONS))
    # in memory where that can be had: a kill loses nothing there either, and thousands of fsync(2) cost no time
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="tw-kill-", dir=memory) as folder:
        yield Host(made.namespace(), made.namespace(), Path(folder))


class Host:
    """Files, running values of two namespaces, and a server that has read one of the files."""

    def __init__(self, own: Namespace, other: Namespace, folder: Path) -> None:
        self.own = own
        self.other = other
        self.etc = folder / "etc"
        self.journal_path = folder / "journal"
        self.make()

    def make(self) -> None:
        """As it is before anything."""
        for folder in (self.etc, self.journal_path):
            shutil.rmtree(folder, ignore_errors=True)
        self.etc.mkdir()
        self._file("server.conf", b"port 80\n", 0o640)
        (self.etc / "loaded").write_bytes(b"port 80\n")
        self._file("unwanted.conf", b"\x00binary\xff" * 10, 0o604)
        self._file("shared.conf", b"first line\nsecond line\n", 0o600)
        os.link(self.etc / "shared.conf", self.etc / "shared.too")
        (self.etc / "behind.conf").write_bytes(b"old\n")
        (self.etc / "link.conf").symlink_to("behind.conf")
        (self.etc / "mask.conf").symlink_to("/dev/null")
        self.set_values("32768 60999", "60")

    def _file(self, name: str, content: bytes, mode: int) -> None:
        (self.etc / name).write_bytes(content)
        (self.etc / name).chmod(mode)

    def set_values(self, own: str, other: str) -> None:
        for namespace, key, value in ((self.own, _OWN, own), (self.other, _OTHER, other)):
            assert tracer.inside(namespace.path, lambda k=key, v=value: Path("/proc/sys", k).write_text(v + "\n")) == 0

    def state(self) -> Snapshot:
        found = snapshot(self.etc)
        found["running values"] = tuple(
            tracer.told_inside(namespace.path, Path("/proc/sys", key).read_text)
            for namespace, key in ((self.own, _OWN), (self.other, _OTHER))
        )
        return found

    def change(self) -> None:
        """One of each kind of step."""
        from ansible_collections.tcpops.timewait.plugins.module_utils import _transaction as transaction
        from ansible_collections.tcpops.timewait.plugins.module_utils._transaction import steps

        load = ["cp", str(self.etc / "server.conf"), str(self.etc / "loaded")]
        transaction.run(
            self.journal(),
            "test",
            "one of each",
            [
                steps.SetSysctl(_OWN, "10240 65535"),
                steps.WriteFile(str(self.etc / "server.conf"), b"port 80\nport 81\n"),
                steps.RunCommand(load, load, 30),
                steps.WriteFile(str(self.etc / "shared.conf"), b"FIRST LINE\nSECOND"),
                steps.WriteFile(str(self.etc / "link.conf"), b"new\n"),
                steps.WriteFile(str(self.etc / "new" / "folder" / "new.conf"), b"\xff" * 5000),
                steps.RemoveFile(str(self.etc / "unwanted.conf")),
                steps.RemoveFile(str(self.etc / "mask.conf")),
                steps.SetSysctl(_OTHER, "33", self.other.path),
            ],
        )

    def roll_back(self) -> None:
        from ansible_collections.tcpops.timewait.plugins.module_utils._transaction import rollback

        rollback.rollback(self.journal(), rollback.Choice(all=True))

    def recover(self) -> None:
        from ansible_collections.tcpops.timewait.plugins.module_utils._transaction import rollback

        rollback.rollback(self.journal(), rollback.Choice())
        assert all(entry.state != "open" for entry in self.journal().read().entries)

    def journal(self):  # type: ignore[no-untyped-def]
        from ansible_collections.tcpops.timewait.plugins.module_utils._transaction import Journal

        return Journal(str(self.journal_path), wait_seconds=5)

    def run(self, action: Callable[[], None]) -> None:
        assert tracer.inside(self.own.path, action) == 0


class AddressedHost(Host):
    """A file, and addresses of two namespaces."""

    def make(self) -> None:
        for folder in (self.etc, self.journal_path):
            shutil.rmtree(folder, ignore_errors=True)
        self.etc.mkdir()
        self._file("server.conf", b"port 80\n", 0o640)
        for namespace in (self.own, self.other):
            ip("-n", namespace.name, "address", "flush", "dev", "lo", "scope", "global")
            ip("-n", namespace.name, "address", "add", "10.1.0.1/32", "dev", "lo")

    def state(self) -> Snapshot:
        found = snapshot(self.etc)
        found["addresses"] = held(self.own), held(self.other)
        return found

    def change(self) -> None:
        from ansible_collections.tcpops.timewait.plugins.module_utils import _transaction as transaction
        from ansible_collections.tcpops.timewait.plugins.module_utils._transaction import steps

        transaction.run(
            self.journal(),
            "test",
            "addresses",
            [
                steps.AddAddress("lo", "2001:db8::2/128", 0),
                steps.WriteFile(str(self.etc / "server.conf"), b"port 80\nport 81\n"),
                steps.MakeLink(str(self.etc / "wants" / "unit"), "../unit"),
                steps.RemoveAddress("lo", "10.1.0.1/32"),
                steps.AddAddress("lo", "10.1.0.2/32", namespace=self.other.path),
            ],
        )


def held(namespace: Namespace) -> str:
    """Addresses and what routes come with them, as the kernel lists them."""
    return tracer.told_inside(
        namespace.path, lambda: Path("/proc/net/if_inet6").read_text() + Path("/proc/net/fib_trie").read_text()
    )


@pytest.fixture
def addressed(host: Host) -> AddressedHost:
    return AddressedHost(host.own, host.other, host.etc.parent)


def kill_everywhere(host: Host, prepare: Callable[[], None], action: Callable[[], None], torn: bool) -> list[str]:
    """Kill the action after each of its calls and recover; which of the two states each kill led to."""
    prepare()
    before = host.state()
    whole = tracer.killed_after(host.own.path, action, _MOST_CALLS)
    assert whole.status == 0
    after = host.state()
    assert before != after
    ends = []
    for number, name in enumerate(whole.calls, 1):
        if torn and name != "write":
            continue  # nothing else can be cut in half
        prepare()
        traced = tracer.killed_after(host.own.path, action, number, torn=torn)
        assert traced.status is None
        host.run(host.recover)
        found = host.state()
        at = f"killed after call {number}, {traced.calls[-1]}"
        assert found in (before, after), f"{at}: {difference(found, before)}, {difference(found, after)}"
        ends.append("before" if found == before else "after")
    host.run(host.recover)
    assert host.state() == found, "there is nothing left to recover"
    return ends


def difference(found: Snapshot, wanted: Snapshot) -> dict[str, object]:
    return {
        name: (found.get(name), wanted.get(name))
        for name in {*found, *wanted}
        if found.get(name) != wanted.get(name)
    }


@pytest.mark.parametrize("torn", [False, True], ids=["whole writes", "half writes"])
def test_a_killed_change_is_undone(host: Host, torn: bool) -> None:
    ends = kill_everywhere(host, host.make, host.change, torn)
    assert ends == sorted(ends, reverse=True), "undone up to the commit, in force from it on"
    assert len(ends) > (10 if torn else 60)
    assert set(ends) == ({"before"} if torn else {"before", "after"}), "half a commit is none"


@pytest.mark.parametrize("torn", [False, True], ids=["whole writes", "half writes"])
def test_a_killed_rollback_is_completed(host: Host, torn: bool) -> None:
    def prepare() -> None:
        host.make()
        host.run(host.change)

    ends = kill_everywhere(host, prepare, host.roll_back, torn)
    # here "before" is the state that the change made: nothing happens before the intent is on disk
    assert ends == sorted(ends, reverse=True)
    assert ends.count("after") > (10 if torn else 40)


def test_addresses_of_a_killed_change_go_again(addressed: AddressedHost) -> None:
    ends = kill_everywhere(addressed, addressed.make, addressed.change, torn=False)
    assert ends == sorted(ends, reverse=True)
    assert set(ends) == {"before", "after"}
    assert len(ends) > 25


def test_addresses_of_a_killed_rollback_come_again(addressed: AddressedHost) -> None:
    def prepare() -> None:
        addressed.make()
        addressed.run(addressed.change)

    ends = kill_everywhere(addressed, prepare, addressed.roll_back, torn=False)
    assert ends == sorted(ends, reverse=True)
    assert ends.count("after") > 15


@pytest.mark.parametrize("first", [25, 45, 60])
def test_a_killed_recovery_is_done_again(host: Host, first: int) -> None:
    host.make()
    before = host.state()

    def prepare() -> None:
        host.make()
        assert tracer.killed_after(host.own.path, host.change, first).status is None

    for number in range(1, _MOST_CALLS):
        prepare()
        traced = tracer.killed_after(host.own.path, host.recover, number)
        if traced.status is not None:
            assert traced.status == 0
            assert number > 5, "there was something to undo"
            break
        host.run(host.recover)
        assert host.state() == before, f"killed after call {number}, {traced.calls[-1]}"
    assert host.state() == before


def test_the_tracer_sees_what_happens(host: Host, tmp_path: Path) -> None:
    """The harness itself: a call more is a call later, and what comes after the kill does not happen."""

    def action() -> None:
        for name in ("one", "two"):
            with open(tmp_path / name, "wb", buffering=0) as stream:
                stream.write(b"12345678")

    whole = tracer.killed_after(host.own.path, action, _MOST_CALLS)
    assert (whole.calls, whole.status) == (["openat", "write", "openat", "write"], 0)
    for path in (tmp_path / "one", tmp_path / "two"):
        path.unlink()
    assert tracer.killed_after(host.own.path, action, 2, torn=True).calls == ["openat", "write"]
    assert (tmp_path / "one").read_bytes() == b"1234"
    assert not (tmp_path / "two").exists()
