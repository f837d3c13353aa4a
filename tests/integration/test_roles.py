# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each role on a host: what it would do, what it does, that it does so once, and that it leaves nothing when undone."""

from __future__ import annotations

import errno
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.lab.fleet import Fleet, fleet
from tests.lab.host_state import differences, host_state
from tests.lab.namespaces import Lab, Namespace
from tests.lab.traffic import Traffic

HOST = "host01"
OURS = "/etc/sysctl.d/zz-tcpops-timewait.conf"
_RECAP = re.compile(r"host01 +: ok=\d+ +changed=(\d+) +unreachable=0 +failed=(\d+)")
_LIVE_PORT = 5001


class Case(NamedTuple):
    """A role on a host that needs it. ``running``: what the kernel then has, below ``/proc/sys/net/ipv4``."""

    role: str
    prepare: str
    variables: dict[str, Any]
    running: dict[str, str]
    #: files that are other than before
    touched: set[str]


CASES = {
    "widen_port_range": Case(
        "widen_port_range",
        "printf '[Socket]\\nListenStream=23456\\nListenStream=23458\\n' > /etc/systemd/system/stopped.socket;"
        " echo 40000 > /proc/sys/net/ipv4/ip_local_reserved_ports;"
        " echo net.ipv4.ip_local_port_range = 33000 34000 > /etc/sysctl.d/99-narrow.conf",
        {"timewait_widen_reserve": ["12000-12009"], "timewait_widen_exclude": ["23458"]},
        {"ip_local_port_range": "10240 65535", "ip_local_reserved_ports": "12000-12009,23456,40000"},
        {OURS},
    ),
    "remove_tw_recycle": Case(
        "remove_tw_recycle",
        "printf '# ours\\n -net/ipv4/tcp_tw_recycle = 1\\nnet.ipv4.tcp_syncookies=1' > /etc/sysctl.d/10-guide.conf;"
        " echo net.ipv4.tcp_tw_recycle=1 >> /etc/sysctl.conf",
        {},
        {},
        {"/etc/sysctl.d/10-guide.conf", "/etc/sysctl.conf"},
    ),
    "set_tw_reuse": Case(
        "set_tw_reuse",
        "echo 0 > /proc/sys/net/ipv4/tcp_timestamps; echo net.ipv4.tcp_tw_reuse = 0 >> /etc/sysctl.conf",
        {"timewait_reuse_timestamps": True},
        {"tcp_tw_reuse": "1", "tcp_timestamps": "1"},
        {OURS, "/etc/sysctl.conf"},
    ),
    "set_tw_reuse to the kernel's own": Case(
        "set_tw_reuse",
        "echo 1 > /proc/sys/net/ipv4/tcp_tw_reuse; echo net.ipv4.tcp_tw_reuse = 1 > /etc/sysctl.d/50-reuse.conf",
        {"timewait_reuse_mode": "default"},
        {"tcp_tw_reuse": "2"},
        {"/etc/sysctl.d/50-reuse.conf"},
    ),
    "raise_tw_buckets": Case(
        "raise_tw_buckets",
        "echo 1000 > /proc/sys/net/ipv4/tcp_max_tw_buckets",
        {"timewait_buckets_close_rate": 3000, "timewait_buckets_memory_share": 0.5},
        {"tcp_max_tw_buckets": str(2**19)},
        {OURS},
    ),
    "fix_timestamps": Case(
        "fix_timestamps",
        "echo 0 > /proc/sys/net/ipv4/tcp_timestamps; echo net.ipv4.tcp_timestamps = 0 > /etc/sysctl.d/99-hard.conf",
        {},
        {"tcp_timestamps": "1"},
        {OURS},
    ),
    "fix_timestamps behind NAT": Case(
        "fix_timestamps",
        "true",
        {"timewait_timestamps_mode": "nat", "timewait_timestamps_force": True},
        {"tcp_timestamps": "2"},
        {OURS},
    ),
}


@pytest.fixture(name="hosts")
def fixture_hosts(made: Lab) -> Iterator[Fleet]:
    with fleet(made, 1, changeable=True) as one:
        yield one


