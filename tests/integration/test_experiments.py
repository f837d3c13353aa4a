# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Experiments on the running kernel: what they say, and that nothing of them stays or gets out."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.lab import facts
from tests.lab.fleet import fleet
from tests.lab.namespaces import Lab, Namespace, ip
from tests.lab.oracle import wait_for

MODULE = "timewait_experiment_info"
UNPRIVILEGED = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
NO_NAMESPACES = ("setpriv", "--bounding-set=-sys_admin", "--inh-caps=-sys_admin")
READ_ONLY = (
    *("unshare", "--mount", "sh", "-c"),
    'mount --bind /proc/sys /proc/sys && mount -o remount,ro,bind /proc/sys && exec "$@"',
    "sh",
)
#: a busy machine, where Python itself may take long to start
LONG_ENOUGH = 60


def experiments(namespace: Namespace, *prefix: str, **options: Any) -> dict[str, dict[str, Any]]:
    """Entries by name."""
    result = facts.result_of(namespace, MODULE, *prefix, **options)
    assert result["changed"] is False
    return {one["name"]: one for one in result["experiments"]}


def told(found: dict[str, dict[str, Any]]) -> str:
    return "\n".join(
        f"{one['verdict']} {name}: {one['told']} {one['reason']} {one['figures']}" for name, one in found.items()
    )


def state(namespace: Namespace) -> str:
    """Settings, sockets, addresses and counters of a namespace."""
    return namespace.run(
        "sh",
        "-c",
        "grep -r . /proc/sys/net/ipv4 2>/dev/null; cat /proc/net/snmp /proc/net/netstat; ss -tan; ip address",
    )


@contextlib.contextmanager
def started(namespace: Namespace, **options: Any) -> Iterator[subprocess.Popen[str]]:
    """The module while it runs."""
    module = subprocess.Popen(
        facts.module_argv(namespace, MODULE),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=facts.environment(),
        text=True,
    )
    assert module.stdin
    try:
        module.stdin.write(facts.module_input(**options))
        module.stdin.close()
        yield module
    finally:
        with contextlib.suppress(ProcessLookupError):
            module.kill()
        module.wait(timeout=LONG_ENOUGH)
        if module.stdout:
            module.stdout.close()


def said(module: subprocess.Popen[str]) -> str:
    """Its result, once it has ended. The time-outs of its experiments are what ends it."""
    assert module.stdout
    return module.stdout.read()


def child_in_sandbox(module: subprocess.Popen[str]) -> int | None:
    """Process of an experiment that has left the module's namespace."""
    with contextlib.suppress(OSError):
        for pid in Path(f"/proc/{module.pid}/task/{module.pid}/children").read_text(encoding="ascii").split():
            if os.readlink(f"/proc/{pid}/ns/net") != os.readlink(f"/proc/{module.pid}/ns/net"):
                return int(pid)
    return None


def in_state(pid: int, code: str) -> bool:
    """Whether a socket of the namespace that the process is in has this state, two hexadecimal digits."""
    with contextlib.suppress(OSError):
        rows = Path(f"/proc/{pid}/net/tcp").read_text(encoding="ascii").splitlines()[1:]
        return any(row.split()[3] == code for row in rows)
    return False


