# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the module refuses before it looks at the host, and what it takes for the same."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.tcpops.timewait.plugins.module_utils._spread.request import Request, ServerAddresses
from ansible_collections.tcpops.timewait.plugins.module_utils._spread_connections import asked
from ansible_collections.tcpops.timewait.plugins.module_utils._transaction import TransactionError


@pytest.mark.parametrize(
    "backend, sources, ports, addresses, words",
    [
        ("", (), (81,), (), "backend is ''"),
        ("two words", (), (81,), (), "backend is 'two words'"),
        ("app", ("10.0.0.1/24",), (), (), "sources has '10.0.0.1/24', which is no address"),
        ("app", ("lb1",), (), (), "sources has 'lb1'"),
        ("app", (), (0,), (), "0"),
        ("app", (), (65536,), (), "65536"),
    ],
)
def test_what_makes_no_sense_is_told_in_one_sentence(
    backend: str, sources: tuple[str, ...], ports: tuple[int, ...], addresses: tuple[ServerAddresses, ...], words: str
) -> None:
    with pytest.raises(TransactionError) as refused:
        asked.request(backend, sources, ports, addresses)
    assert words in str(refused.value)
    assert "\n" not in str(refused.value)


def test_each_thing_once_and_addresses_in_their_shortest_form() -> None:
    found = asked.request("app", ("2001:db8:0::1", "10.0.0.1", "2001:db8::1"), (82, 81, 82), ())
    assert sorted(found.sources) == ["10.0.0.1", "2001:db8::1"]
    assert sorted(found.ports) == [81, 82]


def make(**more: Any) -> asked.Asked:
    fields = {
        "server": None, "request": Request("app", (), (81,)), "keep_source": True, "state": "present", "probe": "auto",
        "wait": 30, "watch": 30,
    }  # fmt: skip
    return asked.Asked(**{**fields, **more})


@pytest.mark.parametrize(
    "more, words",
    [
        ({"request": Request("app")}, "none of sources, ports and server_addresses is given"),
        ({"wait": 0}, "wait is 0"),
        ({"watch": -1}, "watch is -1"),
    ],
)
def test_numbers_and_nothing_at_all(more: dict[str, Any], words: str) -> None:
    with pytest.raises(TransactionError, match=words):
        asked.check(make(**more))


def test_nothing_at_all_is_everything_where_it_is_taken_away() -> None:
    asked.check(make(state="absent", request=Request("app")))
    asked.check(make(watch=0))