class Played(NamedTuple):
    text: str
    changed: int
    failed: int


def play(hosts: Fleet, folder: Path, role: str, *arguments: str, **variables: Any) -> Played:
    """The role by itself, as a playbook of the user's would run it."""
    return run(hosts, write_book(folder, role), *arguments, **variables)


def run(hosts: Fleet, book: str, *arguments: str, **variables: Any) -> Played:
    done = hosts.run(*command(hosts, book, *arguments, **variables))
    return read_recap(done.stdout + done.stderr, done.returncode)


def write_book(folder: Path, role: str) -> str:
    book = [{"hosts": "all", "gather_facts": False, "roles": [f"tcpops.timewait.{role}"]}]
    path = folder / "play.yml"
    path.write_text(json.dumps(book), encoding="utf-8")
    return str(path)


def command(hosts: Fleet, book: str, *arguments: str, **variables: Any) -> list[str]:
    playbook = [sys.executable, "-m", "ansible", "playbook", book, "-i", str(hosts.inventory)]
    return [*playbook, "-e", json.dumps(variables), *arguments]


def read_recap(text: str, code: int) -> Played:
    recap = _RECAP.search(text)
    assert recap, text
    assert (code == 0) == (recap[2] == "0"), text
    return Played(text, int(recap[1]), int(recap[2]))


def keep_live_connection(hosts: Fleet, traffic: Traffic) -> None:
    """A connection that must not drop. The host has an outbound pool by it."""
    listener = traffic.listen(hosts.hosts[HOST], "127.0.0.1", _LIVE_PORT)
    assert traffic.connect(hosts.hosts[HOST], listener, "127.0.0.1", "held", 1).errno == 0


def live_connections(hosts: Fleet) -> int:
    return len(hosts.hosts[HOST].run("ss", "-Htn", "state", "established", f"dport = {_LIVE_PORT}").splitlines())


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_role_does_what_it_said_it_would_once_and_leaves_nothing_when_undone(
    hosts: Fleet, traffic: Traffic, tmp_path: Path, case: Case
) -> None:
    keep_live_connection(hosts, traffic)
    hosts.shell(HOST, case.prepare)
    before = host_state(hosts, HOST)

    would = play(hosts, tmp_path, case.role, "--check", "--diff", **case.variables)
    assert (would.changed, would.failed) == (1, 0), would.text
    assert differences(before, host_state(hosts, HOST)) == set()

    done = play(hosts, tmp_path, case.role, "--diff", **case.variables)
    assert (done.changed, done.failed) == (1, 0), done.text
    after = host_state(hosts, HOST)
    for key, value in case.running.items():
        assert hosts.hosts[HOST].sysctl(f"ipv4/{key}") == value
    touched = differences(before, after)
    assert {path for path in touched if path.startswith("/etc/")} == case.touched
    assert {path for path in touched if path.startswith("/proc/")} <= {
        f"/proc/sys/net/ipv4/{key}" for key in case.running
    }
    assert diff_of(done.text) == diff_of(would.text) != []

    again = play(hosts, tmp_path, case.role, **case.variables)
    assert (again.changed, again.failed) == (0, 0), again.text
    assert differences(after, host_state(hosts, HOST)) == set()

    undone = run(hosts, "tcpops.timewait.rollback", timewait_rollback_last=1)
    assert (undone.changed, undone.failed) == (1, 0), undone.text
    assert differences(before, host_state(hosts, HOST)) == set()
    assert live_connections(hosts) == 1


def diff_of(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith(("+", "-"))]


def test_after_a_restart_the_loaders_give_what_the_role_gave(hosts: Fleet, tmp_path: Path) -> None:
    hosts.shell(HOST, CASES["widen_port_range"].prepare)
    assert play(hosts, tmp_path, "widen_port_range", timewait_widen_exclude=["23458"]).changed == 1
    hosts.shell(HOST, "echo 32768 60999 > /proc/sys/net/ipv4/ip_local_port_range")
    hosts.shell(HOST, "/lib/systemd/systemd-sysctl --prefix=/net/ipv4")
    assert hosts.hosts[HOST].sysctl("ipv4/ip_local_port_range") == "10240 65535"
    assert hosts.hosts[HOST].sysctl("ipv4/ip_local_reserved_ports") == "23456,40000"


