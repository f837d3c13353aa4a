# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which manager is believed, and what it is given. The answers are those of the programs of Debian 12."""

from __future__ import annotations

import ipaddress
from pathlib import Path
from typing import NamedTuple

import pytest
from ansible_collections.tcpops.timewait.plugins.module_utils._addresses import managers
from ansible_collections.tcpops.timewait.plugins.module_utils._addresses.errors import AddressError
from ansible_collections.tcpops.timewait.plugins.module_utils._addresses.host import Host
from ansible_collections.tcpops.timewait.plugins.module_utils._addresses.managers.manager import Manager
from ansible_collections.tcpops.timewait.plugins.module_utils._addresses.managers.unit import escaped
from ansible_collections.tcpops.timewait.plugins.module_utils._addresses.steps import persist
from ansible_collections.tcpops.timewait.plugins.module_utils._sysctl.files import Files
from ansible_collections.tcpops.timewait.plugins.module_utils._transaction import steps

_BOTH = [ipaddress.ip_interface("10.0.0.70/32"), ipaddress.ip_interface("2001:db8::70/128")]
_STATUS = """● 2: eth0
                     Link File: n/a
                  Network File: %s
                         State: routable (%s)
"""
_LIST = "  1 lo   loopback carrier  unmanaged\n  2 eth0 ether    routable configured\n"
_NMCLI = "nmcli -t -e no -f GENERAL.STATE,GENERAL.CON-UUID device show eth0"
_PROFILES = "nmcli -t -e no -f UUID,FILENAME connection show"
_NETWORKD = {
    "systemctl is-active systemd-networkd.service": "active\n",
    "networkctl status --no-pager --lines=0 eth0": _STATUS % ("/etc/systemd/network/lan.network", "configured"),
    "networkctl list --no-pager --no-legend": _LIST,
}
_NETWORK_MANAGER = {
    "systemctl is-active NetworkManager.service": "active\n",
    _NMCLI: "GENERAL.STATE:100 (connected)\nGENERAL.CON-UUID:7f2e8c1e\n",
    _PROFILES: "68e4ec0c:/run/NetworkManager/system-connections/lo.nmconnection\n"
    "7f2e8c1e:/etc/NetworkManager/system-connections/lan.nmconnection\n",
}
_NETPLAN = {
    "systemctl is-active systemd-networkd.service": "active\n",
    "networkctl status --no-pager --lines=0 eth0": _STATUS
    % ("/run/systemd/network/10-netplan-lan.network", "configuring"),
    "netplan get ethernets": 'other:\n  match:\n    lan: no\nlan:\n  match:\n    name: "eth*"\n',
}
_PROFILE = "[ipv4]\nmethod=auto\n"


class Said(NamedTuple):
    """A host of which the programs' answers are known. The same as ``Host`` but for its programs."""

    files: Files
    answers: dict[str, str]

    read = Host.read
    text = Host.text
    names = Host.names
    runs = Host.runs

    def ask(self, *argv: str) -> str | None:
        return self.answers.get(" ".join(argv))


def host(tmp_path: Path, answers: dict[str, str], **files: str) -> Said:
    for name, text in files.items():
        path = tmp_path / name.lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return Said(Files(str(tmp_path)), answers)


def written(found: Manager, on: Said) -> dict[str, str]:
    made = persist(found, on, _BOTH)  # type: ignore[arg-type]
    return {one.path: one.content.decode() for one in made if isinstance(one, steps.WriteFile)}


def body(text: str) -> list[str]:
    return [line for line in text.splitlines() if not line.startswith("#")]


def test_networkd(tmp_path: Path) -> None:
    on = host(tmp_path, _NETWORKD, **{"/etc/systemd/network/lan.network": "[Network]\nAddress=10.0.0.10/24\n"})
    found = managers.find(on, "eth0")  # type: ignore[arg-type]
    assert found.name == "systemd-networkd"
    assert "lan.network" in found.evidence
    path = "/etc/systemd/network/lan.network.d/90-tcpops-timewait.conf"
    text = written(found, on)[path]
    assert body(text) == [
        "[Address]", "Address=10.0.0.70/32", "Scope=host", "Label=eth0:tw",
        "[Address]", "Address=2001:db8::70/128", "PreferredLifetime=0",
    ]  # fmt: skip
    assert found.commands == (), "reloading takes addresses away for a moment"
    assert found.given_by(ipaddress.ip_interface("10.0.0.10/32")) == "/etc/systemd/network/lan.network"
    assert found.given_by(ipaddress.ip_interface("10.0.0.1/32")) is None
    on = host(tmp_path, _NETWORKD, **{path: text})
    assert managers.find(on, "eth0").ours(on) == _BOTH  # type: ignore[arg-type]


