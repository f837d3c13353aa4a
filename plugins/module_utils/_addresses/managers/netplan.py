# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""netplan: a file of our own with only addresses, which netplan adds to those of the other files (netplan(5)).

``netplan apply`` is not run, since it restarts what is behind netplan. ``netplan generate`` refuses what it does not
understand, and writes what the one behind it reads when that starts.
"""

import os
import re
from functools import partial
from typing import Dict, List, Optional, Sequence, Tuple

from ..aside import label
from ..errors import AddressError
from ..host import Host
from ..request import Address
from .manager import Manager, addresses_in, own_file

PATH = "/etc/netplan/90-tcpops-timewait.yaml"
GENERATE = ("netplan", "generate")
_FOLDERS = ("/etc/netplan", "/run/netplan", "/lib/netplan")
_OF_NETWORKD = re.compile(r"/run/systemd/network/10-netplan-(.+)\.network\Z")
_OF_NETWORK_MANAGER = re.compile(r"/run/NetworkManager/system-connections/netplan-(.+)\.nmconnection\Z")
#: kind and name
Definition = Tuple[str, str]
_KINDS = ("ethernets", "bonds", "bridges", "vlans", "wifis", "modems", "tunnels", "dummy-devices", "virtual-ethernets")

LATER = (
    "netplan generate has written it for the next start of what is behind netplan; netplan apply is not run, since it "
    "may take the interface down for a moment"
)


def of_networkd(host: Host, interface: str, network_file: str, evidence: str) -> Optional[Manager]:
    """It, when systemd-networkd reads a file of it."""
    found = _OF_NETWORKD.match(network_file)
    if not found:
        return None
    part = own_file(PATH, partial(text, _definition(host, found.group(1)), label(interface)), mode=0o600)
    return Manager("netplan", evidence, (part,), others(host), (GENERATE,), advice=(LATER,), knows_scope=False)


def of_network_manager(host: Host, profile: str) -> Optional[Definition]:
    """``(kind, name)`` of the definition, when a profile of NetworkManager is netplan's."""
    found = _OF_NETWORK_MANAGER.match(profile)
    return _definition(host, found.group(1)) if found else None


def _definition(host: Host, name: str) -> Definition:
    """What kind of definition has this name."""
    for kind in _KINDS:
        said = host.ask("netplan", "get", kind) or ""
        # the names are the keys of the outermost level
        keys = re.findall(r"^(\S[^:\n]*|\"[^\"\n]*\"):", said, re.MULTILINE)
        if name in [key.strip("\"'") for key in keys]:
            return kind, name
    raise AddressError(
        "netplan get shows no definition of the name %s, whose file is in use: see what netplan says" % name
    )


def text(definition: Definition, name: str, addresses: Sequence[Address]) -> str:
    """One definition with addresses alone. Labels and deprecated ones need systemd-networkd behind netplan.

    :param name: label of those of IPv4, empty for none. netplan knows of no scope.
    """
    lines = ["network:", "  version: 2", "  %s:" % definition[0], '    "%s":' % definition[1], "      addresses:"]
    for one in addresses:
        if one.version == 6:
            lines += ['        - "%s":' % one, "            lifetime: 0"]
        elif name:
            lines += ['        - "%s":' % one, '            label: "%s"' % name]
        else:
            lines.append('        - "%s"' % one)
    return "\n".join(lines) + "\n"


def others(host: Host) -> Dict[str, List[Address]]:
    """Addresses by file, of the files of others."""
    paths: List[str] = []
    for folder in _FOLDERS:
        paths += ["%s/%s" % (folder, name) for name in host.names(folder) if name.endswith(".yaml")]
    return {path: addresses_in(host.text(path)) for path in paths if os.path.normpath(path) != PATH}
