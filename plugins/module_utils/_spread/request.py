# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is asked for, whatever the server: connections of one backend from several addresses, to several of them."""

import ipaddress
import re
from typing import List, NamedTuple, Tuple

_NAME = re.compile(r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*\.?\Z")


class ServerAddresses(NamedTuple):
    """More addresses of one server. ``server``: HAProxy's name of it; for nginx its address as it is written."""

    server: str
    addresses: Tuple[str, ...]


class Request(NamedTuple):
    """What to add to a backend, or to take away again.

    ``sources``: all addresses that connections are to come from. ``ports``: of every server, beside the one there.
    """

    backend: str
    sources: Tuple[str, ...] = ()
    ports: Tuple[int, ...] = ()
    addresses: Tuple[ServerAddresses, ...] = ()

    @property
    def empty(self) -> bool:
        """Whether it asks for nothing."""
        return not (self.sources or self.ports or any(one.addresses for one in self.addresses))

    def addresses_of(self, server: str) -> Tuple[str, ...]:
        """The additional ones of one server."""
        return next((one.addresses for one in self.addresses if one.server == server), ())


def normal(request: Request) -> Request:
    """Each thing once, in one order, addresses as they are usually written.

    :raises ValueError: with the reason, for what is no address or port.
    """
    for port in request.ports:
        if not 1 <= port <= 65535:
            raise ValueError("%d is no port: give one from 1 to 65535" % port)
    sources = sorted({ipaddress.ip_address(one) for one in request.sources}, key=lambda one: (one.version, int(one)))
    addresses = {one.server: {_address(address) for address in one.addresses} for one in request.addresses}
    for one in request.addresses:
        addresses[one.server] |= {_address(address) for address in one.addresses}
    return Request(
        request.backend,
        tuple(str(one) for one in sources),
        tuple(sorted(set(request.ports))),
        tuple(ServerAddresses(name, tuple(sorted(found))) for name, found in sorted(addresses.items()) if found),
    )


def joined(one: Request, other: Request) -> Request:
    """Both."""
    return normal(
        Request(one.backend, one.sources + other.sources, one.ports + other.ports, one.addresses + other.addresses)
    )


def without(one: Request, other: Request) -> Request:
    """The first one less what the second one names; nothing where that names nothing."""
    if other.empty:
        return Request(one.backend)
    away = normal(other)
    return Request(
        one.backend,
        tuple(source for source in one.sources if source not in away.sources),
        tuple(port for port in one.ports if port not in away.ports),
        tuple(
            ServerAddresses(found.server, kept)
            for found in one.addresses
            for kept in [tuple(left for left in found.addresses if left not in away.addresses_of(found.server))]
            if kept
        ),
    )


def version_of(address: str) -> int:
    """4 or 6; 0 for a name, which may have addresses of both."""
    try:
        return ipaddress.ip_address(address).version
    except ValueError:
        return 0


def _address(text: str) -> str:
    """An address, or a name.

    :raises ValueError: for anything else.
    """
    if version_of(text):
        return str(ipaddress.ip_address(text))
    if not _NAME.match(text):
        raise ValueError("%s is neither an address nor a name" % text)
    return text


def shares(total: int, parts: int) -> List[int]:
    """A whole number in parts that differ by one at most, the larger ones first."""
    return [(total + parts - 1 - part) // parts for part in range(parts)]
