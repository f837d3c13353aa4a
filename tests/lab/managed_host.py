# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts whose interface is managed, each by something else: containers on a link with somebody else on it."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from tests.lab.container import Container
from tests.lab.namespaces import Lab, Namespace, ip

OWN = ("10.77.0.10/24", "fd77::10/64")
NEIGHBOUR = ("10.77.0.1/24", "fd77::1/64")
_SECONDS = 40
#: what the sources of traffic are asked for: on the link, behind the gateway, behind a route without one, multicast
PLACES = ("10.77.0.1", "198.51.100.7", "10.99.0.1", "224.0.0.251 oif eth0", "fd77::1", "2001:db8:99::1")

_NETWORKD = """\
[Match]
Name=eth0

[Network]
Address=10.77.0.10/24
Address=fd77::10/64
Gateway=10.77.0.1
Gateway=fd77::1
IPv6AcceptRA=no

[Route]
Destination=10.99.0.0/16
Scope=link
"""
_PROFILE = """\
# the network team's
[connection]
id=lan
uuid=0d9ab5cc-0b0c-4d4b-9a2b-4a6e9a7c2f10
type=ethernet
interface-name=eth0

[ipv4]
address1=10.77.0.10/24,10.77.0.1
route1=10.99.0.0/16
method=manual

[ipv6]
address1=fd77::10/64,fd77::1
method=manual
"""
_NETPLAN = """\
network:
  version: 2
  renderer: %s
  ethernets:
    eth0:
      addresses: [10.77.0.10/24, "fd77::10/64"]
      accept-ra: false
      routes:
        - {to: 0.0.0.0/0, via: 10.77.0.1}
        - {to: "::/0", via: "fd77::1"}
        - {to: 10.99.0.0/16, scope: link}
"""
_INTERFACES = """\
source /etc/network/interfaces.d/*

auto lo
iface lo inet loopback

auto eth0
iface eth0 inet static
    address 10.77.0.10/24
    gateway 10.77.0.1
    up ip route add 10.99.0.0/16 dev eth0
iface eth0 inet6 static
    address fd77::10/64
    gateway fd77::1
    dad-attempts 0
"""
_SCRIPT = """\
[Unit]
Description=An administrator's own way

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=ip link set eth0 up
ExecStart=ip address replace 10.77.0.10/24 dev eth0
ExecStart=ip address replace fd77::10/64 dev eth0 nodad
ExecStart=ip route replace default via 10.77.0.1
ExecStart=ip route replace 10.99.0.0/16 dev eth0
ExecStart=ip -6 route replace default via fd77::1

[Install]
WantedBy=multi-user.target
"""


class Managed(NamedTuple):
    """``name`` as the module tells it; ``files`` and ``unit`` are what brings the interface up, ``ours`` where the
    addresses have to be afterwards. ``keeps``: whether a restart of it leaves addresses on the interface."""

    id: str
    name: str
    unit: str
    files: Mapping[str, str]
    ours: tuple[str, ...]
    keeps: bool = True


NETWORKD = Managed(
    "networkd", "systemd-networkd", "systemd-networkd", {"/etc/systemd/network/20-lan.network": _NETWORKD},
    ("/etc/systemd/network/20-lan.network.d/90-tcpops-timewait.conf",),
)  # fmt: skip
NETWORK_MANAGER = Managed(
    "NetworkManager", "NetworkManager", "NetworkManager",
    {"/etc/NetworkManager/system-connections/lan.nmconnection": _PROFILE},
    (
        "/etc/NetworkManager/system-connections/lan.nmconnection",
        "/etc/NetworkManager/dispatcher.d/90-tcpops-timewait-eth0",
    ),
)  # fmt: skip
NETPLAN = Managed(
    "netplan", "netplan", "systemd-networkd", {"/etc/netplan/01-lan.yaml": _NETPLAN % "networkd"},
    ("/etc/netplan/90-tcpops-timewait.yaml",),
)  # fmt: skip
NETPLAN_NETWORK_MANAGER = Managed(
    "netplan-NetworkManager", "netplan", "NetworkManager", {"/etc/netplan/01-lan.yaml": _NETPLAN % "NetworkManager"},
    ("/etc/netplan/90-tcpops-timewait.yaml", "/etc/NetworkManager/dispatcher.d/90-tcpops-timewait-eth0"),
)  # fmt: skip
IFUPDOWN = Managed(
    "ifupdown", "ifupdown", "networking", {"/etc/network/interfaces": _INTERFACES},
    ("/etc/network/interfaces.d/tcpops-timewait-eth0",), keeps=False,
)  # fmt: skip
SCRIPT = Managed(
    "nothing", "systemd unit", "lan", {"/etc/systemd/system/lan.service": _SCRIPT},
    ("/etc/systemd/system/tcpops-timewait-addresses-eth0.service",),
)  # fmt: skip
EVERY = (NETWORKD, NETWORK_MANAGER, NETPLAN, NETPLAN_NETWORK_MANAGER, IFUPDOWN, SCRIPT)


