# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What cannot be done is refused with one sentence, and the host is as before."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab import facts
from tests.lab.host_tree import snapshot
from tests.lab.namespaces import Lab, Namespace

_RANGE = "ipv4/ip_local_port_range"
_PROGRAM = """
import json, sys
from ansible_collections.tcpops.timewait.plugins.module_utils._transaction import *
from ansible_collections.tcpops.timewait.plugins.module_utils._transaction.rollback import *
from ansible_collections.tcpops.timewait.plugins.module_utils._transaction.steps import *
etc, journal = sys.argv[1], Journal(sys.argv[2], wait_seconds=0.3)
try:
    outcome = {expression}
    print(json.dumps(["changed" if outcome.changed else "unchanged", outcome.as_result()]))
except TransactionError as error:
    print(json.dumps(["refused", str(error)]))
"""
_BOTH = (
    "run(journal, 'test', 'both', [SetSysctl('net/ipv4/ip_local_port_range', '10240 65535'), "
    "WriteFile(etc + '/a.conf', b'new'), WriteFile(etc + '/b.conf', b'new' * 30000)])"
)


class Sandbox:
    """A host in a private mount namespace and a network namespace of its own."""

    def __init__(self, namespace: Namespace, folder: Path) -> None:
        self.namespace = namespace
        self.folder = folder
        self.etc = folder / "etc"
        self.journal = folder / "journal"
        self.etc.mkdir()
        (self.etc / "a.conf").write_bytes(b"old")
        namespace.set_sysctls({_RANGE: "32768 60999"})

    def ask(self, expression: str, setup: str = "true", prefix: str = "") -> tuple[str, object]:
        """Run an expression that gives an outcome, after a shell command in the mount namespace."""
        program = self.folder / "program.py"
        program.write_text(_PROGRAM.replace("{expression}", expression), encoding="utf-8")
        # what is mounted there goes with the process
        script = textwrap.dedent(f"""
            set -e
            {setup}
            exec {prefix} {sys.executable} {program} {self.etc} {self.journal}
        """)
        done = subprocess.run(
            ["unshare", "--mount", "--propagation=private", *self.namespace.argv("sh", "-c", script)],
            capture_output=True,
            text=True,
            env=facts.environment(),
            timeout=60,
            check=False,
        )
        assert done.stdout, done.stderr
        verdict, told = json.loads(done.stdout)
        return verdict, told

    def refused(self, expression: str, setup: str = "true", prefix: str = "") -> str:
        """The sentence, after a look that nothing was changed and nothing is left open."""
        before = self.state()
        verdict, told = self.ask(expression, setup, prefix)
        assert verdict == "refused", told
        assert isinstance(told, str)
        assert self.state() == before
        assert "\n" not in told
        assert "Errno" not in told
        assert "Traceback" not in told
        for entry in self.journal.glob("*/entry.json"):
            assert json.loads(entry.read_bytes())["state"] != "open"
        return told

    def state(self) -> tuple[object, str]:
        return snapshot(self.etc), self.namespace.sysctl(_RANGE)


@pytest.fixture(name="sandbox")
def fixture_sandbox(made: Lab, tmp_path: Path) -> Iterator[Sandbox]:
    tmp_path.chmod(0o755)
    for parent in tmp_path.parents:
        if parent.name.startswith(("pytest-", "popen-")):  # the runner's own, one or two of them
            parent.chmod(0o755)  # so that the test without privilege gets as far as the journal
    yield Sandbox(made.namespace(), tmp_path)


def test_the_sandbox_lets_it_through(sandbox: Sandbox) -> None:
    """Each refusal below is for its own reason: without that reason, the same steps are done."""
    assert sandbox.ask(_BOTH)[0] == "changed"
    assert sandbox.state()[1] == "10240 65535"
    assert sandbox.ask(_BOTH) == ("unchanged", {"changed": False, "transaction": None, "diff": [], "recovered": []})
    assert len(list(sandbox.journal.glob("*/entry.json"))) == 1
    assert (sandbox.journal.stat().st_mode & 0o777) == 0o700


