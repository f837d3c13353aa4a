# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What ports show about the range that they come from."""

import random

import pytest
from ansible_collections.tcpops.timewait.plugins.module_utils import _ephemeral_ports
from ansible_collections.tcpops.timewait.plugins.module_utils._ports import PortRange

RANGE = PortRange(10240, 65535)
EVEN = range(10240, 65536, 2)


def chosen(count, reserved=frozenset(), seed=1, among=EVEN):
    """Ports as the kernel chooses them: the next one that is free from a random start on."""
    rng = random.Random(seed)
    ports = []
    for _number in range(count):
        at = rng.randrange(len(among))
        while among[at] in reserved:
            at = (at + 1) % len(among)
        ports.append(among[at])
    return ports


def test_ports_of_the_whole_range():
    result = _ephemeral_ports.judge(chosen(200), RANGE, set())
    assert (result["outside"], result["reserved_taken"], result["unreached"]) == ([], [], [])
    assert (result["count"], result["parity_of_low"], result["judged_parts"]) == (200, 200, 8)
    assert sum(part["taken"] for part in result["parts"]) == 200
    assert [part["low"] for part in result["parts"]][1:] == [part["high"] + 1 for part in result["parts"]][:-1]
    assert (result["parts"][0]["low"], result["parts"][-1]["high"]) == (10240, 65535)


def test_a_range_that_was_not_widened_shows():
    result = _ephemeral_ports.judge(chosen(200, among=range(32768, 61000, 2)), RANGE, set())
    assert result["unreached"] == ["10240-17151", "17152-24063", "24064-30975"]
    assert result["outside"] == []


def test_ports_outside_and_reserved_ones():
    result = _ephemeral_ports.judge([10239, 10240, 20000, 20000, 65535], PortRange(10240, 65534), {20000, 20001})
    assert (result["outside"], result["reserved_taken"]) == ([10239, 65535], [20000])
    assert (result["lowest"], result["highest"], result["parity_of_low"]) == (10239, 65535, 3)


def test_few_connections_judge_nothing():
    result = _ephemeral_ports.judge([10240] * 155, RANGE, set())
    assert (result["unreached"], result["judged_parts"]) == ([], 0)
    assert len(_ephemeral_ports.judge([10240] * 156, RANGE, set())["unreached"]) == 7


def test_a_part_that_is_reserved_is_not_expected():
    reserved = set(range(17152, 24064))
    result = _ephemeral_ports.judge(chosen(300, reserved), RANGE, reserved)
    assert result["unreached"] == []
    assert [part["share"] for part in result["parts"][:3]] == [0.125, 0.0, 0.25], "the next part gets them"


@pytest.mark.parametrize("reserved", [set(), set(range(30000, 32768)), set(range(11000, 65000, 4))])
def test_shares_are_what_the_kernels_search_gives(reserved):
    parts = _ephemeral_ports.split(chosen(20000, reserved), RANGE, reserved)
    assert sum(part.share for part in parts) == pytest.approx(1, abs=0.001)
    for part in parts:
        assert part.taken / 20000 == pytest.approx(part.share, abs=0.02)


@pytest.mark.parametrize("port_range", [PortRange(5000, 5000), PortRange(5000, 5003), PortRange(5001, 5017)])
def test_small_ranges(port_range):
    parts = _ephemeral_ports.split([5001], port_range, set())
    assert (parts[0].low, parts[-1].high) == (port_range.low, port_range.high)
    assert sum(part.share for part in parts) == pytest.approx(1, abs=0.001)


def test_everything_reserved_expects_nothing():
    assert {part.share for part in _ephemeral_ports.split([], RANGE, set(range(65536)))} == {0.0}


def test_addresses_are_different_loopback_ones():
    addresses = _ephemeral_ports._loopback_addresses(500)
    assert len(set(addresses)) == 500
    for address in addresses:
        numbers = [int(field) for field in address.split(".")]
        assert numbers[0] == 127
        assert 1 <= numbers[1] <= 254
        assert 1 <= numbers[3] <= 254
