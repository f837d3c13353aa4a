# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module ip_addresses on a host that is a namespace, with others on its link."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.lab import facts, tracer
from tests.lab.host import Host
from tests.lab.namespaces import Lab, Namespace, ip, lab

_OWN = ["10.77.0.10/24", "fd77::10/64"]
#: on the link, behind the gateway, behind a route that names no source, multicast and broadcast
_PLACES = (
    "10.77.0.66", "198.51.100.7", "10.99.0.1", "224.0.0.251 oif eth0", "255.255.255.255 oif eth0",
    "fd77::66", "2001:db8:99::1", "ff02::fb oif eth0",
)  # fmt: skip
_SECONDS = 30


class Network:
    """``host`` has eth0 on a link with ``other``, who has 10.77.0.66 and fd77::66, and a gateway."""

    def __init__(self, made: Lab) -> None:
        self.fabric = made.namespace()
        made.bridge(self.fabric, "10.77.0.1/24")
        ip("-n", self.fabric.name, "address", "add", "fd77::1/64", "dev", "br0", "nodad")
        self.other = made.namespace()
        made.plug(self.fabric, self.other, "10.77.0.66/24")
        self.host = Host(made)
        made.plug(self.fabric, self.host.namespace, _OWN[0])
        for namespace, address in ((self.other, "fd77::66/64"), (self.host.namespace, _OWN[1])):
            ip("-n", namespace.name, "address", "add", address, "dev", "eth0", "nodad")
        for route in ("default via 10.77.0.1", "10.99.0.0/16 dev eth0", "default via fd77::1"):
            self.ip("-6" if "::" in route else "-4", "route", "add", *route.split())

    def ip(self, *arguments: str) -> str:
        return ip("-n", self.host.namespace.name, *arguments)

    def mac_of_other(self) -> str:
        return str(json.loads(ip("-n", self.other.name, "-json", "link", "show", "dev", "eth0"))[0]["address"])

    def sources(self) -> dict[str, str]:
        found = {}
        for place in _PLACES:
            found[place] = str(json.loads(self.ip("-json", "route", "get", *place.split()))[0].get("prefsrc"))
        return found

    def addresses(self) -> list[str]:
        told = json.loads(self.ip("-json", "address", "show", "dev", "eth0"))
        held = [one for link in told for one in link.get("addr_info", ()) if one["scope"] != "link"]
        return sorted(f"{one['local']}/{one['prefixlen']}" for one in held)

    def state(self) -> tuple[list[str], list[str], dict[str, str], str]:
        """Addresses, routes, sources and files."""
        routes: list[str] = []
        for family in ("-4", "-6"):
            routes += self.ip(family, "route", "show", "table", "all").splitlines()
        return self.addresses(), sorted(routes), self.sources(), self.host.files()

    def ask(self, *prefix: str, **more: Any) -> dict[str, Any]:
        """Nothing manages the interface of a namespace, so nothing is persisted."""
        return self.host.module("ip_addresses", *prefix, **{"interface": "eth0", "persist": False, **more})

    def done(self, **more: Any) -> dict[str, Any]:
        answer = self.ask(**more)
        assert not answer.get("failed"), answer
        return answer

    def refused(self, **more: Any) -> str:
        """What it says, which is one sentence; nothing was changed."""
        before = self.addresses()
        answer = self.ask(**more)
        assert answer.get("failed"), answer
        assert self.addresses() == before
        said = str(answer["msg"])
        assert said.endswith(".") and not said.endswith("..") and "\n" not in said and "Traceback" not in said
        return said


@pytest.fixture(scope="module")
def shared() -> Iterator[Network]:
    if os.geteuid():
        pytest.skip("network namespaces need root")
    with lab() as made:
        found = Network(made)
        deadline = time.monotonic() + _SECONDS
        # link-local addresses come a second after the link
        while "tentative" in found.ip("-6", "address", "show", "dev", "eth0"):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        yield found


@pytest.fixture
def network(shared: Network) -> Iterator[Network]:
    """It, and afterwards as it was before."""
    before = shared.state()
    yield shared
    back = shared.host.module("rollback", all=True)
    assert not back.get("failed"), back
    assert shared.state() == before