def stopped(pid: int) -> bool:
    """Stops a process, unless it has ended by itself."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGSTOP)
        return True
    return False


@contextlib.contextmanager
def stopped_in_the_middle(
    namespace: Namespace, name: str, code: str
) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """The module and the process of its experiment, stopped while a socket there has a state that may not last."""
    for _attempt in range(20):
        with started(namespace, experiments=[name]) as module:
            while module.poll() is None:
                child = child_in_sandbox(module)
                if child and in_state(child, code) and stopped(child):
                    if in_state(child, code):
                        yield module, child
                        return
                    os.kill(child, signal.SIGCONT)
                time.sleep(0.005)
    raise AssertionError(f"no socket of {name} was ever seen in state {code}")


def test_this_kernel_agrees_or_says_why_it_cannot_tell(namespace: Namespace) -> None:
    result = facts.result_of(namespace, MODULE)
    found = {one["name"]: one for one in result["experiments"]}
    assert result["unavailable"] == []
    assert "fin_timeout" not in found
    assert {one["verdict"] for one in found.values()} <= {"agrees", "skipped"}, told(found)
    for one in found.values():
        assert bool(one["reason"]) is (one["verdict"] == "skipped")
        assert one["seconds"] < LONG_ENOUGH
        assert all(isinstance(value, (bool, int, float)) for value in one["figures"].values())
    release = Path("/proc/sys/kernel/osrelease").read_text(encoding="ascii").strip()
    assert result["kernel"] == {"release": release}
    # what every kernel that this can run on has
    for name in ("pool_capacity", "server_port", "server_address", "bind_before_connect", "reserved_ports"):
        assert found[name]["verdict"] == "agrees", told(found)


def test_a_skipped_one_has_a_reason_that_is_true(namespace: Namespace) -> None:
    """Here for the kernels that lack something; one that has everything skips nothing but for noise."""
    there = set(namespace.run("ls", "/proc/sys/net/ipv4").split())
    for name, one in experiments(namespace).items():
        if one["verdict"] != "skipped" or one["reason"].startswith("inconclusive: "):
            continue
        if "has no net.ipv4." in one["reason"]:
            assert one["reason"].partition("net.ipv4.")[2].split()[0] not in there, name
        else:
            assert "a socket of this kernel does not know IP_" in one["reason"], name


def test_what_is_shown_is_what_the_probes_say(namespace: Namespace) -> None:
    capabilities = facts.by_module(namespace, gather_subset=["kernel"])["kernel"]["capabilities"]
    compared = set()
    for name, one in experiments(namespace).items():
        for shown, value in one["shows"].items():
            capability, _dot, key = shown.partition(".")
            probe = capabilities[capability]
            if not key:
                probed = probe["available"]
            elif key == "value":
                probed = probe["value"]
            else:
                probed = (probe["value"] or {}).get(key)
            if probed is not None:
                assert value == probed, (name, shown)
                compared.add(shown)
    assert {"port_range", "reserved_ports", "tw_reuse", "tw_recycle"} <= compared


def test_nothing_of_it_reaches_the_namespace_that_it_was_started_in(namespace: Namespace) -> None:
    before = state(namespace)
    with started(namespace, experiments=["all"]) as module:
        wait_for(lambda: child_in_sandbox(module) is not None, LONG_ENOUGH)
        assert state(namespace) == before
        result = json.loads(said(module))
    assert len(result["experiments"]) > 15
    assert state(namespace) == before


def test_anybody_may_try(namespace: Namespace) -> None:
    if namespace.run(*UNPRIVILEGED, "sh", "-c", "unshare -Un true && echo yes || true").strip() != "yes":
        pytest.skip("this machine lets nobody but root make user namespaces")
    found = experiments(namespace, *UNPRIVILEGED)
    assert {one["verdict"] for one in found.values()} <= {"agrees", "skipped"}, told(found)
    assert found["pool_capacity"]["verdict"] == found["last_ack"]["verdict"] == "agrees"


def test_where_namespaces_are_barred_it_says_so(namespace: Namespace) -> None:
    limit = "/proc/sys/user/max_user_namespaces"
    script = f'unshare --user --map-root-user sh -c \'echo 0 > {limit}; exec "$@"\' sh "$@"'
    barred = ("sh", "-c", script, "sh", *NO_NAMESPACES)
    result = facts.result_of(namespace, MODULE, *barred)
    (problem,) = result["unavailable"]
    assert problem["what"] == "private network namespaces"
    assert "run as root" in problem["reason"]
    assert {one["verdict"] for one in result["experiments"]} == {"skipped"}
    assert all(problem["reason"] in one["reason"] for one in result["experiments"])


def test_read_only_settings_of_a_container_are_no_obstacle_for_root(namespace: Namespace) -> None:
    found = experiments(namespace, *READ_ONLY, experiments=["reuse_modes", "pool_capacity"])
    assert {one["verdict"] for one in found.values()} == {"agrees"}, told(found)


def test_settings_that_stay_read_only_are_the_reason(namespace: Namespace) -> None:
    if namespace.run(*UNPRIVILEGED, "sh", "-c", "unshare -Un true && echo yes || true").strip() != "yes":
        pytest.skip("this machine lets nobody but root make user namespaces")
    found = experiments(namespace, *READ_ONLY, *UNPRIVILEGED)
    assert found["pool_capacity"]["verdict"] == "skipped"
    assert found["pool_capacity"]["reason"] == (
        "net.ipv4.ip_local_port_range may not be set here: Read-only file system"
    )
    assert found["linger_zero"]["verdict"] == "agrees", "needs no setting"
    assert not {"failed", "differs"} & {one["verdict"] for one in found.values()}, told(found)


def test_check_mode_tries_the_same(namespace: Namespace) -> None:
    found = experiments(namespace, experiments=["pool_capacity"], _ansible_check_mode=True)
    assert found["pool_capacity"]["figures"]["connections"] == 64


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"experiments": ["reuse"]}, "experiments has 'reuse': it takes all, slow, and the names"),
        ({"timeout": 0}, "timeout is 0: it takes a number from 1 to 600"),
    ],
)
def test_wrong_options_are_told_in_a_sentence(namespace: Namespace, options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(facts.ModuleFailed, match=sentence):
        facts.result_of(namespace, MODULE, **options)


def test_one_that_is_late_has_failed_and_is_gone(namespace: Namespace) -> None:
    """The kernel's default of a second before reuse is longer than what it is given."""
    if not os.path.exists("/proc/sys/net/ipv4/tcp_tw_reuse_delay"):
        pytest.skip("without the setting a reuse may come within the second")
    with started(namespace, experiments=["reuse_delay", "pool_capacity"], timeout=1) as module:
        seen: list[int] = []

        def late() -> bool:
            seen.extend(filter(None, [child_in_sandbox(module)]))
            return bool(seen)

        wait_for(late, LONG_ENOUGH)
        output = said(module)
    found = {one["name"]: one for one in json.loads(output)["experiments"]}
    assert (found["reuse_delay"]["verdict"], found["reuse_delay"]["reason"]) == ("failed", "no answer within 1 s")
    assert found["pool_capacity"]["verdict"] == "agrees"
    assert not [pid for pid in seen if os.path.exists(f"/proc/{pid}")]