def test_a_full_disk_below_the_journal(sandbox: Sandbox) -> None:
    setup = f"mkdir -p {sandbox.journal}; mount -t tmpfs -o size=64k,mode=0700 tmpfs {sandbox.journal}"
    told = sandbox.refused(_BOTH, setup)
    assert "No space left on device; nothing was changed" in told
    assert str(sandbox.journal) in told


def test_a_full_disk_below_the_files(sandbox: Sandbox) -> None:
    """The first file fits and the second does not: the first and the running value go back."""
    setup = (
        f"cp -a {sandbox.etc} {sandbox.etc}.real; mount -t tmpfs -o size=64k tmpfs {sandbox.etc}; "
        f"cp -a {sandbox.etc}.real/. {sandbox.etc}"
    )
    told = sandbox.refused(_BOTH, setup)
    assert told == f"{sandbox.etc}/b.conf cannot be written: No space left on device; everything was put back"


def test_read_only_files(sandbox: Sandbox) -> None:
    told = sandbox.refused(_BOTH, f"mount --bind {sandbox.etc} {sandbox.etc}; mount -o remount,ro,bind {sandbox.etc}")
    assert told.startswith(f"{sandbox.etc}/a.conf cannot be written: Read-only file system")
    assert told.endswith("everything was put back")


def test_read_only_sysctls(sandbox: Sandbox) -> None:
    told = sandbox.refused(_BOTH, "mount --bind /proc/sys /proc/sys; mount -o remount,ro,bind /proc/sys")
    assert told.startswith("net.ipv4.ip_local_port_range cannot be set to '10240 65535': Read-only file system")
    assert told.endswith("nothing was changed")
    assert not list(sandbox.journal.glob("*/entry.json"))


def test_read_only_journal(sandbox: Sandbox) -> None:
    sandbox.journal.mkdir(mode=0o700)
    path = sandbox.journal
    told = sandbox.refused(_BOTH, f"mount --bind {path} {path}; mount -o remount,ro,bind {path}")
    assert told.startswith(f"the journal {path} cannot be written: Read-only file system")


@pytest.mark.parametrize("value", ["65535 10240", "1", "a b", "1 99999"])
def test_a_value_that_the_kernel_refuses(sandbox: Sandbox, value: str) -> None:
    told = sandbox.refused(
        "run(journal, 'test', 'x', [WriteFile(etc + '/a.conf', b'new'), "
        f"SetSysctl('net/ipv4/ip_local_port_range', {value!r})])"
    )
    assert told.startswith(f"net.ipv4.ip_local_port_range cannot be set to {value!r}: Invalid argument") or (
        "after" in told and value in told
    )
    assert told.endswith("; everything was put back")


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("kernel/panic", "only keys below /proc/sys/net"),
        ("net/../kernel/panic", "only keys below /proc/sys/net"),
        ("net/ipv4", "cannot be read"),
        ("net/ipv4/no_such_key", "there is no such key"),
        ("/net/ipv4/tcp_fin_timeout", "only keys below /proc/sys/net"),
    ],
)
def test_a_key_that_is_none_of_ours(sandbox: Sandbox, key: str, words: str) -> None:
    assert words in sandbox.refused(f"run(journal, 'test', 'x', [SetSysctl({key!r}, '1')])")
    assert not sandbox.journal.exists()


def test_without_privilege(sandbox: Sandbox) -> None:
    nobody = "setpriv --reuid=65534 --regid=65534 --clear-groups"
    told = sandbox.refused(_BOTH, prefix=nobody)
    assert str(sandbox.journal) in told
    assert "Permission denied; run as root" in told
    sandbox.journal.mkdir(mode=0o700)
    for expression in (_BOTH, "preview([WriteFile(etc + '/a.conf', b'new')], journal)", "rollback(journal, Choice())"):
        told = sandbox.refused(expression, prefix=nobody)
        assert "Permission denied; run as root" in told


