# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Figures to verdicts, both ways. The figures that agree are those of a Linux 6.18."""

import pytest
from ansible_collections.tcpops.timewait.plugins.module_utils._experiments.table import EXPERIMENTS

JUDGES = {one.name: one.judge for one in EXPERIMENTS}

DELAY = {
    "loopback_reused": True, "loopback_refused_until_ms": 997.3, "loopback_ms": 1001.1,
    "other_address_reused": True, "other_address_refused_until_ms": 997.3, "other_address_ms": 1001.2,
    "short_delay_reused": True, "short_delay_refused_until_ms": 98.6, "short_delay_ms": 101.0,
    "delay_ms": 1000, "short_delay_setting_ms": 100,
}
SECONDS = {
    "loopback_reused": True, "loopback_refused_until_ms": 420.0, "loopback_ms": 423.0,
    "other_address_reused": True, "other_address_refused_until_ms": 420.1, "other_address_ms": 423.2,
}


def cases_of(reused, refused):
    """Figures of entries that were reused after 100 ms, and of those that were not within 250 ms."""
    figures = {name + "_reused": name in reused for name in reused + refused}
    figures.update((name + "_refused_until_ms", 98.0 if name in reused else 250.0) for name in reused + refused)
    figures.update((name + "_ms", 101.0) for name in reused)
    return figures


SCOPE = cases_of(
    ["mode_1_loopback", "mode_1_other_address", "mode_2_loopback"],
    ["mode_2_other_address", "mode_0_loopback", "mode_0_other_address"],
)
BARE = cases_of(["with_timestamps"], ["mode_1_loopback", "mode_1_other_address", "mode_2_loopback"])

AGREE = {
    "pool_capacity": {"ports": 64, "connections": 64, "distinct_ports": 64, "connect_eaddrnotavail": True},
    "server_port": {"ports": 64, "connections": 64, "added": 64},
    "server_address": {"ports": 64, "connections": 64, "added": 64},
    "client_address": {"ports": 64, "connections": 64, "added": 64},
    "bind_before_connect": {
        "ports": 64, "connections": 64, "added_by_server_port": 0, "bind_eaddrinuse": True,
        "automatic_connections_left": 0,
    },
    "own_port_range": {
        "ports": 64, "own_ports": 16, "connections": 16, "outside": 0, "connect_eaddrnotavail": True,
    },
    "reserved_ports": {"ports": 64, "reserved_ports": 32, "connections": 32, "on_reserved_ports": 0},
    "reuse_modes": {"default": 2, "takes_0": True, "takes_1": True, "takes_2": True, "takes_3": False},
    "reuse_delay": DELAY,
    "reuse_scope": SCOPE,
    "reuse_without_timestamps": BARE,
    "reuse_bound_port": {"with_timestamps_reused": True, "without_timestamps_reused": False},
    "recycle": {"there": False},
    "syn_on_time_wait": {
        "attempts": 20, "accepted_with_timestamps": 20, "slowest_with_timestamps_ms": 0.1,
        "accepted_without_timestamps": 20, "slowest_without_timestamps_ms": 0.1,
    },
    "timestamp_offset": {
        "same_for_one_quadruplet": True, "same_for_one_pair_of_hosts": False, "same_for_all_hosts": False,
    },
    "linger_zero": {"peer_econnreset": True, "time_wait_after_linger": 0, "resets": 2, "time_wait_after_close": 1},
    "bucket_limit": {"limit": 8, "closes": 20, "time_wait": 8, "overflows": 12, "time_wait_at_limit_0": 8},
    "last_ack": {
        "peer_last_ack": True, "time_wait": True, "lost_for_ms": 106.2, "peer_closed": True, "peer_closed_ms": 208.0,
        "time_wait_still": True,
    },
    "fin_timeout": {
        "fin_timeout_seconds": 2, "time_wait_expected_seconds": 60, "time_wait": 4, "fin_wait_2": 1,
        "fin_wait_2_seconds": 2.1, "time_wait_seconds": 60.9,
    },
    "search_cost": {"ports": 4096, "samples": 409, "below_half_us": 16.2, "above_half_us": 385.8, "ratio": 23.8},
    "search_cost_own_range": {
        "ports": 4096, "samples": 409, "below_half_us": 15.0, "above_half_us": 15.3, "ratio": 1.02,
    },
    "bucket_pollution": {
        "usable_before": True, "usable_while_bound": False, "usable_after_binds_left": True,
        "usable_after_all_left": True,
    },
}

