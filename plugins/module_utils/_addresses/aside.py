# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What makes an address one that nobody uses who does not ask for it: scope and label of IPv4, lifetime of IPv6.

IPv4 without a network gets the scope of the host. Without that, the first address of an interface, which may be ours
after a boot, is the source of multicasts and of routes to the link (``inet_select_addr``). It stands before the others
then, so it gets a label as well: what looks for *the* address of an interface by its name passes it over (SIOCGIFADDR,
getifaddrs(3), Ansible's facts). IPv6 is deprecated from the start (RFC 6724, rule 3).
"""

from typing import NamedTuple

from .._kernel.rtnetlink import FOREVER, HOST_SCOPE
from .request import Address

_LABEL = "%s:tw"
_LONGEST_LABEL = 15  # IFNAMSIZ, with its NUL


class Aside(NamedTuple):
    """What goes with an address: ``preferred`` seconds, ``scope``, and ``label``, empty for none."""

    preferred: int = FOREVER
    scope: int = 0
    label: str = ""


def aside(address: Address, interface: str) -> Aside:
    """What the address is given on this interface."""
    if address.version == 6:
        return Aside(preferred=0)
    if address.network.prefixlen < address.max_prefixlen:
        # it stands behind another one of its network, with which it has to share the scope (__inet_insert_ifa)
        return Aside()
    return Aside(scope=HOST_SCOPE, label=label(interface))


def label(interface: str) -> str:
    """Empty where the name of the interface leaves no room for it."""
    text = _LABEL % interface
    return text if len(text) <= _LONGEST_LABEL else ""


def ip_options(address: Address, interface: str) -> str:
    """The same for ``ip address replace``, with a space before each."""
    wanted = aside(address, interface)
    text = " scope host" if wanted.scope == HOST_SCOPE else ""
    text += " preferred_lft 0" if wanted.preferred == 0 else ""
    return text + (" label %s" % wanted.label if wanted.label else "")
