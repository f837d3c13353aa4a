# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ports of services and what holds them, in namespaces with real sockets; and what connect() then gives."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from tests.lab import facts, oracle
from tests.lab.namespaces import Lab, Namespace
from tests.lab.traffic import Traffic


def run_module(inside: Namespace | None, module: str, **options: Any) -> dict[str, Any]:
    """The result of a module, run as Ansible would; a failed one has ``failed``."""
    argv = [sys.executable, str(facts.ROOT / "plugins" / "modules" / f"{module}.py")]
    done = subprocess.run(
        inside.argv(*argv) if inside else argv,
        input=json.dumps({"ANSIBLE_MODULE_ARGS": options}),
        capture_output=True,
        text=True,
        env=facts.environment(),
        timeout=60,
        cwd="/",
        check=False,
    )
    assert done.stdout, done.stderr
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def service_ports(namespace: Namespace, **options: Any) -> dict[str, Any]:
    result = run_module(namespace, "service_ports_info", **{"low": 10240, "high": 65535, **options})
    assert not result.get("failed"), result
    assert not result.get("changed")
    return result


def ephemeral_ports(inside: Namespace | None, **options: Any) -> dict[str, Any]:
    result = run_module(inside, "ephemeral_ports_info", **options)
    assert not result.get("failed"), result
    return result


def sources_of(result: dict[str, Any], port: int) -> list[dict[str, str]]:
    found = [one["sources"] for one in result["ports"] if one["port"] <= port <= one["last_port"]]
    return [source for sources in found for source in sources]


def test_listeners_of_both_families_with_their_owner(namespace: Namespace, traffic: Traffic) -> None:
    traffic.listen(namespace, "127.0.0.1", 20001)
    traffic.listen(namespace, "::1", 20002)
    traffic.listen(namespace, "127.0.0.1", 9999)
    result = service_ports(namespace)
    (first,) = sources_of(result, 20001)
    (second,) = sources_of(result, 20002)
    assert (first["kind"], first["where"]) == ("listening", "127.0.0.1:20001")
    assert second["where"] == "[::1]:20002"
    assert first["what"].startswith("listened on by python"), first
    assert sources_of(result, 9999) == [], "below the range"
    assert {20001, 20002} <= ports_in(result["wanted_reserved"])


def ports_in(text: str) -> set[int]:
    spans = [item.split("-") for item in text.split(",") if item]
    return {port for span in spans for port in range(int(span[0]), int(span[-1]) + 1)}


def test_outgoing_connections_hold_and_what_was_served_does_not(namespace: Namespace, traffic: Traffic) -> None:
    namespace.set_sysctls({"ipv4/ip_local_port_range": "40000 40099"})
    server = traffic.listen(namespace, "127.0.0.1", 80)
    live = traffic.connect(namespace, server, "127.0.0.1", "held", 1).connections[0]
    left = traffic.connect(namespace, server, "127.0.0.1", "client", 1).connections[0]
    free = min(set(range(40010, 40100)) - {live.local_port, left.local_port})
    # a server inside the range that is stopped: many connections that it accepted are not taken for its clients'
    stopped = traffic.listen(namespace, "127.0.0.2", free)
    # their clients get ports elsewhere, or one could be that of the connection above
    namespace.set_sysctls({"ipv4/ip_local_port_range": "41000 41099"})
    traffic.connect(namespace, stopped, "127.0.0.2", "held", 8)
    namespace.set_sysctls({"ipv4/ip_local_port_range": "40000 40099"})
    traffic.stop_listening(stopped)
    oracle.wait_for(lambda: oracle.ss_states(namespace)["TIME-WAIT"] == 1)
    wanted = [str(live.local_port), str(left.local_port), str(free), "50000"]
    result = service_ports(namespace, ports=wanted)
    held = {one["port"]: one for one in result["held_by_outgoing"]}
    assert set(held) == {live.local_port, left.local_port} == ports_in(result["held_ports"])
    assert held[live.local_port]["state"] == "established"
    assert held[live.local_port]["seconds_left"] is None
    assert held[live.local_port]["remote_port"] == 80
    assert held[left.local_port]["state"] == "time_wait"
    assert 1 <= held[left.local_port]["seconds_left"] <= 61
    assert service_ports(namespace)["held_by_outgoing"] == [], "only ports that are to be reserved"


def test_a_service_cannot_take_a_port_that_is_reported_as_held(namespace: Namespace, traffic: Traffic) -> None:
    """That is what the report is for: the kernel refuses bind() on just these."""
    namespace.set_sysctls({"ipv4/ip_local_port_range": "40000 40099"})
    server = traffic.listen(namespace, "127.0.0.1", 80)
    (made,) = traffic.connect(namespace, server, "127.0.0.1", "held", 1).connections
    (held,) = service_ports(namespace, ports=[str(made.local_port)])["held_by_outgoing"]
    with pytest.raises(RuntimeError, match="Address already in use"):
        traffic.listen(namespace, "0.0.0.0", held["port"])
    traffic.listen(namespace, "0.0.0.0", held["port"] + 1)