#: what of those figures has to be otherwise for theory to be wrong
REFUTE = [
    ("pool_capacity", {"connections": 63}), ("pool_capacity", {"connections": 128}),
    ("pool_capacity", {"distinct_ports": 60}), ("pool_capacity", {"connect_eaddrnotavail": False}),
    ("server_port", {"added": 0}), ("server_address", {"added": 63}), ("client_address", {"added": 0}),
    ("client_address", {"connections": 10}),
    ("bind_before_connect", {"connections": 128}), ("bind_before_connect", {"added_by_server_port": 64}),
    ("bind_before_connect", {"bind_eaddrinuse": False}),
    ("own_port_range", {"connections": 64}), ("own_port_range", {"outside": 3}),
    ("own_port_range", {"connect_eaddrnotavail": False}),
    ("reserved_ports", {"connections": 64}), ("reserved_ports", {"on_reserved_ports": 1}),
    ("reuse_modes", {"takes_3": True}), ("reuse_modes", {"takes_2": False}), ("reuse_modes", {"takes_0": False}),
    ("reuse_delay", {"loopback_ms": 200.0}), ("reuse_delay", {"loopback_refused_until_ms": 1400.0}),
    ("reuse_delay", {"other_address_reused": False}), ("reuse_delay", {"short_delay_refused_until_ms": 900.0}),
    ("reuse_scope", {"mode_0_loopback_reused": True, "mode_0_loopback_ms": 101.0}),
    ("reuse_scope", {"mode_2_other_address_reused": True, "mode_2_other_address_ms": 101.0}),
    ("reuse_scope", {"mode_2_loopback_reused": False}), ("reuse_scope", {"mode_1_other_address_reused": False}),
    ("reuse_without_timestamps", {"mode_1_loopback_reused": True, "mode_1_loopback_ms": 101.0}),
    ("reuse_bound_port", {"with_timestamps_reused": False}), ("reuse_bound_port", {"without_timestamps_reused": True}),
    ("recycle", {"there": True}),
    ("syn_on_time_wait", {"accepted_with_timestamps": 19}), ("syn_on_time_wait", {"accepted_without_timestamps": 0}),
    ("timestamp_offset", {"same_for_one_quadruplet": False}),
    ("linger_zero", {"peer_econnreset": False}), ("linger_zero", {"time_wait_after_linger": 1}),
    ("linger_zero", {"time_wait_after_close": 0}),
    ("bucket_limit", {"time_wait": 20}), ("bucket_limit", {"overflows": 0}),
    ("bucket_limit", {"time_wait_at_limit_0": 0}),
    ("last_ack", {"peer_last_ack": False}), ("last_ack", {"peer_closed": False}), ("last_ack", {"time_wait": False}),
    ("last_ack", {"time_wait_still": False}),
    ("fin_timeout", {"time_wait_seconds": 2.4}), ("fin_timeout", {"fin_wait_2_seconds": 60.0}),
    ("search_cost", {"ratio": 1.1}), ("search_cost_own_range", {"ratio": 9.0}),
    ("bucket_pollution", {"usable_while_bound": True}), ("bucket_pollution", {"usable_before": False}),
    ("bucket_pollution", {"usable_after_all_left": False}),
]


def test_every_experiment_is_judged_here():
    assert set(AGREE) == set(JUDGES) == {name for name, _figures in REFUTE}


@pytest.mark.parametrize("name", sorted(AGREE))
def test_theory_is_right(name):
    judgement = JUDGES[name](AGREE[name])
    assert (judgement.verdict, judgement.reason) == ("agrees", None)
    assert judgement.told


@pytest.mark.parametrize("name, otherwise", REFUTE)
def test_theory_is_wrong(name, otherwise):
    figures = dict(AGREE[name], **otherwise)
    assert figures != AGREE[name]
    judgement = JUDGES[name](figures)
    assert (judgement.verdict, judgement.reason) == ("differs", None)
    assert judgement.told


@pytest.mark.parametrize(
    "name, otherwise, word",
    [
        ("search_cost", {"ratio": 2.0}, "noise"), ("search_cost_own_range", {"ratio": 2.0}, "noise"),
        ("search_cost", {"ratio": 1.1, "ports": 512}, "512 ports"),
        ("reuse_scope", {"mode_1_loopback_reused": False}, "nothing was reused"),
        ("reuse_without_timestamps", {"with_timestamps_reused": False}, "nothing was reused"),
        ("last_ack", {"lost_for_ms": 1500.0}, "held up"),
        ("timestamp_offset", {"same_for_one_quadruplet": False, "same_for_one_pair_of_hosts": True}, "no kernel"),
    ],
)
def test_figures_that_say_neither_are_no_verdict(name, otherwise, word):
    judgement = JUDGES[name](dict(AGREE[name], **otherwise))
    assert judgement.verdict == "skipped"
    assert judgement.reason.startswith("inconclusive: ")
    assert word in judgement.reason
    assert judgement.told
    assert judgement.shows == {}


@pytest.mark.parametrize("name", ["search_cost", "search_cost_own_range"])
def test_the_bounds_of_what_may_be_noise(name):
    verdicts = [JUDGES[name](dict(AGREE[name], ratio=ratio)).verdict for ratio in (1.5, 1.51, 2.49, 2.5)]
    ends = ("differs", "agrees") if name == "search_cost" else ("agrees", "differs")
    assert verdicts == [ends[0], "skipped", "skipped", ends[1]]