def test_no_other_traffic_comes_from_new_addresses(network: Network) -> None:
    before = network.state()
    new = ["10.77.0.70", "10.77.0.71/24", "10.200.0.1", "fd77::70", "fd77::71/64", "2001:db8:5::1"]
    full = ["10.77.0.70/32", "10.77.0.71/24", "10.200.0.1/32", "fd77::70/128", "fd77::71/64", "2001:db8:5::1/128"]
    promised = network.done(addresses=new, check=True)
    assert network.state() == before
    done = network.done(addresses=new)
    assert (done["added"], done["diff"]) == (full, promised["diff"])
    assert done["chosen"] == [one.partition("/")[0] for one in new]
    assert network.addresses() == sorted([*_OWN, *full])
    assert network.sources() == before[2]
    # what looks for the address of an interface by its name
    assert inside(network.host.namespace, _address_of_eth0) == "10.77.0.10"
    for family, server, own in ((4, "10.77.0.66", "10.77.0.70"), (6, "fd77::66", "fd77::70")):
        for bound, seen in ((None, f"{'10.77.0.' if family == 4 else 'fd77::'}10"), (own, own)):
            with connection(network, server, bound) as source:
                assert source == seen
    assert not network.done(addresses=new)["changed"]
    assert network.host.module("rollback", transaction=done["transaction"])["changed"]
    assert network.addresses() == _OWN


def test_the_first_address_of_the_list_is_not_the_source(network: Network) -> None:
    """As after a boot: ours are there before the interface's own."""
    before = network.sources()
    network.done(addresses=["10.77.0.70", "10.77.0.71"], detect_duplicates=False)
    for route in ("default", "10.99.0.0/16"):
        network.ip("route", "del", route)
    network.ip("address", "del", _OWN[0], "dev", "eth0")
    network.ip("address", "add", _OWN[0], "dev", "eth0")
    network.ip("route", "add", "default", "via", "10.77.0.1")
    network.ip("route", "add", "10.99.0.0/16", "dev", "eth0")
    assert network.sources() == before


@pytest.mark.parametrize("address", ["10.77.0.66", "fd77::66"])
def test_what_somebody_has_is_refused(network: Network, address: str) -> None:
    mac = network.mac_of_other()
    for check in (True, False):
        said = network.refused(addresses=["10.77.0.70", address], check=check)
        assert f"somebody on the link of eth0 answers for {address} ({mac})" in said


def test_the_kernel_finds_duplicates_of_ipv6_by_itself(network: Network) -> None:
    before = network.state()
    said = network.refused(addresses=["10.77.0.70", "fd77::66"], detect_duplicates=False)
    assert "the kernel found that somebody on the link has fd77::66/128 already" in said
    assert network.state() == before
    assert network.done(addresses=["10.77.0.66"], detect_duplicates=False)["added"] == ["10.77.0.66/32"]


def test_so_many_of_a_range(network: Network) -> None:
    some = {"free_range": "10.77.0.64-10.77.0.68"}
    done = network.done(count=3, **some)
    assert done["chosen"] == ["10.77.0.64", "10.77.0.65", "10.77.0.67"], done
    assert done["taken"] == {"10.77.0.66": network.mac_of_other()}
    again = network.done(count=3, **some)
    assert (again["changed"], again["chosen"]) == (False, done["chosen"])
    more = network.done(count=4, addresses=["10.77.0.80"], **some)
    assert more["added"] == ["10.77.0.80/32", "10.77.0.68/32"]
    assert more["chosen"] == ["10.77.0.80", *done["chosen"], "10.77.0.68"]
    said = network.refused(count=5, **some)
    assert "too few free addresses for eth0: 1 of 1 are missing; others on the link have 10.77.0.66" in said
    gone = network.done(state="absent", **some)
    assert (sorted(gone["removed"]), gone["chosen"]) == ([f"10.77.0.{one}/32" for one in (64, 65, 67, 68)], [])
    assert network.addresses() == sorted([*_OWN, "10.77.0.80/32"])
    assert network.done(free_range="fd77::40/122", count=2, check=True)["chosen"] == ["fd77::40", "fd77::41"]


def test_a_vrf_is_a_world_of_its_own(made: Lab) -> None:
    """The address is on eth0 already, which is in no VRF; and what leaves the VRF does not come from the new one."""
    network = Network(made)
    with contextlib.suppress(subprocess.CalledProcessError):
        network.ip("link", "add", "blue", "type", "vrf", "table", "100")
    if "blue" not in network.ip("link", "show"):
        pytest.skip("this kernel has no VRF")
    far = made.namespace()
    made.bridge(far, "10.77.0.1/24")
    number = ("twv0", "eth1")
    ip("-n", far.name, "link", "add", number[0], "type", "veth", "peer", "name", number[1],
       "netns", network.host.namespace.name)  # fmt: skip
    ip("-n", far.name, "link", "set", number[0], "master", "br0", "up")
    network.ip("link", "set", "blue", "up")
    network.ip("link", "set", "eth1", "master", "blue", "up")
    network.ip("address", "add", "10.77.0.20/24", "dev", "eth1")
    network.ip("route", "add", "default", "via", "10.77.0.1", "table", "100")
    network.done(addresses=["10.77.0.70"])
    before = source_in_vrf(network)
    assert before == ["10.77.0.20", "10.77.0.20"]
    done = network.done(interface="eth1", addresses=["10.77.0.70"])
    assert done["added"] == ["10.77.0.70/32"]
    assert source_in_vrf(network) == before
    assert "10.77.0.70" in network.ip("route", "show", "table", "100", "type", "local")
    assert "on eth0 already, not on lo" in network.refused(interface="lo", addresses=["10.77.0.70"])


