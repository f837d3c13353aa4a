# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a change of addresses asks for, checked as far as that goes without looking at the host."""

import ipaddress
import re
from typing import List, NamedTuple, Optional, Sequence, Tuple, Union

from .errors import AddressError

PRESENT = "present"
ABSENT = "absent"

Ip = Union[ipaddress.IPv4Address, ipaddress.IPv6Address]
#: an address with its prefix length
Address = Union[ipaddress.IPv4Interface, ipaddress.IPv6Interface]


#: of more addresses of a range than these, nobody wants to hear
MOST_CANDIDATES = 65536
_MOST_ADDRESSES = 1024
#: the kernel takes more, which the files of some manager would not carry
_INTERFACE = re.compile(r"[A-Za-z0-9_.@+-]{1,15}\Z")


class Named(NamedTuple):
    """One address as the user named it; ``length`` is None where that was left to us."""

    ip: Ip
    length: Optional[int]

    @property
    def address(self) -> Address:
        """With the longest prefix where none is named: no route comes with it, and no traffic chooses it."""
        length = self.ip.max_prefixlen if self.length is None else self.length
        return ipaddress.ip_interface("%s/%d" % (self.ip, length))


class Range(NamedTuple):
    """Addresses from ``first`` to ``last``, of one family."""

    first: Ip
    last: Ip

    def __contains__(self, one: object) -> bool:
        return isinstance(one, type(self.first)) and int(self.first) <= int(one) <= int(self.last)

    @property
    def size(self) -> int:
        return int(self.last) - int(self.first) + 1

    def __str__(self) -> str:
        return "%s-%s" % (self.first, self.last)


class Request(NamedTuple):
    """``wanted``: how many out of ``free_range``. ``namespace``: file of a network namespace, None for the caller's
    own. ``wait``: seconds that connections have to end. ``force``: go on where they have not."""

    interface: str
    state: str
    named: Tuple[Named, ...]
    free_range: Optional[Range]
    wanted: int
    persist: bool
    namespace: Optional[str]
    detect: bool
    wait: int
    force: bool

    @property
    def files_too(self) -> bool:
        """Whether files are concerned: those of the host say nothing about another namespace."""
        return self.persist and self.namespace is None


def settle(
    interface: str, state: str, listed: Sequence[str], free_range: Optional[str], count: Optional[int]
) -> Tuple[Tuple[Named, ...], Optional[Range], int]:
    """``(named, range, count)`` out of what the user wrote.

    :raises AddressError: when it makes no sense.
    """
    if not _INTERFACE.match(interface) or interface in (".", ".."):
        raise AddressError("%r is no name of an interface" % interface)
    if state == PRESENT and (free_range is None) != (count is None):
        raise AddressError("count and free_range go together: give how many addresses, and out of which range")
    if not listed and free_range is None:
        raise AddressError("neither addresses nor free_range is given: name the addresses that are to be %s" % state)
    if state == ABSENT and count is not None:
        raise AddressError(
            "count goes with state present: with state absent, free_range means every address of it that %s has"
            % interface
        )
    if count is not None and not 1 <= count <= _MOST_ADDRESSES:
        raise AddressError("count is %d: it takes a number from 1 to %d" % (count, _MOST_ADDRESSES))
    named: List[Named] = []
    for text in listed:
        one = _named(text)
        if one.ip in [other.ip for other in named]:
            raise AddressError("%s is given twice: give it once" % one.ip)
        named.append(one)
    return tuple(named), None if free_range is None else _range(free_range), count or 0


def _named(text: str) -> Named:
    own, slash, length = text.strip().partition("/")
    try:
        found = ipaddress.ip_interface(text.strip())
    except ValueError:
        raise AddressError("%r is no address, with or without a prefix length" % text) from None
    if slash and not length.isdigit():
        raise AddressError("%r has a netmask: give the prefix length, a number" % text)
    ip = ipaddress.ip_address(own)
    _check_kind(ip)
    network = found.network
    if network.prefixlen < ip.max_prefixlen - 1 and ip in (network.network_address, _broadcast(network)):
        raise AddressError("%s is the first or last address of its network: no host has it" % text)
    return Named(ip, found.network.prefixlen if slash else None)


def _broadcast(network: object) -> Optional[Ip]:
    """IPv6 has none."""
    return network.broadcast_address if isinstance(network, ipaddress.IPv4Network) else None


def _check_kind(ip: Ip) -> None:
    kinds = (
        (ip.is_multicast, "a multicast address"),
        (ip.is_unspecified, "the address of nobody"),
        (ip.is_loopback, "a loopback address: all of 127.0.0.0/8 can be used without adding it"),
        (ip.is_link_local, "a link-local address: it reaches nothing behind a router"),
        (ip == ipaddress.IPv4Address(0xFFFFFFFF), "the broadcast address"),
        (isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped is not None, "an IPv4 address: write it as one"),
    )
    for wrong, what in kinds:
        if wrong:
            raise AddressError("%s is %s" % (ip, what))


def _range(text: str) -> Range:
    try:
        first_text, dash, last_text = text.partition("-")
        if dash:
            first, last = ipaddress.ip_address(first_text.strip()), ipaddress.ip_address(last_text.strip())
        else:
            network = ipaddress.ip_network(text.strip())
            first, last = network[0], network[-1]
    except ValueError as error:
        raise AddressError(
            "free_range %r is neither a network nor two addresses with a hyphen: %s" % (text, error)
        ) from None
    if first.version != last.version or int(first) > int(last):
        raise AddressError("free_range %r does not go from a lower to a higher address of one family" % text)
    found = Range(first, last)
    if found.size > MOST_CANDIDATES:
        raise AddressError("free_range %r has more than %d addresses: give a smaller one" % (text, MOST_CANDIDATES))
    for end in (first, last):
        _check_kind(end)
    return found