@pytest.mark.parametrize(
    "refused_until_ms, reused_ms, verdict",
    [
        (997.0, 1001.0, "agrees"),
        # a process that did not run for a second could not try: no reason to say anything about the kernel
        (400.0, 1900.0, "agrees"),
        (1049.0, 1900.0, "agrees"), (1051.0, 1900.0, "differs"),
        (900.0, 951.0, "agrees"), (900.0, 949.0, "differs"),
    ],
)
def test_a_takeover_is_between_the_last_refusal_and_the_first_success(refused_until_ms, reused_ms, verdict):
    figures = dict(DELAY, loopback_refused_until_ms=refused_until_ms, loopback_ms=reused_ms)
    assert JUDGES["reuse_delay"](figures).verdict == verdict


def test_without_a_setting_two_seconds_are_the_bound():
    judge = JUDGES["reuse_delay"]
    assert judge(SECONDS).verdict == "agrees"
    assert judge(SECONDS).shows == {"tw_reuse_delay": False}
    assert judge(dict(SECONDS, loopback_refused_until_ms=2100.0)).verdict == "differs"
    assert judge(dict(SECONDS, loopback_reused=False)).verdict == "differs"


@pytest.mark.parametrize(
    "name, otherwise, shows",
    [
        ("pool_capacity", {}, {"port_range": True}), ("pool_capacity", {"connections": 100}, {"port_range": False}),
        ("server_port", {}, {}),
        ("client_address", {}, {"bind_address_no_port": True}),
        ("client_address", {"added": 0}, {"bind_address_no_port": False}),
        ("own_port_range", {"outside": 4}, {"local_port_range_option": False}),
        ("reserved_ports", {"on_reserved_ports": 1}, {"reserved_ports": False}),
        ("reuse_modes", {}, {"tw_reuse": True, "tw_reuse.modes": [0, 1, 2]}),
        # one that takes any number knows no mode 2 for that
        ("reuse_modes", {"takes_3": True}, {"tw_reuse": True, "tw_reuse.modes": [0, 1]}),
        ("reuse_modes", {"takes_2": False}, {"tw_reuse": True, "tw_reuse.modes": [0, 1]}),
        ("reuse_delay", {}, {"tw_reuse_delay": True}),
        ("reuse_delay", {"short_delay_refused_until_ms": 900.0, "short_delay_ms": 1001.0}, {"tw_reuse_delay": False}),
        ("reuse_scope", {}, {"tw_reuse": True, "tw_reuse.modes": [0, 1, 2]}),
        (
            "reuse_scope", {"mode_2_other_address_reused": True, "mode_2_other_address_ms": 101.0},
            {"tw_reuse": True, "tw_reuse.modes": [0, 1]},
        ),
        ("recycle", {}, {"tw_recycle": False}), ("recycle", {"there": True}, {"tw_recycle": True}),
        ("bucket_limit", {}, {"max_tw_buckets": True, "max_tw_buckets.per_namespace": True}),
        ("bucket_limit", {"time_wait": 20}, {"max_tw_buckets": True, "max_tw_buckets.per_namespace": False}),
        ("bucket_pollution", {}, {"connect_bucket_recovery": True}),
        ("bucket_pollution", {"usable_after_binds_left": False}, {"connect_bucket_recovery": False}),
        ("timestamp_offset", {}, {"timestamp_offset": True, "timestamp_offset.value": "per_4_tuple"}),
        (
            "timestamp_offset", {"same_for_one_pair_of_hosts": True},
            {"timestamp_offset": True, "timestamp_offset.value": "per_host_pair"},
        ),
        (
            "timestamp_offset", {"same_for_one_pair_of_hosts": True, "same_for_all_hosts": True},
            {"timestamp_offset": False, "timestamp_offset.value": "none"},
        ),
        (
            "timestamp_offset", {"same_for_one_quadruplet": False},
            {"timestamp_offset": True, "timestamp_offset.value": "per_connection"},
        ),
    ],
)
def test_what_is_shown_of_capabilities(name, otherwise, shows):
    assert JUDGES[name](dict(AGREE[name], **otherwise)).shows == shows


def test_a_bucket_that_does_not_recover_is_no_disagreement():
    figures = dict(AGREE["bucket_pollution"], usable_after_binds_left=False)
    assert JUDGES["bucket_pollution"](figures).verdict == "agrees"


@pytest.mark.parametrize(
    "name, left_out",
    [
        ("bucket_limit", "overflows"), ("reuse_bound_port", "without_timestamps_reused"),
        ("syn_on_time_wait", "accepted_without_timestamps"),
    ],
)
def test_what_an_old_kernel_does_not_tell_is_not_held_against_it(name, left_out):
    figures = {key: value for key, value in AGREE[name].items() if key != left_out}
    assert JUDGES[name](figures).verdict == "agrees"