def source_in_vrf(network: Network) -> list[str]:
    told = [network.ip("-json", "route", "get", place, "vrf", "blue") for place in ("10.77.0.66", "198.51.100.7")]
    return [json.loads(one)[0]["prefsrc"] for one in told]


def test_what_connections_use_stays_until_they_end(network: Network) -> None:
    new = ["10.77.0.70", "fd77::70"]
    network.done(addresses=new, detect_duplicates=False)
    with connection(network, "10.77.0.66", "10.77.0.70"):
        said = network.refused(addresses=new, state="absent")
        assert "10.77.0.70 is used by connections (1 in established)" in said
        promised = network.done(addresses=new, state="absent", wait=5, check=True)
        assert promised["in_use"][0]["connections"], promised
        assert "would wait up to 5 s" in json.dumps(promised["warnings"])
        begun = time.monotonic()
        assert "is used by connections" in network.refused(addresses=new, state="absent", wait=2)
        assert time.monotonic() - begun >= 2
        waiting = start(network, addresses=new, state="absent", wait=_SECONDS)
        time.sleep(2)
        assert waiting.poll() is None
    told = json.loads(waiting.communicate(timeout=_SECONDS)[0])
    assert sorted(told["removed"]) == ["10.77.0.70/32", "fd77::70/128"], told
    assert network.addresses() == _OWN
    # another one: what is cut off keeps its address for minutes
    new = ["10.77.0.75"]
    network.done(addresses=new, detect_duplicates=False)
    with connection(network, "10.77.0.66", "10.77.0.75"):
        back = network.host.module("rollback", all=True)
        assert back.get("failed") and "is used by connections" in back["msg"]
        assert "10.77.0.75/32" in network.addresses()
        assert network.done(addresses=new, state="absent", force=True)["in_use"][0]["connections"]
        assert network.addresses() == _OWN


@pytest.mark.parametrize("then", ["rollback", "the next run"])
def test_a_kill_in_the_middle_is_put_right(network: Network, then: str) -> None:
    """It is killed while the kernel looks for duplicates, when addresses are there and nothing is committed."""
    before = network.state()
    running = start(network, addresses=["10.77.0.70", "fd77::70"], detect_duplicates=False)
    deadline = time.monotonic() + _SECONDS
    while "fd77::70/128" not in network.addresses():
        assert time.monotonic() < deadline and running.poll() is None
        time.sleep(0.01)
    os.killpg(running.pid, signal.SIGKILL)
    running.wait(_SECONDS)
    assert network.addresses() != before[0]
    if then == "rollback":
        found = network.host.module("rollback")
    else:
        found = network.done(addresses=["10.77.0.71"], detect_duplicates=False)
        assert network.addresses() == sorted([*_OWN, "10.77.0.71/32"])
    assert [one["action"] for one in found["recovered"]] == ["undone"], found
    assert then != "rollback" or network.state() == before


def test_another_namespace(network: Network, made: Lab) -> None:
    """It has running addresses only, and gives them back."""
    before = ip("-n", network.other.name, "address")
    sleeper = made.start(network.other.argv("sleep", "900"))
    there: dict[str, Any] = {"namespace": f"/proc/{sleeper.pid}/ns/net", "persist": True}
    done = network.done(addresses=["10.77.0.80"], **there)
    assert (done["added"], done["manager"]) == (["10.77.0.80/32"], None)
    assert network.addresses() == _OWN
    assert "10.77.0.80/32" in ip("-n", network.other.name, "address")
    assert "there is no interface eth7" in network.refused(interface="eth7", addresses=["10.77.0.81"], **there)
    assert "answers for 10.77.0.10" in network.refused(addresses=["10.77.0.10"], **there)
    network.host.module("rollback", all=True)
    assert ip("-n", network.other.name, "address") == before


def test_without_the_library(network: Network, tmp_path: Path) -> None:
    """It is what adds addresses that needs it. What takes them back does not."""
    (tmp_path / "pyroute2.py").write_text("raise ImportError('not installed')\n")
    path = f"PYTHONPATH={tmp_path}:{facts.environment().get('PYTHONPATH', '')}"
    network.done(addresses=["10.77.0.70"], detect_duplicates=False)
    answer = network.ask("env", path, addresses=["10.77.0.71"])
    assert answer["failed"] and "Failed to import the required Python library (pyroute2)" in answer["msg"]
    assert network.host.module("rollback", "env", path, all=True)["changed"]
    assert network.addresses() == _OWN


