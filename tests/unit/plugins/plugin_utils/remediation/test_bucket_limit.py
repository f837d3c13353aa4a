# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The limit goes up as far as the peak needs and memory allows, and never down."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.tcpops.timewait.plugins.plugin_utils._remediation.bucket_limit import BucketLimit, bucket_limit
from ansible_collections.tcpops.timewait.plugins.plugin_utils._remediation.errors import RemediationError
from support.facts_factory import make_facts, make_namespace, make_sysctls

GIB = 2**30


def host(
    outbound: float = 0, inbound: float = 0, waiting: int = 0, total_bytes: Any = 24 * GIB, **sysctls: Any
) -> dict[str, Any]:
    totals = {
        "outbound": {"pools": 1, "used": waiting, "time_wait": waiting, "peak_close_rate": outbound},
        "inbound": {"pools": 1, "used": 0, "time_wait": 0, "peak_close_rate": inbound},
    }
    facts = make_facts(namespaces=[make_namespace(totals=totals, sysctls=make_sysctls(**sysctls))])
    facts["memory"]["total_bytes"] = total_bytes
    return facts


def limit(facts: object, headroom: float = 2, memory_share: float = 0.02, close_rate: float = 0) -> BucketLimit:
    return bucket_limit(facts, headroom, memory_share, close_rate)


def test_it_is_peak_times_length_times_headroom_as_a_power_of_two() -> None:
    found = limit(host(outbound=1000, inbound=2000))
    assert (found.peak_close_rate, found.needed, found.wanted) == (3000, 2**19, 2**19)
    assert "131072 -> 524288: 3000 closes/s at the peak, for 60 s, times 2, need 524288" in found.reason


@pytest.mark.parametrize(("rate", "wanted"), [(1092, 131072), (1093, 262144), (2184, 262144), (2185, 524288)])
def test_the_same_load_asks_for_the_same_limit_again(rate: int, wanted: int) -> None:
    first = limit(host(inbound=rate))
    assert first.wanted == wanted
    assert limit(host(inbound=rate * 0.99, tcp_max_tw_buckets=wanted)).wanted == wanted


def test_it_never_goes_down() -> None:
    found = limit(host(inbound=1, tcp_max_tw_buckets=2_000_000))
    assert (found.running, found.wanted) == (2_000_000, 2_000_000)
    assert found.reason.startswith("net.ipv4.tcp_max_tw_buckets stays 2000000: ")


def test_memory_bounds_it() -> None:
    found = limit(host(inbound=100_000, total_bytes=8 * GIB), memory_share=0.05)
    assert found.affordable == int(0.05 * 8 * GIB / 512)
    assert (found.wanted, found.bytes) == (found.affordable, found.affordable * 512)
    assert found.bytes <= 0.05 * 8 * GIB < found.bytes + 512
    assert "5 % of 8.0 GiB hold 838860" in found.reason


def test_a_running_limit_beyond_the_bound_is_left_alone() -> None:
    assert limit(host(inbound=100_000, total_bytes=GIB, tcp_max_tw_buckets=300_000)).wanted == 300_000


def test_a_limit_that_was_lowered_goes_back_to_the_kernels_own() -> None:
    assert limit(host(inbound=1, tcp_max_tw_buckets=5000)).wanted == 131072
    assert limit(host(inbound=1, tcp_max_tw_buckets=5000, tcp_ehash_entries=-2048)).wanted == 5000
    assert limit(host(inbound=1, tcp_max_tw_buckets=5000, tcp_ehash_entries=None)).wanted == 5000


def test_a_limit_that_is_full_is_doubled_because_what_it_skips_is_not_counted() -> None:
    found = limit(host(outbound=2100, waiting=130_000))
    assert limit(host(outbound=100, waiting=124_000)).wanted == 131072
    assert limit(host(outbound=100, waiting=124_519)).wanted == 262144
    assert found.wanted == 262144
    assert "130000 TIME-WAIT sockets fill the present limit" in found.reason


def test_a_peak_known_from_elsewhere_counts_where_it_is_higher() -> None:
    assert limit(host(inbound=3000), close_rate=10_000).peak_close_rate == 10_000
    assert limit(host(inbound=3000), close_rate=10).peak_close_rate == 3000


def test_a_limit_of_zero_is_raised() -> None:
    assert limit(host(inbound=0, tcp_max_tw_buckets=0, tcp_ehash_entries=None)).wanted == 2


def test_it_stays_within_what_the_kernel_takes() -> None:
    assert limit(host(inbound=1e12, total_bytes=2**52), memory_share=0.5).wanted == 2**31 - 1


@pytest.mark.parametrize(
    ("facts", "options", "words"),
    [
        (host(), {"headroom": 0.5}, "headroom of 0.5"),
        (host(), {"headroom": float("nan")}, "headroom of nan"),
        (host(), {"memory_share": 0}, "memory share of 0 "),
        (host(), {"memory_share": 0.6}, "memory share of 0.6"),
        (host(), {"close_rate": -1}, "close rate of -1"),
        (host(tcp_max_tw_buckets=None), {}, "tcp_max_tw_buckets is not in the facts"),
        (host(tcp_max_tw_buckets=...), {}, "tcp_max_tw_buckets is not in the facts"),
        (host(inbound="x"), {}, "peak close rate is not in the facts"),  # type: ignore[arg-type]
        (host(total_bytes=None), {}, "memory of the host is not in the facts"),
        ({**host(), "memory": None}, {}, "memory of the host is not in the facts"),
        ({**host(), "schema": 2}, {}, "schema 2"),
        ("garbage", {}, "not a dictionary"),
    ],
)
def test_what_cannot_be_worked_out_is_one_sentence(facts: object, options: dict[str, float], words: str) -> None:
    with pytest.raises(RemediationError, match=words) as caught:
        limit(facts, **options)
    assert "\n" not in str(caught.value)
