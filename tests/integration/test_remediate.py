# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The roll-out over a fleet: a batch is done as a whole or undone as a whole, and one that got worse is the last."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import sys
import threading
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

from tests.lab import oracle
from tests.lab.fleet import Fleet, fleet
from tests.lab.host_state import differences, host_state
from tests.lab.namespaces import Lab
from tests.lab.traffic import Traffic

_RECAP = re.compile(r"^(host\d+) +: ok=\d+ +changed=(\d+) +unreachable=(\d+) +failed=(\d+)", re.MULTILINE)


@pytest.fixture(name="hosts")
def fixture_hosts(made: Lab) -> Iterator[Fleet]:
    with fleet(made, 3, changeable=True) as three:
        yield three


class Played(NamedTuple):
    code: int
    text: str
    #: (changed, unreachable, failed) by host
    recap: dict[str, tuple[int, int, int]]


def remediate(hosts: Fleet, *arguments: str, **variables: Any) -> Played:
    done = hosts.run(
        *(sys.executable, "-m", "ansible", "playbook", "tcpops.timewait.remediate", "-i", str(hosts.inventory)),
        *("-e", json.dumps({"timewait_settle": 0, **variables}), *arguments),
        seconds=550,
    )
    recap = {host: (int(one), int(two), int(three)) for host, one, two, three in _RECAP.findall(done.stdout)}
    return Played(done.returncode, done.stdout + done.stderr, recap)


def open_connections(hosts: Fleet, traffic: Traffic, *names: str) -> None:
    """An outbound pool on each."""
    for name in names:
        listener = traffic.listen(hosts.hosts[name], "127.0.0.1", 5001)
        assert traffic.connect(hosts.hosts[name], listener, "127.0.0.1", "held", 1).errno == 0


def reuse(hosts: Fleet) -> list[str]:
    return [host.sysctl("ipv4/tcp_tw_reuse") for host in hosts.hosts.values()]


def journal(hosts: Fleet, name: str) -> list[str]:
    """States of its transactions, oldest first; none where nothing was ever changed."""
    text = hosts.shell(name, "cat /var/lib/tcpops-timewait/*/entry.json 2> /dev/null || true")
    return re.findall(r'"state": "(\w+)"', text)


def test_what_is_asked_for_is_done_on_every_host_and_once(hosts: Fleet, traffic: Traffic) -> None:
    open_connections(hosts, traffic, *hosts.hosts)
    before = {name: host_state(hosts, name) for name in hosts.hosts}
    nothing = remediate(hosts, timewait_serial=["100%"])
    assert nothing.code == 0, nothing.text
    assert nothing.text.count("Nothing is asked for here") == 3

    asked = {"timewait_remediate": ["set_tw_reuse", "raise_tw_buckets"], "timewait_buckets_close_rate": 3000}
    would = remediate(hosts, "--check", timewait_serial=["100%"], **asked)
    assert (would.code, would.recap) == (0, dict.fromkeys(hosts.hosts, (2, 0, 0))), would.text
    for name in hosts.hosts:
        assert differences(before[name], host_state(hosts, name)) == set(), name

    done = remediate(hosts, **asked)
    assert (done.code, done.recap) == (0, dict.fromkeys(hosts.hosts, (2, 0, 0))), done.text
    assert done.text.count("PLAY [Remediate]") == 3, "batches of one, one and the rest"
    assert reuse(hosts) == ["1", "1", "1"]

    # by tag: of the two, only this one
    again = remediate(hosts, "--tags", "set_tw_reuse", timewait_serial=["100%"])
    assert (again.code, again.recap) == (0, dict.fromkeys(hosts.hosts, (0, 0, 0))), again.text
    assert "raise_tw_buckets" not in again.text


def test_a_finding_that_got_worse_undoes_the_batch_and_stops(hosts: Fleet, traffic: Traffic) -> None:
    # a host that opens no connections gets a finding (TW-SYS-003) by the setting that is forced upon it
    open_connections(hosts, traffic, "host01", "host03")
    before = {name: host_state(hosts, name) for name in hosts.hosts}
    done = remediate(
        hosts, "--tags", "set_tw_reuse,raise_tw_buckets",
        timewait_serial=[2, "100%"], timewait_worse_severity="INFO",
        timewait_reuse_force=True, timewait_buckets_close_rate=3000,
    )
    assert done.code == 2
    assert {name: figures[2] for name, figures in done.recap.items()} == {"host01": 1, "host02": 1}, done.text
    assert "new: TW-SYS-003 INFO on net.ipv4.tcp_tw_reuse" in done.text
    assert "Stopped because of host02; undone here: " in done.text
    for name in hosts.hosts:
        assert differences(before[name], host_state(hosts, name)) == set(), name
    assert sorted(journal(hosts, "host01")) == ["committed", "committed", "rolled_back", "rolled_back"]
    assert sorted(journal(hosts, "host02")) == ["committed", "committed", "rolled_back", "rolled_back"]
    assert journal(hosts, "host03") == []


def test_a_role_that_refuses_on_one_host_undoes_the_batch_and_stops(hosts: Fleet, traffic: Traffic) -> None:
    open_connections(hosts, traffic, "host01", "host03")
    done = remediate(hosts, "--tags", "set_tw_reuse", timewait_serial=[2, "100%"])
    assert done.code == 2
    assert "Check that the host opens connections: This host has no outbound pool" in done.text
    assert reuse(hosts) == ["2", "2", "2"]
    assert "rolled_back" in journal(hosts, "host01")
    assert journal(hosts, "host02") == journal(hosts, "host03") == []


def test_a_host_that_is_lost_on_the_way_undoes_the_batch_and_stops(hosts: Fleet, traffic: Traffic) -> None:
    open_connections(hosts, traffic, *hosts.hosts)
    lost = hosts.hosts["host02"]

    def take_it_away() -> None:
        oracle.wait_for(lambda: lost.sysctl("ipv4/tcp_tw_reuse") == "1", seconds=300)
        for pid in lost.process_ids():
            # not the connection's own process, which is elsewhere
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    taking = threading.Thread(target=take_it_away)
    taking.start()
    done = remediate(hosts, "--tags", "set_tw_reuse", timewait_serial=[3], timewait_settle=15)
    taking.join()
    assert done.code != 0
    assert done.recap["host02"][1] == 1, done.text
    assert "Lost on the way, to be looked at: host02." in done.text
    assert reuse(hosts) == ["2", "1", "2"]


def test_a_host_that_was_down_before_stops_nobody(hosts: Fleet, traffic: Traffic) -> None:
    open_connections(hosts, traffic, *hosts.hosts)
    hosts.add_absent("host04", "10.78.9.9")
    done = remediate(hosts, "--tags", "set_tw_reuse", timewait_serial=["100%"])
    assert done.code == 4, done.text
    assert done.recap["host04"] == (0, 1, 0)
    assert reuse(hosts) == ["1", "1", "1"]


def test_a_role_that_there_is_not_is_told(hosts: Fleet) -> None:
    done = remediate(hosts, timewait_remediate=["widen_ports"])
    assert done.code == 2
    assert "timewait_remediate has widen_ports: there are remove_tw_recycle, fix_timestamps" in done.text
