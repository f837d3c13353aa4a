# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Connections that fail for want of a port, counted by the facts, against those that were made to fail.

Every namespace of the machine is heard. So the destinations are those of this process, and only they are compared.
"""

from __future__ import annotations

import contextlib
import errno
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

from tests.lab import facts, oracle
from tests.lab.namespaces import Lab, Namespace, ip
from tests.lab.traffic import Traffic

LOW, HIGH = 40000, 40009
_OWN = f"{os.getpid() >> 8 & 255}.{os.getpid() & 255}"
FIRST, SECOND, THIRD, SIXTH = f"127.1.{_OWN}", f"127.2.{_OWN}", f"127.3.{_OWN}", f"fd83::{os.getpid() & 0xFFFF:x}"
MODULE = facts.ROOT / "plugins" / "modules" / "timewait_facts.py"
MOUNT = "mount --make-rprivate / && mount -t tracefs tracefs /sys/kernel/tracing && cd /sys/kernel/tracing/instances"
#: attempts of one process, each a list of what it does to one socket; prints the error numbers of the last steps
ATTEMPTS = """
import json, select, socket, sys
for family, steps in json.loads(sys.argv[1]):
    one = socket.socket(family)
    for step, *arguments in steps:
        try:
            if step == "wait":
                select.select([], [one], [], 5)
                raise OSError(one.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR), "")
            getattr(one, step)(*[tuple(a) if isinstance(a, list) else a for a in arguments])
            error = 0
        except OSError as refusal:
            error = refusal.errno
    print(error)
