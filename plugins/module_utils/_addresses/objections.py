# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What speaks against an address coming or going. Pure: it takes what was seen."""

from typing import Dict, List, Optional, Sequence

from .errors import AddressError
from .request import Address
from .view import Held, Link, View


def check_length(address: Address, view: View, link: Link, files_too: bool) -> None:
    """A shorter prefix brings a route with it, whose source the address would be, unless there is one already."""
    if address.network.prefixlen == address.max_prefixlen:
        return
    known = [one.address for one in view.on(link) if one.address.network == address.network]
    if not known:
        raise AddressError(
            "%s would bring a route to %s with it, since %s has no other address of that network: give it without a "
            "prefix length" % (address, address.network, link.name)
        )
    if address.version == 4 and files_too:
        raise AddressError(
            "%s: whichever address of %s is added first at boot is the source of the traffic to it: give this one "
            "without a prefix length, or with persist: false" % (address, address.network)
        )


def check_first(add: Sequence[Address], view: View, link: Link) -> None:
    """An address of IPv4 that is the first of its interface is the source of routes that name none."""
    if not [one for one in add if one.version == 4] or any(one.address.version == 4 for one in view.on(link)):
        return
    for route in view.routes:
        if route.version == 4 and route.interface == link.number and route.leads_out and route.source is None:
            raise AddressError(
                "%s has no address of IPv4 yet: a new one could become the source of the traffic to %s; give the "
                "interface its own address first" % (link.name, route.network or "the default route")
            )


def check_removable(held: Held, view: View, link: Link) -> None:
    address = held.address
    if held.leased:
        raise AddressError(
            "%s on %s comes from a lease or a router's advertisement: whoever gives it would give it again"
            % (address, link.name)
        )
    if not held.secondary and address.version == 4:
        for other in view.on(link):
            if other.secondary and other.address.network == address.network:
                raise AddressError(
                    "%s is the first address of its network on %s: %s would go with it"
                    % (address, link.name, other.address)
                )
    for route in view.routes:
        if route.source == str(address.ip) and route.leads_out and not route.comes_with_address:
            raise AddressError(
                "%s is the source of the route to %s: change the route first" % (address, route.network or "everywhere")
            )


def becoming(before: Dict[str, Optional[str]], after: Dict[str, Optional[str]], ours: Sequence[Address]) -> List[str]:
    """Sentences about traffic whose source one of our addresses has become."""
    mine = {str(one.ip) for one in ours}
    return [
        "traffic to %s would come from %s instead of %s" % (place, source, before.get(place) or "nowhere")
        for place, source in sorted(after.items())
        if source in mine and before.get(place) != source
    ]