def narrow(hosts: Fleet, high: int) -> Namespace:
    """Few ports, so that all of them can be used up, and no TIME-WAIT that could be taken over."""
    namespace = hosts.hosts[HOST]
    namespace.set_sysctls({"ipv4/ip_local_port_range": f"40000 {high}", "ipv4/tcp_tw_reuse": 0})
    return namespace


def test_connections_get_every_port_of_the_wider_range_and_never_a_reserved_one(
    hosts: Fleet, traffic: Traffic, tmp_path: Path
) -> None:
    namespace = narrow(hosts, 40099)
    server = traffic.listen(namespace, "0.0.0.0", 80)
    traffic.listen(namespace, "127.0.0.1", 40120)
    done = play(
        hosts, tmp_path, "widen_port_range",
        timewait_widen_low=40000, timewait_widen_high=40199, timewait_widen_reserve=["40150-40159"],
    )
    assert done.failed == 0, done.text
    made = traffic.connect(namespace, server, "127.0.0.1", "client", 1000)
    assert made.errno == errno.EADDRNOTAVAIL
    reserved = {40120, *range(40150, 40160)}
    assert {one.local_port for one in made.connections} == set(range(40000, 40200)) - reserved


def hold_a_port(namespace: Namespace, traffic: Traffic) -> int:
    """Local port of a connection that lasts."""
    listener = traffic.listen(namespace, "127.0.0.1", _LIVE_PORT)
    return traffic.connect(namespace, listener, "127.0.0.1", "held", 1).connections[0].local_port


def test_a_port_that_an_outgoing_connection_holds_is_told_and_nothing_changed(
    hosts: Fleet, traffic: Traffic, tmp_path: Path
) -> None:
    port = hold_a_port(hosts.hosts[HOST], traffic)
    before = host_state(hosts, HOST)
    done = play(hosts, tmp_path, "widen_port_range", timewait_widen_wait=0, timewait_widen_reserve=[str(port)])
    assert (done.changed, done.failed) == (0, 1)
    assert f"127.0.0.1 port {port} to 127.0.0.1 port {_LIVE_PORT} (established)" in done.text
    assert differences(before, host_state(hosts, HOST)) == set()


def test_it_waits_for_a_connection_that_ends_in_time(hosts: Fleet, traffic: Traffic, tmp_path: Path) -> None:
    namespace = hosts.hosts[HOST]
    port = hold_a_port(namespace, traffic)
    book = write_book(tmp_path, "widen_port_range")
    argv = command(hosts, book, timewait_widen_wait=120, timewait_widen_reserve=[str(port)])
    text = ""
    streams = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    with subprocess.Popen(argv, env=hosts.environment(), text=True, **streams) as playing:
        assert playing.stdout
        for line in playing.stdout:
            text += line
            if "FAILED - RETRYING" in line:
                namespace.run("ss", "-K", "state", "established", f"sport = {port}")
    assert "FAILED - RETRYING" in text
    assert read_recap(text, playing.returncode)[1:] == (1, 0)
    assert namespace.sysctl("ipv4/ip_local_reserved_ports") == str(port)


def test_a_range_that_connections_do_not_come_from_is_undone(hosts: Fleet, traffic: Traffic, tmp_path: Path) -> None:
    namespace = narrow(hosts, 40199)
    # bound and not listening: nothing that would be reserved, and nothing that connect() takes
    for port in range(40350, 40400):
        traffic.bind(namespace, "127.0.0.1", port)
    before = host_state(hosts, HOST)
    done = play(
        hosts, tmp_path, "widen_port_range", timewait_widen_low=40000, timewait_widen_high=40399
    )
    assert done.failed == 1
    assert "none came from 40350-40399. The change was undone." in " ".join(done.text.split())
    assert differences(before, host_state(hosts, HOST)) == set()
    journal = hosts.shell(HOST, "cat /var/lib/tcpops-timewait/*/entry.json")
    assert '"rolled_back"' in journal