def test_a_network_file_of_several_interfaces_is_refused(tmp_path: Path) -> None:
    answers = {
        **_NETWORKD,
        "networkctl list --no-pager --no-legend": _LIST + "  3 eth1 ether    routable configured\n",
        "networkctl status --no-pager --lines=0 eth1": _STATUS % ("/etc/systemd/network/lan.network", "configured"),
    }
    with pytest.raises(AddressError, match="configures eth1 as well as eth0"):
        managers.find(host(tmp_path, answers), "eth0")  # type: ignore[arg-type]


def test_network_manager(tmp_path: Path) -> None:
    profile = "/etc/NetworkManager/system-connections/lan.nmconnection"
    on = host(tmp_path, {**_NETWORKD, **_NETWORK_MANAGER}, **{profile: _PROFILE})
    found = managers.find(on, "eth0")  # type: ignore[arg-type]
    assert found.name == "NetworkManager"
    texts = written(found, on)
    assert texts[profile] == "[ipv4]\naddress1=10.0.0.70/32\nmethod=auto\n"
    script = texts["/etc/NetworkManager/dispatcher.d/90-tcpops-timewait-eth0"]
    assert script.startswith("#!/bin/sh\n")
    assert "    ip address replace 2001:db8::70/128 dev eth0 preferred_lft 0\n" in script
    assert found.commands == (("nmcli", "connection", "load", profile),)


@pytest.mark.parametrize(
    ("state", "path", "outcome"),
    [
        ("100 (connected (externally))", "/run/NetworkManager/system-connections/x.nmconnection", "systemd-networkd"),
        ("10 (unmanaged)", "/etc/NetworkManager/system-connections/x.nmconnection", "systemd-networkd"),
        ("100 (connected)", "/run/NetworkManager/system-connections/x.nmconnection", "does not last"),
        ("100 (connected)", "/etc/sysconfig/network-scripts/ifcfg-eth0", "nmcli connection migrate 7f2e8c1e"),
    ],
)
def test_profiles_that_are_none_to_write_to(tmp_path: Path, state: str, path: str, outcome: str) -> None:
    answers = {
        **_NETWORKD, **_NETWORK_MANAGER,
        _NMCLI: f"GENERAL.STATE:{state}\nGENERAL.CON-UUID:7f2e8c1e\n", _PROFILES: f"7f2e8c1e:{path}\n",
    }  # fmt: skip
    on = host(tmp_path, answers)
    if outcome == "systemd-networkd":
        assert managers.find(on, "eth0").name == outcome  # type: ignore[arg-type]
    else:
        with pytest.raises(AddressError, match=outcome):
            managers.find(on, "eth0")  # type: ignore[arg-type]


def test_netplan_in_front_of_networkd(tmp_path: Path) -> None:
    on = host(tmp_path, _NETPLAN, **{"/etc/netplan/50-lan.yaml": "addresses: [10.0.0.10/24]\n"})
    found = managers.find(on, "eth0")  # type: ignore[arg-type]
    assert found.name == "netplan"
    assert body(written(found, on)["/etc/netplan/90-tcpops-timewait.yaml"]) == [
        "network:", "  version: 2", "  ethernets:", '    "lan":', "      addresses:",
        '        - "10.0.0.70/32":', '            label: "eth0:tw"',
        '        - "2001:db8::70/128":', "            lifetime: 0",
    ]  # fmt: skip
    assert found.commands == (("netplan", "generate"),)
    assert found.given_by(ipaddress.ip_interface("10.0.0.10/24")) == "/etc/netplan/50-lan.yaml"


