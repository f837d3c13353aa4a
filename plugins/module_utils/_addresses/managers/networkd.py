# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""systemd-networkd: a drop-in beside the .network file that it says it uses; and netplan, where that file is netplan's.

It is not told to reload. That would take away and put back the addresses of the interface, and take away those that
others added: networkd of Debian 12 was seen to delete both (``link_reconfigure``). What runs is added to the kernel,
and the drop-in is read at networkd's next start, which finds the address there and keeps it.
"""

import os
import re
from functools import partial
from typing import List, Optional, Sequence

from ..._kernel.rtnetlink import HOST_SCOPE
from ..aside import aside
from ..errors import AddressError
from ..host import Host
from ..request import Address
from . import netplan
from .manager import Manager, addresses_in, own_file

_SERVICE = "systemd-networkd.service"
_DROP_IN = "90-tcpops-timewait.conf"
_ETC = "/etc/systemd/network"
_FOLDERS = (_ETC, "/run/systemd/network", "/usr/local/lib/systemd/network", "/usr/lib/systemd/network")
_FILE = re.compile(r"^\s*Network File: (/.*)$", re.MULTILINE)
_STATE = re.compile(r"^\s*State: \S+ \(([^)]*)\)$", re.MULTILINE)
_LINK = re.compile(r"^\s*\d+\s+(\S+)\s", re.MULTILINE)

_LATER = (
    "systemd-networkd is not told of it, since reloading takes addresses of the interface away for a moment; it reads "
    "the file at its next start, and until then would put back at a change of the link what it read before"
)


def find(host: Host, interface: str) -> Optional[Manager]:
    """It, when it says that the interface is its."""
    if not host.runs(_SERVICE):
        return None
    network_file = _network_file(host, interface)
    if network_file is None:
        return None
    evidence = "networkctl status %s: Network File: %s" % (interface, network_file)
    _check_alone(host, interface, network_file)
    planned = netplan.of_networkd(host, interface, network_file, evidence)
    if planned:
        return planned
    folder = "%s/%s.d" % (_ETC, os.path.basename(network_file))
    path = "%s/%s" % (folder, _DROP_IN)
    others = [network_file, *_drop_ins(host, network_file, path)]
    return Manager(
        "systemd-networkd",
        evidence,
        (own_file(path, partial(render, interface), folder=folder),),
        {one: addresses_in(host.text(one)) for one in others},
        advice=(_LATER,),
    )


def render(interface: str, addresses: Sequence[Address]) -> str:
    """One section for each: of two lines in one, the last would win."""
    text = ""
    for one in addresses:
        wanted = aside(one, interface)
        text += "[Address]\nAddress=%s\n" % one
        text += "PreferredLifetime=0\n" if wanted.preferred == 0 else ""
        text += "Scope=host\n" if wanted.scope == HOST_SCOPE else ""
        text += "Label=%s\n" % wanted.label if wanted.label else ""
    return text


def _network_file(host: Host, interface: str) -> Optional[str]:
    status = host.ask("networkctl", "status", "--no-pager", "--lines=0", interface) or ""
    found, state = _FILE.search(status), _STATE.search(status)
    if not found or (state and state.group(1) == "unmanaged"):
        return None
    return found.group(1).strip()


def _check_alone(host: Host, interface: str, network_file: str) -> None:
    """What is added is for every interface that the file matches: two would have the same address."""
    listed = host.ask("networkctl", "list", "--no-pager", "--no-legend") or ""
    for other in _LINK.findall(listed):
        if other != interface and _network_file(host, other) == network_file:
            raise AddressError(
                "%s configures %s as well as %s, and both would get the same addresses at boot: give %s one of its "
                "own, or use persist: false" % (network_file, other, interface, interface)
            )


def _drop_ins(host: Host, network_file: str, own: str) -> List[str]:
    name = os.path.basename(network_file) + ".d"
    found = []
    for folder in _FOLDERS:
        for one in host.names("%s/%s" % (folder, name)):
            path = "%s/%s/%s" % (folder, name, one)
            if one.endswith(".conf") and path != own:
                found.append(path)
    return found
