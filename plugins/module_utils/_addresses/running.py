# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asks the kernel about links, addresses, routes and sources, by pyroute2.

Each function looks at the namespace that the process is in and returns what JSON can carry, so that it can be called
inside another one. Changes do not go this way: a transaction makes them, which must be able to take them back on a host
that has lost the library.
"""

import ipaddress
import traceback
from functools import partial
from typing import Any, Callable, Dict, List, Optional, Sequence

from .._kernel.errors import KernelReadError
from .._kernel.inside import call_inside
from .errors import AddressError
from .view import Held, Link, Route, View

try:
    from pyroute2 import IPRoute
    from pyroute2.netlink.exceptions import NetlinkError
except ImportError:
    IMPORT_ERROR: Optional[str] = traceback.format_exc()
    NetlinkError = OSError
else:
    IMPORT_ERROR = None

_INSIDE_SECONDS = 60
_FAMILIES = {4: 2, 6: 10}  # AF_INET, AF_INET6


def look(namespace: Optional[str]) -> View:
    """All of a namespace.

    :raises AddressError: when it cannot be looked at.
    """
    found = _called(namespace, _look)
    return View(
        [Link(*one) for one in found["links"]],
        [Held(index, ipaddress.ip_interface(text), flags) for index, text, flags in found["held"]],
        [Route(*one) for one in found["routes"]],
    )


def sources(namespace: Optional[str], destinations: Sequence[str], vrf: int) -> Dict[str, Optional[str]]:
    """The source address of traffic to each destination, None where there is no way to it: ``ip route get``.

    :param vrf: index of the VRF that the traffic goes out of, 0 for none.
    :raises AddressError: when it cannot be told.
    """
    found: Dict[str, Optional[str]] = _called(namespace, partial(_sources, list(destinations), vrf))
    return found


def _called(namespace: Optional[str], function: Callable[[], Any]) -> Any:
    try:
        if namespace is None:
            return function()
        return call_inside(namespace, function, _INSIDE_SECONDS)
    except KernelReadError as error:
        raise AddressError("the addresses cannot be looked at: %s" % error) from None
    except (OSError, NetlinkError) as error:
        raise AddressError("the kernel does not tell its addresses: %s" % error) from None


def _look() -> Dict[str, List[Any]]:
    with IPRoute() as route:
        links = [_link(one) for one in route.get_links()]
        vrfs = {index for index, _name, _mac, _flags, _master, kind in links if kind == "vrf"}
        held = [[one["index"], _text(one), _flags(one)] for one in route.get_addr()]
        routes: List[List[Any]] = []
        for family in _FAMILIES.values():
            for one in route.get_routes(family=family):
                routes += _routes(one)
    for found in links:
        if found[0] in vrfs:
            found[4] = found[0]  # what comes from its own addresses goes that way as well
        elif found[4] not in vrfs:
            found[4] = 0  # a bridge or a bond is a master, too
    return {"links": links, "held": held, "routes": routes}


def _link(one: Any) -> List[Any]:
    information = one.get_attr("IFLA_LINKINFO")
    kind = information.get_attr("IFLA_INFO_KIND") if information else None
    return [
        one["index"], one.get_attr("IFLA_IFNAME"), one.get_attr("IFLA_ADDRESS") or "", one["flags"],
        one.get_attr("IFLA_MASTER") or 0, kind or "",
    ]  # fmt: skip


def _text(one: Any) -> str:
    return "%s/%d" % (one.get_attr("IFA_LOCAL") or one.get_attr("IFA_ADDRESS"), one["prefixlen"])


def _flags(one: Any) -> int:
    flags = one.get_attr("IFA_FLAGS")
    return int(one["flags"] if flags is None else flags)


def _routes(one: Any) -> List[List[Any]]:
    """One of each next hop."""
    version = 4 if one["family"] == _FAMILIES[4] else 6
    destination = one.get_attr("RTA_DST")
    network = "%s/%d" % (destination, one["dst_len"]) if destination else None
    table = one.get_attr("RTA_TABLE") or one["table"]
    source = one.get_attr("RTA_PREFSRC")
    ways = [(hop.get_attr("RTA_GATEWAY"), hop["oif"]) for hop in one.get_attr("RTA_MULTIPATH") or []]
    if not ways:
        ways = [(one.get_attr("RTA_GATEWAY"), one.get_attr("RTA_OIF") or 0)]
    return [[version, network, gateway, index, table, source, one["type"], one["proto"]] for gateway, index in ways]


def _sources(destinations: List[str], vrf: int) -> Dict[str, Optional[str]]:
    found: Dict[str, Optional[str]] = {}
    with IPRoute() as route:
        for one in destinations:
            options = {"dst": one, "family": _FAMILIES[6 if ":" in one else 4]}
            if vrf:
                options["oif"] = vrf
            try:
                answers = list(route.route("get", **options))
            except NetlinkError:
                answers = []  # no way to it
            found[one] = answers[0].get_attr("RTA_PREFSRC") if answers else None
    return found
