# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What may be asked for, and what is refused with one sentence."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.tcpops.timewait.plugins.module_utils._addresses import request
from ansible_collections.tcpops.timewait.plugins.module_utils._addresses.errors import AddressError


def settle(**options: Any) -> tuple[list[str], str, int]:
    given = {"interface": "eth0", "state": "present", "listed": [], "free_range": None, "count": None, **options}
    named, free, count = request.settle(**given)
    return [str(one.address) for one in named], str(free), count


@pytest.mark.parametrize(
    ("listed", "settled"),
    [
        (["10.0.0.70"], ["10.0.0.70/32"]),
        (["10.0.0.70/24"], ["10.0.0.70/24"]),
        ([" 10.0.0.70/32 ", "2001:DB8::70"], ["10.0.0.70/32", "2001:db8::70/128"]),
        (["2001:db8:0:0::70/64"], ["2001:db8::70/64"]),
        (["10.0.0.0/31"], ["10.0.0.0/31"]),
        (["10.0.0.0"], ["10.0.0.0/32"]),
    ],
)
def test_addresses(listed: list[str], settled: list[str]) -> None:
    assert settle(listed=listed)[0] == settled


@pytest.mark.parametrize(
    ("free_range", "told"),
    [
        ("10.0.0.64/27", "10.0.0.64-10.0.0.95"),
        ("10.0.0.70-10.0.0.90", "10.0.0.70-10.0.0.90"),
        ("10.0.0.70 - 10.0.0.70", "10.0.0.70-10.0.0.70"),
        ("2001:db8::40/122", "2001:db8::40-2001:db8::7f"),
    ],
)
def test_ranges(free_range: str, told: str) -> None:
    assert settle(free_range=free_range, count=2)[1:] == (told, 2)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({}, "neither addresses nor free_range"),
        ({"listed": ["10.0.0.256"]}, "is no address"),
        ({"listed": ["eth0"]}, "is no address"),
        ({"listed": ["10.0.0.1/255.255.255.0"]}, "netmask"),
        ({"listed": ["10.0.0.1", "10.0.0.1/24"]}, "given twice"),
        ({"listed": ["224.0.0.1"]}, "multicast"),
        ({"listed": ["127.0.0.9"]}, "loopback"),
        ({"listed": ["fe80::1"]}, "link-local"),
        ({"listed": ["0.0.0.0"]}, "nobody"),
        ({"listed": ["255.255.255.255"]}, "broadcast"),
        ({"listed": ["::ffff:10.0.0.1"]}, "IPv4 address"),
        ({"listed": ["10.0.0.0/24"]}, "first or last"),
        ({"listed": ["10.0.0.255/24"]}, "first or last"),
        ({"listed": ["2001:db8::/64"]}, "first or last"),
        ({"interface": "eth 0", "listed": ["10.0.0.1"]}, "no name of an interface"),
        ({"interface": "..", "listed": ["10.0.0.1"]}, "no name of an interface"),
        ({"interface": "$(id)", "listed": ["10.0.0.1"]}, "no name of an interface"),
        ({"interface": "a-name-too-long-for-it", "listed": ["10.0.0.1"]}, "no name of an interface"),
        ({"free_range": "10.0.0.0/24"}, "go together"),
        ({"listed": ["10.0.0.1"], "count": 1}, "go together"),
        ({"free_range": "10.0.0.0/24", "count": 0}, "from 1 to"),
        ({"free_range": "10.0.0.1/24", "count": 1}, "neither a network nor"),
        ({"free_range": "10.0.0.9-10.0.0.1", "count": 1}, "lower to a higher"),
        ({"free_range": "10.0.0.9-2001:db8::1", "count": 1}, "one family"),
        ({"free_range": "10.0.0.0/8", "count": 1}, "more than 65536"),
        ({"free_range": "10.0.0.0/24", "count": 1, "state": "absent"}, "count goes with state present"),
    ],
)
def test_what_makes_no_sense(options: dict[str, Any], told: str) -> None:
    with pytest.raises(AddressError, match=told):
        settle(**options)


def test_absent_takes_a_range_without_a_count() -> None:
    assert settle(state="absent", free_range="10.0.0.64/27")[1:] == ("10.0.0.64-10.0.0.95", 0)
