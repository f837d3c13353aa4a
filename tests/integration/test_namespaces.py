# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Other network namespaces of the host: found, named, counted, and left as they were."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.lab import facts, oracle
from tests.lab.namespaces import Lab, Namespace
from tests.lab.oracle import client_end
from tests.lab.traffic import Traffic

NOBODY = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
_LONG = "300"


def gather(
    namespace: Namespace, *prefix: str, **options: Any
) -> tuple[dict[str, Any], dict[int, dict[str, Any]]]:
    """All facts, and those of each namespace by inode."""
    subsets = ["census", "namespaces", "sysctls", "counters"]
    found = facts.by_module(namespace, *prefix, gather_subset=subsets, **options)
    return found, {one["inode"]: one for one in found["namespaces"]}


def test_a_named_namespace_without_processes(made: Lab, namespace: Namespace, traffic: Traffic) -> None:
    named = made.namespace(tcp_tw_reuse=0, ip_local_port_range="50000 50099")
    server = traffic.listen(named, "127.0.0.1", 80)
    ends = [client_end(one) for one in traffic.connect(named, server, "127.0.0.1", "client", 25).connections]
    oracle.wait_for(lambda: oracle.ss_states(named)["TIME-WAIT"] == 25)
    found, by_inode = gather(namespace)
    assert found["namespaces"][0]["inode"] == namespace.inode, "the caller's own comes first"
    assert found["namespaces"][0]["path"] is None
    other = by_inode[named.inode]
    assert (other["label"], other["kind"], other["pids"]) == (named.name, "netns", 0)
    assert os.path.samefile(other["path"], named.path)
    assert oracle.pools_in(other) == oracle.pools_of(ends, {80})
    assert other["pools"][0]["capacity"] == 100, "its own range"
    assert other["sysctls"]["ip_local_port_range"] == "50000 50099"
    assert other["counters"]["TW"] == 25
    assert found["namespaces"][0]["counters"]["TW"] == 0


def test_the_machine_itself_is_labelled_host(namespace: Namespace) -> None:
    try:
        inode = os.stat("/proc/1/ns/net").st_ino
    except PermissionError:
        # A sandbox may hide process 1; the kernel's threads are in the same namespace.
        inode = os.stat("/proc/2/ns/net").st_ino
    _found, by_inode = gather(namespace)
    host = by_inode[inode]
    assert (host["label"], host["kind"]) == ("host", "host")


def test_a_namespace_that_only_processes_keep(made: Lab, namespace: Namespace) -> None:
    keeper = made.start(["unshare", "--net", "sleep", _LONG])
    inode = moved_inode(keeper.pid)
    _found, by_inode = gather(namespace)
    other = by_inode[inode]
    assert (other["label"], other["kind"], other["pids"]) == ("sleep", "process", 1)
    assert other["path"] == f"/proc/{keeper.pid}/ns/net"
    assert other["pools"] == []


def test_a_container_is_named_by_its_id(made: Lab, namespace: Namespace) -> None:
    identity = "3f" * 32
    with control_group(f"docker-{identity}.scope") as group:
        keeper = made.start(["unshare", "--net", "sleep", _LONG])
        (group / "cgroup.procs").write_text(f"{keeper.pid}\n", encoding="ascii")
        inode = moved_inode(keeper.pid)
        _found, by_inode = gather(namespace)
        made.stop(keeper)
    other = by_inode[inode]
    assert (other["label"], other["kind"]) == (identity[:12], "container")


def test_a_namespace_that_vanishes_meanwhile(made: Lab, namespace: Namespace) -> None:
    """Namespaces come and go while the module runs: no failure, and each one is either there or unavailable."""
    stop = threading.Event()

    def churn() -> None:
        while not stop.is_set():
            made.stop(made.start(["unshare", "--net", "sleep", _LONG]))

    churning = threading.Thread(target=churn)
    churning.start()
    try:
        for _run in range(8):
            found, by_inode = gather(namespace)
            assert namespace.inode in by_inode
            for problem in found["unavailable"]:
                assert problem["what"].startswith("namespace"), problem
                assert problem["reason"], problem
            for one in found["namespaces"]:
                assert "pools" in one, one
    finally:
        stop.set()
        churning.join()


