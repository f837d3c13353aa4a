# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""NetworkManager: the connection's profile for IPv4, a dispatcher script for IPv6; and netplan in front of it.

The profile is a keyfile, edited in text: a line is added or taken away, and no other byte changes. ``nmcli connection
load`` lets NetworkManager know of it. ``nmcli device reapply`` is not run: NetworkManager of Debian 12 was seen to take
away and put back the addresses of IPv6, and to take away those that others had added.

A profile cannot say that an address of IPv6 is deprecated, and without that the address may become the source of other
traffic (RFC 6724, rule 8). So a script adds it whenever NetworkManager has brought the interface up
(NetworkManager-dispatcher(8)); NetworkManager leaves alone what it did not add.
"""

import re
from functools import partial
from typing import List, Optional, Sequence, Tuple

from ..aside import ip_options
from ..errors import AddressError
from ..host import Host
from ..request import Address
from . import keyfile, netplan
from .manager import Argv, Manager, Part, addresses_in, own_file

_SERVICE = "NetworkManager.service"
_DISPATCHER = "/etc/NetworkManager/dispatcher.d"
_ETC = "/etc/NetworkManager/system-connections/"
_CONNECTED = 100  # NM_DEVICE_STATE_ACTIVATED
_LATER = (
    "NetworkManager is not told to reapply the profile, since that takes addresses of the interface away for a moment; "
    "it uses the profile as it is now when the connection is activated next"
)
_CLOUD = "cloud-init wrote the profile, and writes it anew for a new instance: the addresses are to be added again then"


def find(host: Host, interface: str) -> Optional[Manager]:
    """It, when it says that the interface is its."""
    if not host.runs(_SERVICE):
        return None
    fields = "GENERAL.STATE,GENERAL.CON-UUID"
    said = host.ask("nmcli", "-t", "-e", "no", "-f", fields, "device", "show", interface) or ""
    device = dict(line.partition(":")[::2] for line in said.splitlines())
    state = re.match(r"\d+", device.get("GENERAL.STATE", ""))
    # connected externally: it only watches what somebody else set up
    if not state or int(state.group()) != _CONNECTED or "externally" in device["GENERAL.STATE"]:
        return None
    uuid = device.get("GENERAL.CON-UUID", "")
    profile = _profile(host, uuid)
    if profile is None:
        return None
    evidence = "nmcli device show %s: connection %s, profile %s" % (interface, uuid, profile)
    script = own_file(dispatcher_path(interface), partial(_script, interface), (6,), 0o755)
    definition = netplan.of_network_manager(host, profile)
    if definition:
        front = own_file(netplan.PATH, partial(netplan.text, definition, ""), (4,), 0o600)
        commands: Tuple[Argv, ...] = (netplan.GENERATE, _load(profile))
        return Manager(
            "netplan", evidence, (front, script), netplan.others(host), commands, advice=(netplan.LATER, _LATER)
        )
    _check(profile, uuid)
    advice = (_LATER, _CLOUD) if "/cloud-init-" in profile else (_LATER,)
    part = Part(profile, (4,), keyfile.read, keyfile.write, 0o600)
    # the lines of others cannot be told from ours; of IPv6, none are ours
    given: List[Address] = [one for one in addresses_in(host.text(profile)) if one.version == 6]
    return Manager("NetworkManager", evidence, (part, script), {profile: given}, (_load(profile),), advice=advice)


def dispatcher_path(interface: str) -> str:
    """NetworkManager leaves out names that end with .bak, .swp and the like, and those with a leading dot."""
    return "%s/90-tcpops-timewait-%s" % (_DISPATCHER, interface)


def _load(profile: str) -> Argv:
    return ("nmcli", "connection", "load", profile)


def _profile(host: Host, uuid: str) -> Optional[str]:
    for line in (host.ask("nmcli", "-t", "-e", "no", "-f", "UUID,FILENAME", "connection", "show") or "").splitlines():
        found, _colon, path = line.partition(":")
        if uuid and found == uuid and path.startswith("/"):
            return path
    return None


def _check(profile: str, uuid: str) -> None:
    if profile.startswith(_ETC):
        return
    if "/ifcfg-" in profile:
        remedy = "it is in the format of network-scripts: nmcli connection migrate %s makes a keyfile of it" % uuid
    else:
        remedy = "it does not last, or belongs to a package: nmcli connection modify %s writes one to /etc" % uuid
    raise AddressError("the profile %s is none that addresses can go in: %s; or use persist: false" % (profile, remedy))


def _script(interface: str, addresses: Sequence[Address]) -> str:
    lines: List[str] = ["#!/bin/sh", '[ "$1" = %s ] || exit 0' % interface, 'case "$2" in up | dhcp6-change | reapply)']
    lines += ["    ip address replace %s dev %s%s" % (one, interface, ip_options(one, interface)) for one in addresses]
    return "\n".join([*lines, "esac", ""])
