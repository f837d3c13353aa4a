# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an interface looks like: links, addresses and routes of a namespace, as plain data."""

import ipaddress
from typing import Dict, List, NamedTuple, Optional, Sequence, Tuple

from .request import Address, Ip

_UP = 0x1
_LOOPBACK = 0x8
_RUNNING = 0x40
_NO_ARP = 0x80

_SECONDARY = 0x01
_DAD_FAILED = 0x08
_DEPRECATED = 0x20
_TENTATIVE = 0x40
_PERMANENT = 0x80

#: RT_TABLE_LOCAL: which addresses are ours; the kernel writes it
_LOCAL_TABLE = 255
_UNICAST = 1
_BY_KERNEL = 2  # RTPROT_KERNEL


class Link(NamedTuple):
    """``master``: number of the VRF that it belongs to or is, or 0. ``kind``: as ``ip -d link`` names it."""

    number: int
    name: str
    mac: str
    flags: int
    master: int
    kind: str

    @property
    def up(self) -> bool:
        return bool(self.flags & _UP)

    @property
    def carrier(self) -> bool:
        return bool(self.flags & _RUNNING)

    @property
    def has_neighbours(self) -> bool:
        """Whether there is a link on which somebody else could have an address."""
        return not self.flags & (_LOOPBACK | _NO_ARP) and len(self.mac) == len("00:00:00:00:00:00")


class Held(NamedTuple):
    """An address that an interface, by its number, has."""

    interface: int
    address: Address
    flags: int

    @property
    def secondary(self) -> bool:
        """Whether another address of IPv4 stands before it; it goes when that one goes."""
        return self.address.version == 4 and bool(self.flags & _SECONDARY)

    @property
    def aside(self) -> bool:
        """Whether it is for those who ask for it alone, as what this collection adds, and the source of nothing else.

        The kernel passes over what is deprecated for IPv6 alone (``inet_select_addr``, ``ipv6_get_saddr_eval``).
        """
        if self.leased:
            return False
        if self.address.version == 6:
            return bool(self.flags & _DEPRECATED)
        return self.secondary or self.address.network.prefixlen == 32

    @property
    def leased(self) -> bool:
        """Whether it goes by itself: out of a lease, or of a router's advertisement."""
        return not self.flags & _PERMANENT

    @property
    def tentative(self) -> bool:
        return self.address.version == 6 and bool(self.flags & _TENTATIVE)

    @property
    def duplicate(self) -> bool:
        """Whether the kernel found that somebody else has it (RFC 4862, 5.4)."""
        return self.address.version == 6 and bool(self.flags & _DAD_FAILED)


class Route(NamedTuple):
    """``network`` None for the default route. ``source``: the address that it names for traffic from here."""

    version: int
    network: Optional[str]
    gateway: Optional[str]
    interface: int
    table: int
    source: Optional[str]
    kind: int
    protocol: int

    @property
    def leads_out(self) -> bool:
        """Whether it is one for traffic to others."""
        return self.table != _LOCAL_TABLE and self.kind == _UNICAST

    @property
    def comes_with_address(self) -> bool:
        """Whether the kernel makes it for an address, and takes it away with it."""
        return self.protocol == _BY_KERNEL


class View(NamedTuple):
    """A namespace."""

    links: List[Link]
    held: List[Held]
    routes: List[Route]

    def link(self, name: str) -> Optional[Link]:
        return next((one for one in self.links if one.name == name), None)

    def on(self, link: Link) -> List[Held]:
        return [one for one in self.held if one.interface == link.number]

    def name_of(self, number: int) -> str:
        return next((one.name for one in self.links if one.number == number), "interface %d" % number)

    def vrf_of(self, number: int) -> int:
        return next((one.master for one in self.links if one.number == number), 0)

    def pretending(self, changes: Dict[Tuple[str, str], bool]) -> "View":
        """As it would be after addresses, by interface and text, came and went."""
        held = list(self.held)
        for (name, text), there in changes.items():
            link = self.link(name)
            if link is None:
                continue
            address = ipaddress.ip_interface(text)
            held = [one for one in held if (one.interface, one.address) != (link.number, address)]
            if there:
                held.append(Held(link.number, address, _PERMANENT | _DEPRECATED))
        return self._replace(held=held)


#: addresses far away, for the default route: of documentation, which nobody has (RFC 5737, RFC 3849)
_FAR = {4: ("192.0.2.1", "198.51.100.1", "203.0.113.1"), 6: ("2001:db8:ffff:ffff::1", "3fff::1")}
_MOST_DESTINATIONS = 256


def destinations(view: View, versions: Sequence[int], without: Sequence[Ip]) -> List[str]:
    """Where traffic may go: a place behind every route, and every gateway."""
    found: List[str] = []
    for version in versions:
        found += _FAR[version]
    for route in view.routes:
        if route.version not in versions or not route.leads_out:
            continue
        if route.gateway:
            found.append(route.gateway)
        if route.network:
            found += _inside(route.network)
    barred = {str(one) for one in without} | {str(one.address.ip) for one in view.held}
    unique = [one for number, one in enumerate(found) if one not in found[:number] and one not in barred]
    return unique[:_MOST_DESTINATIONS]


def _inside(text: str) -> List[str]:
    """The first and the last host: what shares most with an address that is higher or lower."""
    network = ipaddress.ip_network(text, strict=False)
    if network.is_multicast or network.is_link_local:
        return []
    if network.num_addresses <= 2:
        return [str(network[0])]
    return [str(network[1]), str(network[-2])]