def test_reservations_that_are_there_are_kept(namespace: Namespace, traffic: Traffic) -> None:
    namespace.set_sysctls({"ipv4/ip_local_reserved_ports": "9000-9003,30000"})
    traffic.listen(namespace, "127.0.0.1", 30001)
    result = service_ports(namespace, exclude=["30000"])
    assert result["reserved"] == "9000-9003,30000"
    assert {9000, 9001, 9002, 9003, 30000, 30001} <= ports_in(result["wanted_reserved"])
    namespace.set_sysctls({"ipv4/ip_local_reserved_ports": result["wanted_reserved"]})
    again = service_ports(namespace)
    assert again["reserved"] == again["wanted_reserved"] == result["wanted_reserved"]
    assert namespace.sysctl("ipv4/ip_local_reserved_ports") == again["reserved"], "as the kernel writes it"


def test_a_list_longer_than_a_page_is_read_whole(namespace: Namespace) -> None:
    """The kernel gives what the first read has room for; 20 000 ports are 120 000 characters."""
    ports = ",".join(str(port) for port in range(20001, 60001, 2))
    write = "import sys; open('/proc/sys/net/ipv4/ip_local_reserved_ports', 'w').write(sys.stdin.read())"
    namespace.run(sys.executable, "-c", write, text_in=ports)
    result = service_ports(namespace)
    assert result["reserved"] == ports
    assert "characters" in " ".join(result["cautions"])
    found = facts.by_module(namespace, gather_subset=["census"])
    assert found["namespaces"][0]["port_range"]["reserved"] == ports


def test_without_root_what_is_hidden_is_said(namespace: Namespace, traffic: Traffic) -> None:
    traffic.listen(namespace, "127.0.0.1", 20001)
    argv = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", sys.executable]
    done = subprocess.run(
        namespace.argv(*argv, str(facts.ROOT / "plugins" / "modules" / "service_ports_info.py")),
        input=json.dumps({"ANSIBLE_MODULE_ARGS": {"low": 10240, "high": 65535}}),
        capture_output=True,
        text=True,
        env=facts.environment(),
        timeout=60,
        cwd="/",
        check=False,
    )
    result = json.loads(done.stdout)
    assert sources_of(result, 20001)[0]["what"] == "listened on; the owner cannot be told"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"low": 5, "high": 4}, "low 5 and high 4 are no range"),
        ({"low": 0, "high": 4}, "low 0"),
        ({"low": 1, "high": 70000}, "high 70000"),
        ({"low": 1, "high": 9, "ports": ["ssh"]}, "ports: not a port or a range of ports: 'ssh'"),
        ({"low": 1, "high": 9, "exclude": ["9-8"]}, "exclude: not a port"),
        ({"low": 1, "high": 9, "join_gap": -1}, "join_gap is -1"),
    ],
)
def test_options_that_make_no_sense_fail_with_a_sentence(
    namespace: Namespace, options: dict[str, Any], message: str
) -> None:
    result = run_module(namespace, "service_ports_info", **options)
    assert result["failed"]
    assert message in result["msg"]


def test_connections_come_from_the_range_and_leave_nothing(namespace: Namespace) -> None:
    namespace.set_sysctls({"ipv4/ip_local_port_range": "10240 65535", "ipv4/ip_local_reserved_ports": "30000-32767"})
    result = ephemeral_ports(namespace)
    assert result["range"] == {"low": 10240, "high": 65535, "reserved": "30000-32767"}
    assert (result["outside"], result["reserved_taken"], result["unreached"]) == ([], [], [])
    assert result["count"] > 0
    assert oracle.ss_ends(namespace) == [], "no TIME-WAIT and nothing else"


def test_the_check_sees_what_is_wrong(namespace: Namespace) -> None:
    """Half of the ports are reserved, without the check being told; and the range is narrower than expected."""
    namespace.set_sysctls({"ipv4/ip_local_port_range": "40000 49999"})
    result = ephemeral_ports(namespace, low=10240, high=44999, reserved=["40000-42499"])
    assert result["outside"]
    assert result["reserved_taken"]
    assert all(port > 44999 for port in result["outside"])
    assert all(40000 <= port <= 42499 for port in result["reserved_taken"])
    narrow = ephemeral_ports(namespace, low=10240, high=65535)
    if narrow["judged_parts"] == 8:  # a machine so busy that two seconds did not do has too few connections
        assert "10240-17151" in narrow["unreached"]
        assert "58624-65535" in narrow["unreached"]


def test_another_namespace_by_name_and_by_path(made: Lab) -> None:
    there = made.namespace(ip_local_port_range="50000 50999")
    by_name = ephemeral_ports(None, namespace=there.name, connections=20)
    by_path = ephemeral_ports(None, namespace=there.path, connections=20)
    for result in (by_name, by_path):
        assert (result["range"]["low"], result["range"]["high"]) == (50000, 50999)
        assert 50000 <= result["lowest"] <= result["highest"] <= 50999
    assert oracle.ss_ends(there) == []


def test_no_loopback_and_no_namespace_are_one_sentence(namespace: Namespace) -> None:
    namespace.run("ip", "link", "set", "lo", "down")
    result = run_module(namespace, "ephemeral_ports_info")
    assert result["failed"]
    assert result["msg"].startswith("connections on loopback: number 1, to 127.")
    gone = run_module(namespace, "ephemeral_ports_info", namespace="no-such-namespace")
    assert gone["msg"].startswith("network namespace /run/netns/no-such-namespace: gone")