"""


class Listener:
    """The facts module, listening."""

    def __init__(self, lab: Lab, namespace: Namespace, seconds: int, *prefix: str) -> None:
        arguments = {"gather_subset": ["sysctls"], "top": 1000, "connect_failures_seconds": seconds}
        before = set(instances())
        self._process = lab.start(
            namespace.argv(*prefix, sys.executable, str(MODULE)),
            env=facts.environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd="/",
        )
        assert self._process.stdin
        self._process.stdin.write(json.dumps({"ANSIBLE_MODULE_ARGS": arguments}))
        self._process.stdin.close()
        self._process.stdin = None
        oracle.wait_for(lambda: bool(set(enabled()) - before), seconds=20)
        (self.instance,) = set(enabled()) - before
        self.child = int(self.instance.split("-")[1])
        self.pid = int(subprocess.run(
            ["ps", "-o", "ppid=", "-p", str(self.child)], check=True, capture_output=True, text=True, timeout=20
        ).stdout)

    def facts(self) -> dict[str, Any]:
        text, complaint = self._process.communicate(timeout=90)
        assert self._process.returncode == 0, text + complaint
        found: dict[str, Any] = json.loads(text)["ansible_facts"]["timewait"]
        return found

    def failures(self) -> dict[str, int]:
        return ours(self.facts())


def ours(found: dict[str, Any]) -> dict[str, int]:
    """Failures by destination address, of those that this process fails to connect to."""
    failures = found["connect_failures"]
    assert found["unavailable"] == []
    listed = sum(one["count"] for one in failures["destinations"])
    assert failures["total"] == listed + failures["destinations_omitted"]["failures"]
    return {
        one["address"]: one["count"]
        for one in failures["destinations"]
        if one["address"] in (FIRST, SECOND, THIRD, SIXTH)
    }


def in_tracefs(command: str) -> list[str]:
    """Output of a command in the folder of instances, where the host need not have it mounted."""
    argv = ["unshare", "--mount", "sh", "-c", f"{MOUNT} && {command}"]
    return subprocess.run(argv, check=True, capture_output=True, text=True, timeout=20).stdout.split()


def instances() -> list[str]:
    return [name for name in in_tracefs("ls") if name.startswith("timewait-")]


def enabled() -> list[str]:
    found = in_tracefs(
        "for one in timewait-*; do"
        " [ \"$(cat $one/events/sock/inet_sock_set_state/enable 2>&1)\" != 1 ] || echo $one; done"
    )
    return [name for name in found if name.startswith("timewait-")]


def attempt(namespace: Namespace, *attempts: tuple[int, list[list[Any]]]) -> list[int]:
    output = namespace.run(sys.executable, "-c", ATTEMPTS, json.dumps(attempts))
    return [int(line) for line in output.split()]


def connecting(address: str, port: int, *before: list[Any]) -> tuple[int, list[list[Any]]]:
    return (10 if ":" in address else 2), [*before, ["connect", [address, port]]]


def is_alive(pid: int) -> bool:
    return os.path.exists(f"/proc/{pid}")


@pytest.fixture(name="exhausted")
def fixture_exhausted(namespace: Namespace, traffic: Traffic) -> Namespace:
    """A namespace with no port left towards port 80 of three destinations."""
    try:
        in_tracefs("ls")
    except subprocess.CalledProcessError as error:
        pytest.skip(f"no tracefs to be had: {error.stderr}")
    namespace.set_sysctls({"ipv4/ip_local_port_range": f"{LOW} {HIGH}"})
    ip("-n", namespace.name, "addr", "add", f"{SIXTH}/128", "dev", "lo", "nodad")
    # the kernel adds the way to it a moment later (addrconf_dad_work())
    oracle.wait_for(lambda: SIXTH in ip("-n", namespace.name, "-6", "route", "show", "table", "local"))
    for address in (FIRST, SECOND, SIXTH):
        server = traffic.listen(namespace, address, 80)
        made = traffic.connect(namespace, server, address, "client", HIGH - LOW + 5)
        assert (len(made.connections), made.errno) == (10, errno.EADDRNOTAVAIL)
    return namespace


@contextlib.contextmanager
def listening(lab: Lab, namespace: Namespace, *prefix: str) -> Iterator[Listener]:
    listener = Listener(lab, namespace, 4, *prefix)
    yield listener
    assert listener.instance not in instances()
    assert not is_alive(listener.child)


def test_as_many_are_counted_as_failed(made: Lab, exhausted: Namespace) -> None:
    failing = [connecting(FIRST, 80)] * 13 + [connecting(SECOND, 80)] * 5 + [connecting(SIXTH, 80)] * 7
    with listening(made, exhausted) as listener:
        assert set(attempt(exhausted, *failing)) == {errno.EADDRNOTAVAIL}
        found = listener.facts()
    assert ours(found) == {FIRST: 13, SECOND: 5, SIXTH: 7}
    assert {one["port"] for one in found["connect_failures"]["destinations"] if one["address"] == FIRST} == {80}
    assert 4.0 <= found["connect_failures"]["seconds"] < 30
    assert found["connect_failures"]["lost"] == 0


def test_what_has_no_port_counts_whatever_its_family_and_address(made: Lab, exhausted: Namespace) -> None:
    no_port = [["setsockopt", 0, 24, 1], ["bind", ["127.0.0.1", 0]]]
    with listening(made, exhausted) as listener:
        failed = attempt(
            exhausted,
            connecting(FIRST, 80, *no_port),
            connecting(f"::ffff:{FIRST}", 80),
            connecting(SECOND, 80),
            connecting(FIRST, 80, ["setblocking", False]),
        )
        assert failed == [errno.EADDRNOTAVAIL] * 4
        assert listener.failures() == {FIRST: 3, SECOND: 1}


def test_other_failures_do_not_count(made: Lab, exhausted: Namespace) -> None:
    bound = [["setsockopt", 1, 2, 1], ["bind", ["127.0.0.1", 45000]]]
    blocked = [["setblocking", False], ["connect", [FIRST, 81]], ["wait"]]
    with listening(made, exhausted) as listener:
        failed = attempt(
            exhausted,
            connecting(FIRST, 81),
            connecting(FIRST, 81, *bound),
            (2, blocked),
            connecting("192.0.2.1", 80),
            # connect() looks for a new port, and the event shows the one of the refused attempt
            (2, [["connect_ex", [FIRST, 81]], ["connect", [FIRST, 80]]]),
        )
        assert failed == [*[errno.ECONNREFUSED] * 3, errno.ENETUNREACH, errno.EADDRNOTAVAIL]
        assert listener.failures() == {}


def test_a_bound_connect_to_a_quadruplet_that_is_held_does_not_count(
    made: Lab, exhausted: Namespace, traffic: Traffic
) -> None:
    server = traffic.listen(exhausted, THIRD, 80)
    held = traffic.connect(exhausted, server, THIRD, "held", source="127.0.0.1", source_port=45001)
    assert held.errno == 0
    with listening(made, exhausted) as listener:
        again = traffic.connect(exhausted, server, THIRD, "held", source="127.0.0.1", source_port=45001)
        assert again.errno in (errno.EADDRNOTAVAIL, errno.EADDRINUSE)
        assert listener.failures() == {}


def test_every_namespace_of_the_host_is_heard(made: Lab, exhausted: Namespace) -> None:
    elsewhere = made.namespace()
    with listening(made, elsewhere) as listener:
        attempt(exhausted, connecting(FIRST, 80))
        assert listener.failures() == {FIRST: 1}


def test_more_than_the_buffer_holds_is_counted_or_lost(made: Lab, exhausted: Namespace) -> None:
    """The child is stopped, so that nobody reads: 4000 events of one CPU do not fit in its 128 KiB."""
    with listening(made, exhausted) as listener:
        os.kill(listener.child, signal.SIGSTOP)
        cpu = str(min(os.sched_getaffinity(0)))
        script = (
            "import socket, sys\nfor _number in range(4000):\n    one = socket.socket()\n"
            "    assert one.connect_ex((sys.argv[1], 80)) == 99\n    one.close()"
        )
        exhausted.run("taskset", "-c", cpu, sys.executable, "-c", script, FIRST)
        os.kill(listener.child, signal.SIGCONT)
        found = listener.facts()
    counted, lost = ours(found)[FIRST], found["connect_failures"]["lost"]
    assert counted < 3000
    assert counted + lost >= 4000


def test_it_listens_where_tracefs_is_mounted_already(made: Lab, exhausted: Namespace) -> None:
    mounted = ("unshare", "--mount", "sh", "-c", f"{MOUNT} && cd / && exec \"$@\"", "sh")
    with listening(made, exhausted, *mounted) as listener:
        attempt(exhausted, connecting(FIRST, 80))
        assert listener.failures() == {FIRST: 1}


def test_two_listen_at_once(made: Lab, exhausted: Namespace) -> None:
    with listening(made, exhausted) as first, listening(made, exhausted) as second:
        attempt(exhausted, connecting(FIRST, 80))
        assert [one.failures() for one in (second, first)] == [{FIRST: 1}, {FIRST: 1}]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_nothing_is_left_of_a_module_that_is_killed(made: Lab, namespace: Namespace, number: int) -> None:
    listener = Listener(made, namespace, 60)
    # its whole group, as time-outs do: the child has left it
    os.killpg(os.getpgid(listener.pid), number)
    oracle.wait_for(lambda: not is_alive(listener.child), seconds=20)
    assert listener.instance not in instances()


def test_a_child_that_is_killed_is_swept_up_after(made: Lab, namespace: Namespace) -> None:
    listener = Listener(made, namespace, 60)
    os.kill(listener.child, signal.SIGKILL)
    found = listener.facts()
    assert "connect_failures" not in found
    assert found["unavailable"] == [
        {"what": "connect_failures", "reason": "the process that listened died before it answered"}
    ]
    assert listener.instance not in instances()


def test_what_a_killed_run_left_is_removed_by_the_next(made: Lab, namespace: Namespace) -> None:
    number = os.getpid()
    start = Path(f"/proc/{number}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[19]
    stale, alive, foreign = f"timewait-{number}-1", f"timewait-{number}-{start}", f"somebody-{number}-1"
    in_tracefs(f"mkdir {stale} {alive} {foreign} && echo 1 > {stale}/events/sock/inet_sock_set_state/enable")
    try:
        found = facts.by_module(namespace, gather_subset=["sysctls"], connect_failures_seconds=1)
        assert ours(found) == {}
        left = set(in_tracefs("ls"))
        assert (stale in left, alive in left, foreign in left) == (False, True, True)
    finally:
        in_tracefs(f"for one in {stale} {alive} {foreign}; do [ ! -d $one ] || rmdir $one; done")


def test_without_root_it_says_so(namespace: Namespace) -> None:
    found = facts.by_module(
        namespace,
        *("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"),
        gather_subset=["sysctls"],
        connect_failures_seconds=60,
    )
    assert "connect_failures" not in found
    (problem,) = [one for one in found["unavailable"] if one["what"] == "connect_failures"]
    assert "run as root" in problem["reason"]


def test_nobody_listens_unasked(namespace: Namespace) -> None:
    started = time.monotonic()
    found = facts.by_module(namespace)
    assert "connect_failures" not in found
    assert "connect_failures" not in found["gather_subset"]
    assert time.monotonic() - started < 60


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"gather_subset": ["connect_failures"]}, "set it to the seconds to listen, from 1 to 60"),
        ({"connect_failures_seconds": 61}, "it takes a number from 0 to 60"),
        ({"connect_failures_seconds": -1}, "it takes a number from 0 to 60"),
    ],
)
def test_to_listen_for_no_time_or_too_long_is_refused(
    namespace: Namespace, options: dict[str, Any], words: str
) -> None:
    with pytest.raises(facts.ModuleFailed, match=words):
        facts.by_module(namespace, **options)
