# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which addresses an interface gets or loses, and what speaks against it."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from typing import Any

import pytest
from address_views import DEPRECATED, MAC, PERMANENT, SECONDARY, asked, held, link, route, view
from ansible_collections.tcpops.timewait.plugins.module_utils._addresses import choose, objections
from ansible_collections.tcpops.timewait.plugins.module_utils._addresses.errors import AddressError
from ansible_collections.tcpops.timewait.plugins.module_utils._addresses.view import View, destinations


class Neighbours:
    """Others on the link, and whom they were asked about."""

    def __init__(self, *theirs: str) -> None:
        self.theirs = theirs
        self.asked: list[str] = []

    def __call__(self, addresses: Sequence[str]) -> dict[str, str]:
        self.asked += addresses
        return {one: MAC for one in addresses if one in self.theirs}


def added(
    seen: View, *listed: str, neighbours: Neighbours | None = None, first: Sequence[str] = (), **options: Any
) -> list[str]:
    request = asked(*listed, **options)
    interface = seen.link(request.interface)
    assert interface
    known = [ipaddress.ip_interface(one) for one in first]
    choice = choose.to_add(request, seen, interface, known, neighbours or Neighbours())
    return [str(one) for one in choice.add]


def removed(seen: View, *listed: str, **options: Any) -> list[str]:
    request = asked(*listed, state="absent", **options)
    interface = seen.link(request.interface)
    assert interface
    return [str(one.address) for one in choose.to_remove(request, seen, interface)]


def test_what_is_there_is_not_added_again() -> None:
    seen = view(held(2, "10.0.0.70/32"))
    assert added(seen, "10.0.0.70", "10.0.0.71", "10.0.0.10", "2001:db8::70") == ["10.0.0.71/32", "2001:db8::70/128"]


def test_the_prefix_of_another_address_may_be_given_and_no_other() -> None:
    assert added(view(), "10.0.0.70/24", "2001:db8::70/64") == ["10.0.0.70/24", "2001:db8::70/64"]
    for wrong in ("10.0.0.70/25", "10.1.0.70/24", "2001:db8::70/96"):
        with pytest.raises(AddressError, match="would bring a route to"):
            added(view(), wrong)
    with pytest.raises(AddressError, match="first at boot"):
        added(view(), "10.0.0.70/24", persist=True)
    assert added(view(), "2001:db8::70/64", persist=True) == ["2001:db8::70/64"]


def test_an_address_of_another_interface_is_refused_unless_it_is_in_another_vrf() -> None:
    with pytest.raises(AddressError, match=r"10\.0\.0\.70 is on lo already, not on eth0"):
        added(view(held(1, "10.0.0.70/32")), "10.0.0.70")
    assert added(view(held(3, "10.0.0.70/32")), "10.0.0.70") == ["10.0.0.70/32"]
    with pytest.raises(AddressError, match=r"already, as 10\.0\.0\.70/32"):
        added(view(held(2, "10.0.0.70/32")), "10.0.0.70/24")


def test_somebody_on_the_link_has_it() -> None:
    with pytest.raises(AddressError, match=rf"10\.0\.0\.71 \({MAC}\)"):
        added(view(), "10.0.0.70", "10.0.0.71", neighbours=Neighbours("10.0.0.71"))


def test_the_first_address_of_an_interface_would_be_the_source_of_its_routes() -> None:
    bare = view(route("10.9.0.0/16", interface=4))._replace(links=[*view().links, link(4, "eth2")])
    with pytest.raises(AddressError, match="eth2 has no address of IPv4 yet"):
        added(bare, "10.0.0.70", interface="eth2")
    named = bare._replace(routes=[route("10.9.0.0/16", interface=4, source="10.0.0.10")])
    assert added(named, "10.0.0.70", interface="eth2") == ["10.0.0.70/32"]


@pytest.mark.parametrize(
    ("free_range", "count", "expected"),
    [
        ("10.0.0.0/30", 2, ["10.0.0.2/32", "10.0.0.3/32"]),  # not the network's own, not the gateway's
        ("10.0.0.254-10.0.1.1", 2, ["10.0.0.254/32", "10.0.1.0/32"]),  # nor the last of the network
        ("10.0.0.9-10.0.0.12", 3, ["10.0.0.9/32", "10.0.0.11/32", "10.0.0.12/32"]),  # its own address is none
        ("2001:db8::/126", 2, ["2001:db8::1/128", "2001:db8::2/128"]),
    ],
)
def test_out_of_a_range(free_range: str, count: int, expected: list[str]) -> None:
    assert added(view(), free_range=free_range, count=count) == expected


