# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Namespaces for the tests of what is chosen: made up, with an interface of each kind."""

from __future__ import annotations

import ipaddress
from typing import Any

from ansible_collections.tcpops.timewait.plugins.module_utils._addresses import request
from ansible_collections.tcpops.timewait.plugins.module_utils._addresses.view import Held, Link, Route, View

PERMANENT, SECONDARY, DEPRECATED = 0x80, 0x01, 0x20
MAC = "52:54:00:00:00:01"


def link(number: int, name: str, flags: int = 0x1043, master: int = 0, kind: str = "") -> Link:
    return Link(number, name, MAC, flags, master, kind)


def held(interface: int, text: str, flags: int = PERMANENT) -> Held:
    return Held(interface, ipaddress.ip_interface(text), flags)


def route(network: str | None, gateway: str | None = None, **fields: Any) -> Route:
    version = 6 if ":" in (network or gateway or "") else 4
    made = Route(version, network, gateway, 2, 254, None, 1, 3)
    return made._replace(**fields)


def view(*more: Held | Route) -> View:
    """eth0 with an address of each family and a default route; eth1 in a VRF of its own."""
    links = [link(1, "lo", 0x49), link(2, "eth0"), link(3, "eth1", master=9), link(9, "blue", kind="vrf")]
    addresses = [held(1, "127.0.0.1/8"), held(2, "10.0.0.10/24"), held(2, "2001:db8::10/64"), held(3, "10.0.0.10/24")]
    routes = [
        route(None, "10.0.0.1"),
        route("10.0.0.0/24", source="10.0.0.10", protocol=2),
        route("10.0.0.10/32", table=255, source="10.0.0.10", kind=2, protocol=2),
        route("2001:db8::/64", protocol=2),
    ]
    addresses += [one for one in more if isinstance(one, Held)]
    routes += [one for one in more if isinstance(one, Route)]
    return View(links, addresses, routes)


def asked(*listed: str, **options: Any) -> request.Request:
    state = options.pop("state", "present")
    interface = options.pop("interface", "eth0")
    named, free, count = request.settle(
        interface, state, listed, options.pop("free_range", None), options.pop("count", None)
    )
    made = request.Request(interface, state, named, free, count, False, None, True, 0, False)
    return made._replace(**options)
