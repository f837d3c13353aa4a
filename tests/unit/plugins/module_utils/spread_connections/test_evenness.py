# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When connections count as spread evenly over pools, the server's own pool first."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from ansible_collections.tcpops.timewait.plugins.module_utils._spread_connections.evenness import (
    FEW,
    MANY,
    enough,
    judge,
)
from hypothesis import given
from hypothesis import strategies as st

_LARGE = 100_000  # so that chance explains nothing


@pytest.mark.parametrize(
    "counts, even, at",
    [
        ([], None, -1),
        ([FEW - 1], None, -1),
        ([FEW], True, -1),
        ([FEW - 1, FEW], None, -1),
        ([FEW, FEW], True, -1),
        ([2 * FEW, 0], False, 1),
        ([0, 2 * FEW], False, 0),
        ([_LARGE, _LARGE, int(0.79 * _LARGE)], True, -1),  # 0.88 of the mean of the others
        ([_LARGE, int(1.25 * _LARGE), int(0.75 * _LARGE)], False, 1),
        ([_LARGE, int(1.18 * _LARGE), int(0.82 * _LARGE)], True, -1),
        ([int(0.75 * _LARGE), _LARGE, _LARGE], False, 0),
        # checks and processes from before use the server's own pool
        ([3 * _LARGE, _LARGE, _LARGE], True, -1),
    ],
)
def test_within_a_fifth_of_even(counts: list[int], even: bool | None, at: int) -> None:
    assert judge(counts) == (even, at)


@given(pools=st.integers(2, 40), rounds=st.integers(FEW, 500), rest=st.integers(0, 39))
def test_taken_by_turns_is_even_whenever_one_looks(pools: int, rounds: int, rest: int) -> None:
    assert judge([rounds + (number < rest % pools) for number in range(pools)]).even is True


@pytest.mark.parametrize("pools", [2, 4, 16])
def test_drawn_by_lot_is_even(pools: int) -> None:
    lot = random.Random(4)  # the same draws on each run
    verdicts = Counter(
        judge([Counter(lot.choices(range(pools), k=FEW * pools * 2))[number] for number in range(pools)]).even
        for _try in range(200)
    )
    assert verdicts[False] <= 2, verdicts


@given(counts=st.lists(st.integers(0, 3 * MANY), max_size=6))
def test_enough_is_enough_to_judge(counts: list[int]) -> None:
    if enough(counts):
        assert judge(counts).even is not None