def test_a_journal_of_somebody_else(sandbox: Sandbox) -> None:
    sandbox.journal.mkdir(mode=0o700)
    os.chown(sandbox.journal, 65534, 65534)
    assert "is not a folder of this user that nobody else can write to" in sandbox.refused(_BOTH)


def test_two_runs_at_once(sandbox: Sandbox, made: Lab) -> None:
    sandbox.journal.mkdir(mode=0o700)
    lock = sandbox.journal / "lock"
    program = (
        "import fcntl, sys, time; lock = open(sys.argv[1], 'w'); fcntl.flock(lock, fcntl.LOCK_EX);"
        "lock.write('4711'); lock.flush(); print('held', flush=True); time.sleep(300)"
    )
    holder = made.start([sys.executable, "-c", program, str(lock)], stdout=subprocess.PIPE)
    assert holder.stdout
    assert holder.stdout.readline() == "held\n"
    told = sandbox.refused(_BOTH)
    assert told.startswith("another run (process 4711) holds the lock")
    made.stop(holder)
    assert sandbox.ask(_BOTH)[0] == "changed", "the lock goes with the process"


def test_an_immutable_file(sandbox: Sandbox) -> None:
    victim = sandbox.etc / "a.conf"
    if subprocess.run(["chattr", "+i", str(victim)], capture_output=True, check=False).returncode:
        pytest.skip("this file system has no immutable files")
    try:
        told = sandbox.refused(_BOTH)
    finally:
        subprocess.run(["chattr", "-i", str(victim)], check=True)
    assert told.startswith(f"{victim} cannot be written: Operation not permitted")
    assert "immutable" in told


@pytest.mark.parametrize(
    ("setup", "words"),
    [
        ("mkdir x.conf", "is no regular file"),
        ("ln -s nowhere x.conf", "is a symbolic link to nowhere: there is no such file"),
        ("ln -s x.conf x.conf", "is a symbolic link to x.conf: Too many levels"),
        ("ln -s /dev/null x.conf", "/dev/null is no regular file"),
        ("mkfifo x.conf", "is no regular file"),
        ("truncate -s 17M x.conf", "is larger than 16 MiB"),
    ],
)
def test_something_that_is_no_file(sandbox: Sandbox, setup: str, words: str) -> None:
    subprocess.run(["sh", "-c", setup], cwd=sandbox.etc, check=True)
    told = sandbox.refused("run(journal, 'test', 'x', [WriteFile(etc + '/x.conf', b'new')])")
    assert told.startswith(("/dev/null", f"{sandbox.etc}/x.conf"))
    assert words in told
    assert not sandbox.journal.exists(), "it is seen before anything is written"


def test_one_name_of_several_is_not_removed(sandbox: Sandbox) -> None:
    os.link(sandbox.etc / "a.conf", sandbox.etc / "too.conf")
    assert "is one of 2 names" in sandbox.refused("run(journal, 'test', 'x', [RemoveFile(etc + '/a.conf')])")


def test_a_file_below_a_file(sandbox: Sandbox) -> None:
    told = sandbox.refused("run(journal, 'test', 'x', [WriteFile(etc + '/a.conf/b', b'new')])")
    assert told == f"{sandbox.etc}/a.conf/b cannot be read: Not a directory"