class ManagedHost(Container):
    """``link``: a namespace whose bridge the host's eth0 is plugged into."""

    def __init__(self, made: Lab, managed: Managed, suite: str = "bookworm") -> None:
        self.managed = managed
        self._lab = made
        self.link: Namespace = made.namespace()
        made.bridge(self.link, NEIGHBOUR[0])
        ip("-n", self.link.name, "address", "add", NEIGHBOUR[1], "dev", "br0", "nodad")
        own = made.namespace()
        made.plug(self.link, own)
        super().__init__(suite, own, "networks")
        for path, text in managed.files.items():
            self.write(path, text)
            # readable by root alone, which NetworkManager insists on and netplan asks for
            self.run("chmod", "600" if "Manager" in path or "netplan" in path else "644", path)
        if managed.name == "netplan":
            self.run("netplan", "generate")
        self.run("systemctl", "daemon-reload")
        self.run("systemctl", "enable", "--now", managed.unit)
        self.wait_for(self.is_up)

    def is_up(self) -> bool:
        """Whether the interface has its own addresses and ways to everywhere, as somebody who waits for it wants."""
        own = {one.partition("/")[0] for one in OWN}
        # another one is the source of IPv6 as long as its own is tentative
        return set(OWN) <= self.addresses().keys() and set(self.sources().values()) == own

    def wait_for(self, done: Callable[[], bool]) -> None:
        deadline = time.monotonic() + _SECONDS
        while not done():
            assert time.monotonic() < deadline, f"{self.managed.id}: {self.addresses()} {self.sources()}"
            time.sleep(0.1)

    def restart_network(self) -> list[str]:
        """Returns what was taken off the interface meanwhile, as ``ip monitor`` tells it."""
        command = ["ip", "-n", self.namespace.name, "monitor", "address"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as watching:
            try:
                self.run("systemctl", "restart", self.managed.unit)
                time.sleep(1)  # it says that it is there before it is done with the interface
                self.wait_for(self.is_up)
            finally:
                watching.terminate()
            assert watching.stdout
            return [line for line in watching.stdout if line.startswith("Deleted")]

    def boot_again(self) -> None:
        """With a new interface, as a machine has after it was started anew."""
        self.stop()
        ip("-n", self.namespace.name, "link", "delete", "eth0")
        self._lab.plug(self.link, self.namespace)
        self.start()
        self.wait_for(self.is_up)

    def addresses(self) -> dict[str, dict[str, Any]]:
        """What eth0 has that is not of the link alone, by address with prefix length, as ``ip`` tells it."""
        told = json.loads(ip("-n", self.namespace.name, "-json", "address", "show", "dev", "eth0"))
        held = [one for link in told for one in link.get("addr_info", ()) if one["scope"] != "link"]
        return {f"{one['local']}/{one['prefixlen']}": one for one in held}

    def routes(self) -> list[str]:
        """All of them, but for what changes by itself."""
        found: list[str] = []
        for family in ("-4", "-6"):
            told = json.loads(ip("-n", self.namespace.name, family, "-json", "route", "show", "table", "all"))
            found += [json.dumps(one, sort_keys=True) for one in told if not str(one["dst"]).startswith("fe80:")]
        return sorted(found)

    def sources(self) -> dict[str, str | None]:
        """The source of traffic to each of the places."""
        return {place: self._source(place) for place in PLACES}

    def _source(self, place: str) -> str | None:
        try:
            told = ip("-n", self.namespace.name, "-json", "route", "get", *place.split())
        except subprocess.CalledProcessError:
            return None
        return str(json.loads(told)[0].get("prefsrc"))