def test_without_the_privilege_there_is_still_a_census(
    made: Lab, namespace: Namespace, traffic: Traffic
) -> None:
    named = made.namespace()
    server = traffic.listen(namespace, "127.0.0.1", 80)
    ends = [
        client_end(one) for one in traffic.connect(namespace, server, "127.0.0.1", "client", 9).connections
    ]
    oracle.wait_for(lambda: oracle.ss_states(namespace)["TIME-WAIT"] == 9)
    found, by_inode = gather(namespace, *NOBODY)
    reasons = [
        problem["reason"] for problem in found["unavailable"] if problem["what"].startswith("namespace")
    ]
    assert reasons, "what could not be read is said"
    assert all("root" in reason or "permitted" in reason for reason in reasons), reasons
    assert "pools" not in by_inode.get(named.inode, {}), "never an empty census for one that was not read"
    assert oracle.pools_in(found["namespaces"][0]) == oracle.pools_of(ends, {80})
    assert found["source"] == "sock_diag"


def test_the_caller_stays_in_its_own_namespace(made: Lab, namespace: Namespace) -> None:
    """The module's functions run in the process that asks: afterwards it is where it was."""
    made.namespace()
    code = (
        "import os, threading\n"
        "before = os.stat('/proc/self/ns/net').st_ino\n"
        "from ansible_collections.tcpops.timewait.plugins.module_utils import _facts\n"
        "from ansible_collections.tcpops.timewait.plugins.module_utils._kernel.running import RunningKernel\n"
        "found = _facts.gather(RunningKernel(), _facts.Options(frozenset(['census', 'namespaces']), 5, 28232, 30))\n"
        "assert len(found['namespaces']) > 2, found\n"
        "tasks = {os.stat('/proc/self/task/%s/ns/net' % task).st_ino for task in os.listdir('/proc/self/task')}\n"
        "assert tasks == {before}, (tasks, before)\n"
        "try:\n"
        "    os.waitpid(-1, os.WNOHANG)\n"
        "except ChildProcessError:\n"
        "    print('no child left')\n"
    )
    done = subprocess.run(
        namespace.argv(sys.executable, "-c", code),
        env=facts.environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stdout == "no child left\n", done.stderr


def test_ipv6_switched_off(namespace: Namespace, traffic: Traffic) -> None:
    """Stands in for a kernel without IPv6, as far as a namespace can."""
    namespace.set_sysctls({"ipv6/conf/all/disable_ipv6": 1})
    server = traffic.listen(namespace, "127.0.0.1", 80)
    ends = [
        client_end(one) for one in traffic.connect(namespace, server, "127.0.0.1", "client", 4).connections
    ]
    oracle.wait_for(lambda: oracle.ss_states(namespace)["TIME-WAIT"] == 4)
    found = facts.by_module(namespace, gather_subset=["all", "!namespaces"])
    assert found["unavailable"] == []
    assert oracle.pools_in(found["namespaces"][0]) == oracle.pools_of(ends, {80})


def moved_inode(pid: int) -> int:
    """Inode of a process's namespace, once it has left ours."""
    own = os.stat("/proc/self/ns/net").st_ino

    def settled() -> bool:
        with open(f"/proc/{pid}/comm", encoding="ascii") as stream:
            return os.stat(f"/proc/{pid}/ns/net").st_ino != own and stream.read() == "sleep\n"

    oracle.wait_for(settled)
    return os.stat(f"/proc/{pid}/ns/net").st_ino


@contextlib.contextmanager
def control_group(name: str) -> Iterator[Path]:
    """A cgroup (version 2) of that name, below one of ours, for the length of the block."""
    with open("/proc/self/mountinfo", encoding="utf-8") as stream:
        mounts = [line.split()[4] for line in stream if " - cgroup2 " in line]
    if not mounts:
        pytest.skip("no cgroup version 2 is mounted")
    parent = Path(mounts[0]) / f"tw-{os.getpid()}"
    try:
        parent.mkdir()
    except OSError as error:
        pytest.skip(f"no cgroup can be made: {error}")
    group = parent / name
    try:
        group.mkdir()
        yield group
    finally:
        for folder in (group, parent):
            if folder.exists():
                # a process that was killed leaves its cgroup a moment later
                oracle.wait_for(lambda folder=folder: (folder / "cgroup.procs").read_text() == "")  # type: ignore[misc]
                folder.rmdir()
