# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Capacity, rates, forecast."""

import pytest
from ansible_collections.tcpops.timewait.plugins.module_utils import _capacity
from ansible_collections.tcpops.timewait.plugins.module_utils._ports import PortRange

MINUTE = 60000


def test_capacity_is_the_range_less_reserved_less_held():
    found = _capacity.outbound_capacity(PortRange(100, 199), {100, 101, 500}, {101, 102, 103, 600})
    assert found == _capacity.Capacity(96, {102, 103})


def test_a_pool_without_capacity_is_full():
    assert _capacity.utilisation(0, 0) == 1.0


@pytest.mark.parametrize(("timewait_ms", "rate"), [(60000, 10.0), (30000, 20.0)])
def test_close_rate_is_the_mean_of_the_last_minute_or_of_a_shorter_time_wait(timewait_ms, rate):
    assert _capacity.close_rate([10] * 60, timewait_ms) == rate


def test_a_rate_that_the_pool_sustains_never_exhausts_it():
    slots = [100] * 60
    assert _capacity.seconds_to_exhaustion(6000, 28232, slots, 6000, MINUTE) is None


def test_a_rate_that_has_doubled_exhausts_it_when_the_difference_has_filled_it():
    slots = [100] * 50 + [200] * 10
    # 7000 used; each second 200 come and 100 go: 10 000 is reached after 30 s
    assert _capacity.seconds_to_exhaustion(7000, 10000, slots, 7000, MINUTE) == 30


def test_a_full_pool_is_exhausted_now():
    assert _capacity.seconds_to_exhaustion(10, 10, [0] * 60, 10, MINUTE) == 0


def test_a_few_closes_are_no_forecast():
    assert _capacity.seconds_to_exhaustion(99, 100, [0] * 59 + [19], 99, MINUTE) is None


@pytest.mark.parametrize(("delay_ms", "count"), [(1, 59), (1000, 59), (1001, 58), (60000, 0), (0, 60)])
def test_reusable_are_those_older_than_the_delay(delay_ms, count):
    assert _capacity.reusable([1] * 60, 100, delay_ms) == 100 + count


@pytest.mark.parametrize(
    ("slots", "rate"),
    [
        ([0] * 60, 0),
        ([7] * 60, 7),
        ([0] * 59 + [100], 10),
        ([0] * 20 + [30] * 10 + [1] * 30, 30),
        ([0] * 25 + [30] * 10 + [50] + [0] * 24, 32),
    ],
)
def test_the_peak_is_the_mean_of_the_busiest_ten_seconds_in_a_row(slots, rate):
    assert _capacity.peak_close_rate(slots) == rate