def test_netplan_in_front_of_network_manager(tmp_path: Path) -> None:
    profile = "/run/NetworkManager/system-connections/netplan-lan.nmconnection"
    answers = {**_NETPLAN, **_NETWORK_MANAGER, _PROFILES: f"7f2e8c1e:{profile}\n"}
    on = host(tmp_path, answers)
    found = managers.find(on, "eth0")  # type: ignore[arg-type]
    texts = written(found, on)
    assert "2001:db8" not in texts["/etc/netplan/90-tcpops-timewait.yaml"], "NetworkManager takes no lifetime"
    assert "2001:db8::70/128" in texts["/etc/NetworkManager/dispatcher.d/90-tcpops-timewait-eth0"]
    assert found.commands == (("netplan", "generate"), ("nmcli", "connection", "load", profile))


@pytest.mark.parametrize(
    ("interfaces", "reads"),
    [
        ("source /etc/network/interfaces.d/*\n", True),
        ("source interfaces.d/*\n", True),
        ("source-directory /etc/network/interfaces.d\n", True),
        ("source /etc/network/interfaces.d/*.cfg\n", False),
        ("# source /etc/network/interfaces.d/*\n", False),
        ("", False),
    ],
)
def test_ifupdown(tmp_path: Path, interfaces: str, reads: bool) -> None:
    answers = {"ifquery --state eth0": "eth0=eth0\n"}
    on = host(tmp_path, answers, **{"/etc/network/interfaces": interfaces + "iface eth0 inet dhcp\n"})
    if not reads:
        with pytest.raises(AddressError, match="add the line"):
            managers.find(on, "eth0")  # type: ignore[arg-type]
        return
    found = managers.find(on, "eth0")  # type: ignore[arg-type]
    assert body(written(found, on)["/etc/network/interfaces.d/tcpops-timewait-eth0"]) == [
        "iface eth0 inet manual", "    up ip address replace 10.0.0.70/32 dev eth0 scope host label eth0:tw || true",
        "iface eth0 inet6 manual", "    up ip address replace 2001:db8::70/128 dev eth0 preferred_lft 0 || true",
    ]  # fmt: skip


def test_where_nothing_manages_it(tmp_path: Path) -> None:
    with pytest.raises(AddressError, match="nothing manages eth0"):
        managers.find(host(tmp_path, {}), "eth0")  # type: ignore[arg-type]
    device = {"systemctl is-active sys-subsystem-net-devices-eth0.device": "active\n"}
    files = {"/run/systemd/system/x": "", "/usr/sbin/ip": ""}
    on = host(tmp_path, {}, **files)
    found = managers.find(on, "eth0")  # type: ignore[arg-type]
    name = "tcpops-timewait-addresses-eth0.service"
    assert found.links == ((f"/etc/systemd/system/multi-user.target.wants/{name}", f"/etc/systemd/system/{name}"),)
    text = written(found, on)[f"/etc/systemd/system/{name}"]
    assert "ExecStart=-/usr/sbin/ip address replace 10.0.0.70/32 dev eth0 scope host label eth0:tw\n" in text
    assert "ExecStart=-/usr/sbin/ip address replace 2001:db8::70/128 dev eth0 preferred_lft 0\n" in text
    with_udev = managers.find(host(tmp_path, device, **files), "eth0")  # type: ignore[arg-type]
    assert "/sys-subsystem-net-devices-eth0.device.wants/" in with_udev.links[0][0]


def test_nothing_left_takes_the_file_away(tmp_path: Path) -> None:
    path = "/etc/systemd/network/lan.network.d/90-tcpops-timewait.conf"
    on = host(tmp_path, _NETWORKD, **{path: "[Address]\nAddress=10.0.0.70/32\n"})
    found = managers.find(on, "eth0")  # type: ignore[arg-type]
    assert persist(found, on, []) == [steps.RemoveFile(path, ("/etc/systemd/network/lan.network.d",))]  # type: ignore[arg-type]
    on = host(tmp_path, _NETWORKD, **{"/etc/systemd/network/lan.network.d/x.conf": ""})
    assert persist(found, on, []) == [steps.RemoveFile(path, ())]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "unit"), [("eth0", "eth0"), ("eth0.5", "eth0.5"), ("br-lan", r"br\x2dlan"), ("a@b", r"a\x40b")]
)
def test_names_as_systemd_escapes_them(name: str, unit: str) -> None:
    assert escaped(name) == unit