def test_those_that_are_there_count() -> None:
    seen = view(held(2, "10.0.0.65/32"), held(2, "10.0.0.66/24", PERMANENT | SECONDARY), held(2, "10.0.0.67/32", 0))
    assert added(seen, free_range="10.0.0.64/27", count=2) == []
    assert added(seen, free_range="10.0.0.64/27", count=3) == ["10.0.0.64/32"], "a lease is none of ours"
    assert added(seen, "10.0.0.65", free_range="10.0.0.64/27", count=2) == ["10.0.0.64/32"], "it is asked for besides"
    seen = view(held(2, "2001:db8::65/64"), held(2, "2001:db8::66/128", PERMANENT | DEPRECATED))
    assert added(seen, free_range="2001:db8::60/124", count=1) == []


def test_those_that_somebody_has_are_passed_over() -> None:
    neighbours = Neighbours(*(f"10.0.0.{number}" for number in range(64, 80)))
    assert added(view(), free_range="10.0.0.64/27", count=2, neighbours=neighbours) == ["10.0.0.80/32", "10.0.0.81/32"]
    assert len(neighbours.asked) == len(set(neighbours.asked)), "each once"
    with pytest.raises(AddressError, match=r"too few free addresses for eth0: 1 of 17 are missing; others"):
        added(view(), free_range="10.0.0.64/27", count=17, neighbours=neighbours)


def test_those_that_a_file_gives_come_first() -> None:
    assert added(view(), free_range="10.0.0.64/27", count=2, first=["10.0.0.90/32", "10.9.0.1/32"]) == [
        "10.0.0.90/32", "10.0.0.64/32",
    ]  # fmt: skip


def test_removed_is_what_is_there_and_named() -> None:
    seen = view(held(2, "10.0.0.70/32"), held(2, "10.0.0.71/32"), held(2, "2001:db8::70/64", PERMANENT | DEPRECATED))
    assert removed(seen, "10.0.0.70", "10.0.0.99", "2001:db8::70/64") == ["10.0.0.70/32", "2001:db8::70/64"]
    assert removed(seen, free_range="10.0.0.0/24") == ["10.0.0.70/32", "10.0.0.71/32"], "not its own address"
    with pytest.raises(AddressError, match=r"eth0 has 10\.0\.0\.70/32, not 10\.0\.0\.70/24"):
        removed(seen, "10.0.0.70/24")


@pytest.mark.parametrize(
    ("more", "address", "told"),
    [
        (held(2, "10.0.0.70/24", PERMANENT | SECONDARY), "10.0.0.10", r"10\.0\.0\.70/24 would go with it"),
        (held(2, "10.0.0.70/32", 0), "10.0.0.70", "lease"),
        (route("10.9.0.0/16", "10.0.0.1", source="10.0.0.10"), "10.0.0.10", r"source of the route to 10\.9\.0\.0/16"),
    ],
)
def test_what_must_not_go(more: Any, address: str, told: str) -> None:
    with pytest.raises(AddressError, match=told):
        removed(view(more), address)


def test_traffic_that_would_come_from_a_new_address() -> None:
    ours = [ipaddress.ip_interface("10.0.0.70/32")]
    before = {"192.0.2.1": "10.0.0.10", "10.9.0.1": None, "10.8.0.1": "10.0.0.70"}
    after = {"192.0.2.1": "10.0.0.70", "10.9.0.1": "10.0.0.70", "10.8.0.1": "10.0.0.70"}
    assert objections.becoming(before, after, ours) == [
        "traffic to 10.9.0.1 would come from 10.0.0.70 instead of nowhere",
        "traffic to 192.0.2.1 would come from 10.0.0.70 instead of 10.0.0.10",
    ]
    assert objections.becoming(before, before, ours) == []


def test_every_route_is_a_destination_and_no_address_of_ours_is() -> None:
    seen = view(route("10.9.0.0/16", "10.0.0.2"), route("10.8.0.0/16", kind=7), route("10.7.0.0/16", table=255))
    found = destinations(seen, [4], [ipaddress.ip_address("10.0.0.254")])
    assert {"10.0.0.1", "10.0.0.2", "10.9.0.1", "10.9.255.254", "192.0.2.1"} <= set(found)
    assert not {"10.0.0.254", "10.0.0.10", "10.8.0.1", "10.7.0.1"} & set(found)
    assert not [one for one in found if ":" in one]


def test_what_was_pretended() -> None:
    seen = view(held(2, "10.0.0.70/32")).pretending(
        {("eth0", "10.0.0.70/32"): False, ("eth0", "10.0.0.71/32"): True, ("gone", "10.0.0.72/32"): True}
    )
    eth0 = seen.link("eth0")
    assert eth0
    assert [str(one.address) for one in seen.on(eth0)] == ["10.0.0.10/24", "2001:db8::10/64", "10.0.0.71/32"]