@pytest.mark.parametrize(
    ("name", "code"),
    # sockets that must not keep the namespace: 06 TIME-WAIT, 09 LAST-ACK, 05 FIN-WAIT-2
    [("reuse_delay", "06"), ("last_ack", "09"), ("fin_timeout", "05")],
)
def test_neither_process_nor_namespace_outlives_a_kill(made: Lab, namespace: Namespace, name: str, code: str) -> None:
    """A link with one end in the sandbox goes when the sandbox's namespace does, whoever else held that."""
    before = state(namespace)
    with stopped_in_the_middle(namespace, name, code) as (module, child):
        try:
            link = ("link", "add", "twout", "type", "veth", "peer", "name", "twin", "netns", str(child))
            ip("-n", namespace.name, *link)
            module.send_signal(signal.SIGKILL)
            module.wait(timeout=LONG_ENOUGH)
            wait_for(lambda: not os.path.exists(f"/proc/{child}"))
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)  # a stopped one would stay for good
    # far less than what the retransmissions of an orphan would keep it for
    wait_for(lambda: "twout" not in ip("-n", namespace.name, "link"), 20)
    assert namespace.process_ids() == []
    assert state(namespace) == before


def test_the_playbook_shows_a_fleet_side_by_side(made: Lab) -> None:
    with fleet(made, 2) as hosts:
        hosts.add_absent("host03", "10.78.9.9")
        done = hosts.run(
            *(sys.executable, "-m", "ansible", "playbook", "tcpops.timewait.experiment"),
            *("-i", str(hosts.inventory)),
            *("-e", json.dumps({"timewait_experiments_chosen": ["pool_capacity", "reuse_modes"]})),
        )
    assert done.returncode == 2, done.stdout + done.stderr
    assert "Experiments on 3 hosts: 4 agrees" in done.stdout, done.stdout + done.stderr
    assert "host01, host02" in done.stdout
    assert "  A agrees   64 connections out of a range of 64 ports" in done.stdout
    assert "NOT TRIED: 1 host" in done.stdout
    assert "1 host did not run the experiments: host03." in done.stdout
