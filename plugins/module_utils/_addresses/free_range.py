# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Addresses out of a range that is given to us, those that nobody has."""

from typing import Callable, Dict, Iterator, List, Sequence, Set

from .errors import AddressError
from .request import Address, Ip, Named, Range
from .view import Held, Link, View

#: MAC of whoever on the link has each of the addresses
Ask = Callable[[Sequence[str]], Dict[str, str]]

#: how many candidates are asked about at once beyond those that are needed
_SPARE = 8


class FreeRange:
    """``named``: addresses that are asked for by themselves, and count not as those of the range."""

    def __init__(self, free: Range, view: View, link: Link, named: Set[Ip]) -> None:
        self._free = free
        self._view = view
        self._link = link
        self._named = named
        #: MACs of those that were passed over because somebody on the link has them
        self.taken: Dict[str, str] = {}

    def held(self) -> List[Held]:
        """Those that the interface has aside; its own address may be in the range, too, and counts not."""
        on = [one for one in self._view.on(self._link) if one.aside]
        return [one for one in on if one.address.ip in self._free and one.address.ip not in self._named]

    def take(self, wanted: int, first: Sequence[Address], ask: Ask) -> List[Address]:
        """So many more.

        :param first: taken before others.
        :raises AddressError: when there are not enough.
        """
        found: List[Address] = []
        candidates = self._candidates([one.ip for one in first])
        while len(found) < wanted:
            # the count first: zip would take a candidate too many, and lose it
            batch = [one for _number, one in zip(range(wanted - len(found) + _SPARE), candidates)]
            if not batch:
                raise AddressError(self._too_few(wanted - len(found), wanted))
            answered = ask([str(one) for one in batch])
            self.taken.update(answered)
            free = [Named(one, None).address for one in batch if str(one) not in answered]
            found += free[: wanted - len(found)]
        return found

    def _too_few(self, missing: int, wanted: int) -> str:
        told = "%s has too few free addresses for %s: %d of %d are missing" % (
            self._free, self._link.name, missing, wanted,
        )  # fmt: skip
        if self.taken:
            told += "; others on the link have %s" % ", ".join(sorted(self.taken)[:5])
        return told

    def _candidates(self, first: Sequence[Ip]) -> Iterator[Ip]:
        barred: Set[Ip] = {*self._named, *(one.address.ip for one in self._view.held)}
        for one in self._view.on(self._link):
            network = one.address.network
            if network.num_addresses > 2:
                barred.add(network.network_address)  # in IPv6, the routers' anycast address (RFC 4291, 2.6.1)
                if network.version == 4:
                    barred.add(network.broadcast_address)
        gateways = {route.gateway for route in self._view.routes}
        kind = type(self._free.first)
        rest = (kind(number) for number in range(int(self._free.first), int(self._free.last) + 1))
        for group in ([one for one in first if one in self._free], rest):
            for ip in group:
                if ip not in barred and str(ip) not in gateways:
                    barred.add(ip)
                    yield ip