@pytest.mark.parametrize(
    ("role", "prepare", "variables", "words"),
    [
        ("set_tw_reuse", "true", {}, "This host has no outbound pool"),
        (
            "set_tw_reuse", "echo 0 > /proc/sys/net/ipv4/tcp_timestamps", {"timewait_reuse_force": True},
            "net.ipv4.tcp_timestamps is 0",
        ),
        ("set_tw_reuse", "true", {"timewait_reuse_delay": 60001}, "timewait_reuse_delay is 60001"),
        ("set_tw_reuse", "true", {"timewait_reuse_mode": "on"}, "value of timewait_reuse_mode must be one of"),
        ("widen_port_range", "true", {"timewait_widen_low": 80}, "timewait_widen_low is 80"),
        (
            "widen_port_range", "true", {"timewait_widen_reserve": ["many"]},
            "ports: not a port or a range of ports: 'many'",
        ),
        (
            "widen_port_range", "echo net.ipv4.ip_local_port_range=33000 34000 > /etc/sysctl.conf",
            {"timewait_conflicts": "fail"}, "/etc/sysctl.conf:1",
        ),
        ("raise_tw_buckets", "true", {"timewait_buckets_headroom": 0.5}, "timewait_buckets_headroom is 0.5"),
        # stands for the answer of another kernel: there is only one here
        (
            "fix_timestamps", "true",
            {
                "timewait_timestamps_mode": "nat",
                "__timewait_timestamps_offset": {"value": "per_host_pair", "evidence": "secure_tcp_ts_off"},
            },
            "not known to depend on the 4-tuple (secure_tcp_ts_off)",
        ),
        (
            "remove_tw_recycle", "printf '#!/bin/sh\\nsysctl -w net.ipv4.tcp_tw_recycle=1\\n' > /etc/rc.local",
            {"timewait_recycle_scripts": "fail"}, "take it out of /etc/rc.local:2",
        ),
    ],
)
def test_what_cannot_be_done_is_refused_in_a_sentence_and_nothing_changed(
    hosts: Fleet, tmp_path: Path, role: str, prepare: str, variables: dict[str, Any], words: str
) -> None:
    hosts.shell(HOST, prepare)
    before = host_state(hosts, HOST)
    done = play(hosts, tmp_path, role, **variables)
    assert (done.changed, done.failed) == (0, 1), done.text
    assert words in done.text
    assert differences(before, host_state(hosts, HOST)) == set()


def test_figures_given_on_the_command_line_are_text_and_work_all_the_same(hosts: Fleet, tmp_path: Path) -> None:
    for role, argument in (
        ("set_tw_reuse", "timewait_reuse_timestamps=false timewait_reuse_force=yes timewait_reuse_delay=700"),
        ("raise_tw_buckets", "timewait_buckets_close_rate=2500 timewait_buckets_headroom=1.5"),
        ("widen_port_range", "timewait_widen_low=20000 timewait_widen_wait=7"),
    ):
        done = play(hosts, tmp_path, role, "-e", argument)
        assert (done.changed, done.failed) == (1, 0), done.text
    assert hosts.hosts[HOST].sysctl("ipv4/tcp_max_tw_buckets") == str(2**18)
    assert hosts.hosts[HOST].sysctl("ipv4/ip_local_port_range") == "20000 65535"


def test_the_fleets_state_tells_a_change(hosts: Fleet) -> None:
    before = host_state(hosts, HOST)
    hosts.shell(HOST, "chmod 0600 /etc/sysctl.conf; echo 1 > /proc/sys/net/ipv4/tcp_tw_reuse; rm /etc/hostname")
    assert differences(before, host_state(hosts, HOST)) == {
        "/etc/sysctl.conf", "/proc/sys/net/ipv4/tcp_tw_reuse", "/etc/hostname",
    }
    with pytest.raises(subprocess.CalledProcessError):
        hosts.shell(HOST, "exit 3")
