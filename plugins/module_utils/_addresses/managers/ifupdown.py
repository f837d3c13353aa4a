# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ifupdown: a file in interfaces.d with stanzas of the method manual, which add to those of others (interfaces(5)).

``ifup`` is not run: what runs is added to the kernel, and the stanza is carried out at the next ``ifup``. The method
static would flush the interface at ``ifdown``, and sets sysctls of IPv6.
"""

import os
import re
from functools import partial
from typing import Optional, Sequence

from ..aside import ip_options
from ..errors import AddressError
from ..host import Host
from ..request import Address
from .manager import Manager, addresses_in, own_file

_INTERFACES = "/etc/network/interfaces"
_FOLDER = "/etc/network/interfaces.d"
_NAME = "tcpops-timewait-%s"
_SOURCE = re.compile(r"^\s*(source|source-directory)\s+(\S+)\s*$", re.MULTILINE)
#: names that source-directory reads (run-parts(8))
_RUN_PARTS = re.compile(r"[A-Za-z0-9_-]+\Z")


def find(host: Host, interface: str) -> Optional[Manager]:
    """It, when it says that it brought the interface up."""
    said = (host.ask("ifquery", "--state", interface) or "").split()
    if not any(one.partition("=")[0] == interface for one in said):
        return None
    # dots, as of VLANs, are in no name that source-directory reads
    name = _NAME % re.sub(r"[^A-Za-z0-9_-]", "-", interface)
    path = "%s/%s" % (_FOLDER, name)
    if not _is_read(host, name):
        raise AddressError(
            "ifupdown manages %s, and %s reads no file of %s: add the line \"source %s/*\" to it, or use persist: false"
            % (interface, _INTERFACES, _FOLDER, _FOLDER)
        )
    others = [_INTERFACES, *("%s/%s" % (_FOLDER, one) for one in host.names(_FOLDER) if one != name)]
    return Manager(
        "ifupdown",
        "ifquery --state %s: %s" % (interface, said[0]),
        (own_file(path, partial(render, interface)),),
        {one: addresses_in(host.text(one)) for one in others},
    )


def render(interface: str, addresses: Sequence[Address]) -> str:
    """A stanza for each family that there is."""
    text = ""
    for family, version in (("inet", 4), ("inet6", 6)):
        mine = [one for one in addresses if one.version == version]
        if mine:
            text += "iface %s %s manual\n" % (interface, family)
            for one in mine:
                # whatever is wrong with it, the interface has to come up: this stanza may be the first one
                text += "    up ip address replace %s dev %s%s || true\n" % (one, interface, ip_options(one, interface))
    return text


def _is_read(host: Host, name: str) -> bool:
    for kind, pattern in _SOURCE.findall(host.text(_INTERFACES)):
        full = os.path.join(os.path.dirname(_INTERFACES), pattern).rstrip("/")
        if kind == "source-directory" and full == _FOLDER and _RUN_PARTS.match(name):
            return True
        if kind == "source" and full == _FOLDER + "/*":
            return True
    return False