def test_one_thing_twice(sandbox: Sandbox) -> None:
    (sandbox.etc / "same.conf").symlink_to("a.conf")
    told = sandbox.refused(
        "run(journal, 'test', 'x', [WriteFile(etc + '/a.conf', b'1'), WriteFile(etc + '/same.conf', b'2')])"
    )
    assert told == f"{sandbox.etc}/a.conf is changed twice by one transaction"
    os.link(sandbox.etc / "a.conf", sandbox.etc / "too.conf")
    told = sandbox.refused(
        "run(journal, 'test', 'x', [WriteFile(etc + '/a.conf', b'1'), WriteFile(etc + '/too.conf', b'2')])"
    )
    assert told == f"{sandbox.etc}/too.conf is changed twice by one transaction"
    told = sandbox.refused(
        "run(journal, 'test', 'x', [SetSysctl('net/ipv4/tcp_fin_timeout', '3'), "
        "SetSysctl('net/ipv4/tcp_fin_timeout', '4', '/proc/self/ns/net')])"
    )
    assert told == "net.ipv4.tcp_fin_timeout in network namespace /proc/self/ns/net is changed twice by one transaction"


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (["false"], "false failed with status 1: it said nothing"),
        (["sh", "-c", "echo line one; echo line two >&2; exit 3"], "failed with status 3: line one line two"),
        (["no-such-program"], "no-such-program cannot be run: No such file or directory"),
        (["sleep", "100"], "sleep 100 did not end within 1 s"),
    ],
)
def test_a_command_that_fails(sandbox: Sandbox, command: list[str], words: str) -> None:
    told = sandbox.refused(
        "run(journal, 'test', 'x', [SetSysctl('net/ipv4/ip_local_port_range', '10240 65535'), "
        f"WriteFile(etc + '/a.conf', b'new'), RunCommand({command!r}, ['true'], 1)])"
    )
    assert words in told
    assert told.endswith("; everything was put back")


def test_a_verification_that_refuses(sandbox: Sandbox) -> None:
    raising = "(_ for _ in ()).throw(TransactionError('port 81 does not answer'))"
    told = sandbox.refused(
        "run(journal, 'test', 'x', [SetSysctl('net/ipv4/ip_local_port_range', '10240 65535'), "
        f"WriteFile(etc + '/a.conf', b'new')], verify=lambda: {raising})"
    )
    assert told == "port 81 does not answer; everything was put back"


def test_a_verification_that_leaves(sandbox: Sandbox) -> None:
    """As ``fail_json`` does: the exit goes on, after everything was put back."""
    before = sandbox.state()
    with pytest.raises(AssertionError):
        sandbox.ask(
            "run(journal, 'test', 'x', [SetSysctl('net/ipv4/ip_local_port_range', '10240 65535'), "
            "WriteFile(etc + '/a.conf', b'new')], verify=lambda: sys.exit(3))"
        )
    assert sandbox.state() == before


def test_a_command_is_undone_after_the_files(sandbox: Sandbox) -> None:
    """What a server has loaded is what stands in its file, before and after."""
    path, loaded = sandbox.etc / "a.conf", sandbox.folder / "loaded"
    load = ["cp", str(path), str(loaded)]
    steps = f"[WriteFile(etc + '/a.conf', b'new'), RunCommand({load!r}, {load!r}, 9), RunCommand(['false'], [], 9)]"
    sandbox.refused(f"run(journal, 'test', 'x', {steps})")
    assert loaded.read_bytes() == b"old"


def test_what_cannot_be_put_back_is_said_and_tried_again(sandbox: Sandbox) -> None:
    """The command makes the files read-only, so that undoing fails too; the next run finds them writable again."""
    script = f"mount --bind {sandbox.etc} {sandbox.etc}; mount -o remount,ro,bind {sandbox.etc}; exit 1"
    read_only = ["sh", "-c", script]
    verdict, told = sandbox.ask(
        f"run(journal, 'test', 'x', [WriteFile(etc + '/a.conf', b'new'), RunCommand({read_only!r}, [], 9)])"
    )
    assert verdict == "refused"
    assert f"not put back: {sandbox.etc}/a.conf cannot be written: Read-only file system" in str(told)
    assert "stays open, and the next run tries again" in str(told)
    assert (sandbox.etc / "a.conf").read_bytes() == b"new"
    verdict, told = sandbox.ask("run(journal, 'test', 'y', [WriteFile(etc + '/c.conf', b'c')])")
    assert verdict == "changed"
    assert isinstance(told, dict)
    assert [one["action"] for one in told["recovered"]] == ["undone"]
    assert (sandbox.etc / "a.conf").read_bytes() == b"old"
