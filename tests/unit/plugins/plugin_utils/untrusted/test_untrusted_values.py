# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Numbers of a host: those that no kernel can have read as missing."""

from __future__ import annotations

import math

import pytest
from ansible_collections.tcpops.timewait.plugins.plugin_utils._untrusted import values


@pytest.mark.parametrize(
    ("value", "integer", "count", "measure", "port"),
    [
        (0, 0, 0, 0, 0),
        (65535, 65535, 65535, 65535, 65535),
        (65536, 65536, 65536, 65536, None),
        (-1, -1, None, None, None),
        (2**53, 2**53, 2**53, 2**53, None),
        (2**53 + 1, None, None, None, None),
        (10**5000, None, None, None, None),
        (1.5, None, None, 1.5, None),
        (-0.5, None, None, None, None),
        (math.nan, None, None, None, None),
        (math.inf, None, None, None, None),
        (True, None, None, None, None),
        ("7", None, None, None, None),
        (None, None, None, None, None),
        ([], None, None, None, None),
    ],
    ids=lambda value: f"{value:.30}" if isinstance(value, str) else type(value).__name__,
)
def test_a_number_is_of_its_type_and_within_bounds(
    value: object, integer: int | None, count: int | None, measure: float | None, port: int | None
) -> None:
    assert values.integer(value) == integer
    assert values.count(value) == count
    assert values.measure(value) == measure
    assert values.port(value) == port


def test_a_collection_of_another_type_is_empty() -> None:
    assert values.mapping([1]) == {}
    assert values.mapping({"a": 1}) == {"a": 1}
    assert values.listing({"a": 1}) is None
    assert list(values.mappings([{"a": 1}, 2, None, {"b": 2}])) == [{"a": 1}, {"b": 2}]
    assert list(values.mappings("text")) == []