_WRONG: list[tuple[dict[str, Any], str]] = [
    ({}, "neither addresses nor free_range is given"),
    ({"addresses": ["10.77.0"]}, "'10.77.0' is no address"),
    ({"addresses": ["10.77.0.70/255.255.255.0"]}, "has a netmask"),
    ({"addresses": ["10.77.0.70", "10.77.0.70/32"]}, "is given twice"),
    ({"addresses": ["224.0.0.1"]}, "multicast"),
    ({"addresses": ["127.0.0.2"]}, "loopback"),
    ({"addresses": ["fe80::1"]}, "link-local"),
    ({"addresses": ["10.77.0.255/24"]}, "first or last address"),
    ({"addresses": ["10.88.0.1/24"]}, "would bring a route to 10.88.0.0/24 with it"),
    ({"addresses": ["10.77.0.10/32"]}, "is on eth0 already, as 10.77.0.10/24"),
    ({"addresses": ["10.77.0.70"], "interface": "eth7"}, "there is no interface eth7"),
    ({"addresses": ["10.77.0.70"], "interface": "../x"}, "no name of an interface"),
    ({"addresses": ["10.77.0.70"], "namespace": "nowhere"}, "cannot be looked at"),
    ({"addresses": ["10.77.0.70"], "persist": True}, "nothing manages eth0"),
    ({"count": 2}, "count and free_range go together"),
    ({"count": 0, "free_range": "10.77.0.64/29"}, "it takes a number from 1"),
    ({"count": 1, "free_range": "10.0.0.0/8"}, "more than 65536 addresses"),
    ({"count": 1, "free_range": "10.77.0.9-10.77.0.1"}, "from a lower to a higher address"),
    ({"count": 2, "free_range": "10.77.0.64/29", "state": "absent"}, "count goes with state present"),
    ({"addresses": ["10.77.0.70"], "wait": -1}, "it takes a number from 0"),
    ({"addresses": ["10.77.0.10"], "state": "absent"}, "is the source of the traffic to"),
]


def test_what_makes_no_sense_is_refused_in_one_sentence(network: Network) -> None:
    for options, told in _WRONG:
        assert told in network.refused(**options), options


def start(network: Network, **options: Any) -> subprocess.Popen[str]:
    """The module, which goes on by itself."""
    path = facts.ROOT / "plugins" / "modules" / "ip_addresses.py"
    running = subprocess.Popen(
        network.host.argv(sys.executable, str(path)), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        env=facts.environment(), start_new_session=True,
    )  # fmt: skip
    assert running.stdin
    running.stdin.write(json.dumps({"ANSIBLE_MODULE_ARGS": {"interface": "eth0", "persist": False, **options}}))
    running.stdin.close()
    running.stdin = None  # communicate() would flush it
    return running


_TALK = """
import socket, sys
server, bound = sys.argv[1], sys.argv[2] or None
one = socket.create_connection((server, 7000), timeout=10, source_address=(bound, 0) if bound else None)
print(one.getsockname()[0], flush=True)
sys.stdin.read()
"""
_ACCEPT = """
import socket, sys
family = socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET
one = socket.create_server((sys.argv[1], 7000), family=family)
print("ready", flush=True)
two = one.accept()
sys.stdin.read()
"""


@contextlib.contextmanager
def connection(network: Network, server: str, bound: str | None) -> Iterator[str]:
    """An established connection to the other one; its source. The server closes last, so that nothing is left."""
    with contextlib.ExitStack() as stack:
        accepting = stack.enter_context(talking(network.other.argv(sys.executable, "-c", _ACCEPT, server)))
        assert accepting.stdout and accepting.stdout.readline() == "ready\n"
        client = network.host.namespace.argv(sys.executable, "-c", _TALK, server, bound or "")
        calling = stack.enter_context(talking(client))
        assert calling.stdout
        yield calling.stdout.readline().strip()


@contextlib.contextmanager
def talking(argv: list[str]) -> Iterator[subprocess.Popen[str]]:
    one = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        yield one
    finally:
        assert one.stdin
        one.stdin.close()  # it reads until then
        one.wait(_SECONDS)


def inside(namespace: Namespace, function: Any) -> str:
    return str(tracer.told_inside(namespace.path, function))


def _address_of_eth0() -> str:
    """SIOCGIFADDR, netdevice(7)."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        answer = fcntl.ioctl(one, 0x8915, struct.pack("256s", b"eth0"))
    return socket.inet_ntoa(answer[20:24])
