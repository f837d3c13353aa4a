# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What rules and report read alike out of a pool."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.tcpops.timewait.plugins.plugin_utils._untrusted.pool import connection, history
from support.facts_factory import make_pool


@pytest.mark.parametrize(
    ("pool", "shown"),
    [
        ({}, "10.0.0.1 -> 10.0.0.2:80"),
        ({"direction": "inbound", "local_port": 443}, "10.0.0.2 -> 10.0.0.1:443"),
        ({"local_address": "::1", "remote_address": "2001:db8::2"}, "::1 -> [2001:db8::2]:80"),
        ({"remote_port": "80"}, "10.0.0.1 -> 10.0.0.2:?"),
        ({"remote_port": 65536}, "10.0.0.1 -> 10.0.0.2:?"),
        ({"local_address": None}, "? -> 10.0.0.2:80"),
        ({"remote_address": "\x1b[2Jx"}, "10.0.0.1 -> ?[2Jx:80"),
    ],
)
def test_a_pool_is_named_by_who_connects_to_what(pool: dict[str, Any], shown: str) -> None:
    assert connection({**_POOL, **pool}) == shown


_POOL = make_pool(local_address="10.0.0.1", remote_address="10.0.0.2", remote_port=80)


class _OtherInt(int):
    """As ansible-core 2.19 has one, which carries where it came from."""


@pytest.mark.parametrize("slots", [[0] * 59 + [7], [_OtherInt(3)] * 60])
def test_a_minute_of_counts_is_a_history(slots: list[int]) -> None:
    assert history({"history": slots}) == slots


@pytest.mark.parametrize(
    "slots", [None, [], [1] * 59, [1] * 61, [1] * 59 + [-1], [1] * 59 + [True], [2**53 + 1] * 60, ["1"] * 60, "1" * 60]
)
def test_anything_else_is_none(slots: object) -> None:
    assert history({"history": slots}) == []
