# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was done before each capture is what the census finds, by dump and by procfs."""

import errno

import pytest
from ansible_collections.tcpops.timewait.plugins.module_utils import _facts
from support.captured_kernel import RELEASES, CapturedKernel

OPTIONS = _facts.Options(frozenset(_facts.SUBSETS), 20, 28232, 5)
WITHOUT_IPV6 = "linux-3.16.6"

# direction, local port or None, remote port or None, local address, used, of it in TIME-WAIT
_IPV4 = {
    ("outbound", "127.0.0.1", None, "127.0.0.1", 8080): (43, 40),
    ("inbound", "127.0.0.1", 80, "127.0.0.1", None): (25, 25),
    ("inbound", "127.0.0.1", 8080, "127.0.0.1", None): (3, 0),
}
_IPV6 = {
    ("outbound", "::1", None, "::1", 8443): (10, 10),
    ("inbound", "127.0.0.1", 9090, "127.0.0.1", None): (5, 5),
}


@pytest.mark.parametrize("refuse", [0, errno.ENOENT, errno.EPERM], ids=["dump", "no tcp_diag", "not permitted"])
@pytest.mark.parametrize("release", RELEASES)
def test_the_census_finds_what_was_done(release, refuse):
    facts = _facts.gather(CapturedKernel(release, refuse), OPTIONS)
    host = facts["namespaces"][0]
    expected = dict(_IPV4) if release == WITHOUT_IPV6 else {**_IPV4, **_IPV6}
    keys = ("direction", "local_address", "local_port", "remote_address", "remote_port")
    found = {tuple(pool[key] for key in keys): (pool["used"], pool["time_wait"]) for pool in host["pools"]}
    assert found == expected
    assert facts["source"] == host["source"] == ("procfs" if refuse else "sock_diag")
    assert host["states"]["time_wait"] == host["sockets"]["time_wait"] == (65 if release == WITHOUT_IPV6 else 80)
    assert host["states"]["established"] == 6
    assert any(problem["what"] == "sock_diag dump" for problem in facts["unavailable"]) is bool(refuse)
    assert {80, 8080} <= {listener["port"] for listener in host["listeners"]}


@pytest.mark.parametrize("release", RELEASES)
def test_all_were_closed_in_the_last_minute(release):
    for pool in _facts.gather(CapturedKernel(release), OPTIONS)["namespaces"][0]["pools"]:
        assert sum(pool["history"]) == pool["time_wait"]
        assert pool["close_rate"] == round(pool["time_wait"] / 60, 2)


def _gather(files, release="linux-6.12.107", subsets=_facts.SUBSETS):
    return _facts.gather(CapturedKernel(release, files=files), OPTIONS._replace(subsets=frozenset(subsets)))


def test_reserved_ports_with_odd_spacing_lower_the_capacity():
    facts = _gather({"/proc/sys/net/ipv4/ip_local_reserved_ports": " 40000-40009 ,50000,\t8000-9000\n"})
    assert facts["namespaces"][0]["port_range"]["usable"] == 28232 - 11
    assert facts["namespaces"][0]["port_range"]["reserved"] == "8000-9000,40000-40009,50000"


def test_a_vendors_shorter_time_wait_changes_the_sustainable_rate():
    facts = _gather({"/proc/sys/net/ipv4/tcp_tw_timeout": "30\n"})
    assert facts["kernel"]["timewait_seconds"] == 30
    assert facts["namespaces"][0]["pools"][0]["sustainable_rate"] == round(28232 / 30, 1)


@pytest.mark.parametrize(
    ("files", "what", "words"),
    [
        ({"/proc/sys/net/ipv4/ip_local_port_range": None}, "net.ipv4.ip_local_port_range", "capacity is unknown"),
        ({"/proc/sys/net/ipv4/ip_local_port_range": "x y\n"}, "net.ipv4.ip_local_port_range", "not two port numbers"),
        ({"/proc/sys/net/ipv4/ip_local_reserved_ports": "9-1\n"}, "net.ipv4.ip_local_reserved_ports", "none is taken"),
        ({"/proc/net/netstat": "garbage\n"}, "/proc/net/netstat", "no table"),
        ({"/proc/net/sockstat": ""}, "/proc/net/sockstat", "nothing in it"),
        ({"/proc/slabinfo": None}, "slab sizes", "estimates"),
    ],
)
def test_what_cannot_be_read_is_said_with_its_reason(files, what, words):
    facts = _gather(files)
    assert any(problem["what"] == what and words in problem["reason"] for problem in facts["unavailable"])
    assert facts["namespaces"][0]["totals"]["outbound"]["used"] == 53


def test_what_is_only_bound_is_not_looked_for_among_many_sockets():
    few = "sockets: used 17\nTCP: inuse 8 orphan 0 tw 19994 alloc 8 mem 0\n"
    what = "ports held by explicit binds"
    for text, told in ((few, False), (few.replace("19994", "20001"), True)):
        unavailable = _gather({"/proc/net/sockstat": text})["unavailable"]
        assert any(problem["what"] == what for problem in unavailable) is told


def test_without_a_range_utilisation_is_unknown_and_not_zero():
    (pool, *_rest) = _gather({"/proc/sys/net/ipv4/ip_local_port_range": None})["namespaces"][0]["pools"]
    assert (pool["capacity"], pool["utilisation"], pool["sustainable_rate"]) == (None, None, None)


def test_sockets_that_cannot_be_read_at_all_leave_no_census():
    kernel = CapturedKernel("linux-6.12.107", errno.ENOENT, {"/proc/net/tcp": "nonsense\n"})
    facts = _facts.gather(kernel, OPTIONS)
    assert "pools" not in facts["namespaces"][0]
    assert "source" not in facts
    assert any(problem["what"] == "census" for problem in facts["unavailable"])


@pytest.mark.parametrize("subset", _facts.SUBSETS)
def test_only_what_was_asked_for_is_there(subset):
    facts = _gather({}, subsets=[subset])
    keys = {"census": "pools", "counters": "counters", "listeners": "listeners", "sysctls": "sysctls"}
    present = {name for name, key in keys.items() if key in facts["namespaces"][0]}
    assert present == {subset} & set(keys)
    assert ("memory" in facts) is (subset == "memory")


def test_pools_that_do_not_travel_are_summed_up():
    facts = _facts.gather(CapturedKernel("linux-6.12.107"), OPTIONS._replace(top=1))
    host = facts["namespaces"][0]
    assert [(pool["direction"], pool["used"]) for pool in host["pools"]] == [("outbound", 43), ("inbound", 25)]
    assert (host["pools_total"], host["pools_omitted"]) == (5, {"count": 3, "used": 18})


def test_memory_counts_each_direction_at_its_price():
    memory = _gather({})["memory"]
    assert memory["time_wait_bytes"] == 50 * memory["per_outbound_bytes"] + 30 * memory["per_inbound_bytes"]


@pytest.mark.parametrize(
    ("entries", "buckets", "expected"),
    [
        ("16384\n", "8192\n", (16384, 131072, "sysctl")),
        ("-16384\n", "8192\n", (16384, 131072, "sysctl")),  # shares the table of the first namespace
        (None, "8192\n", (16384, 131072, "estimate")),
        (None, None, (None, None, None)),
    ],
)
def test_the_table_of_connections_is_told_or_estimated(entries, buckets, expected):
    folder = "/proc/sys/net/ipv4/"
    memory = _gather({folder + "tcp_ehash_entries": entries, folder + "tcp_max_tw_buckets": buckets})["memory"]
    assert (memory["ehash_entries"], memory["ehash_bytes"], memory["ehash_source"]) == expected


@pytest.mark.parametrize(
    ("meminfo", "total"),
    [
        ("MemTotal:       24690100 kB\nMemFree: 1 kB\n", 24690100 * 1024),
        ("MemFree: 1 kB\n", None),
        ("MemTotal: many kB\n", None),
        (None, None),
    ],
)
def test_the_memory_of_the_machine_is_told_or_unknown(meminfo, total):
    assert _gather({"/proc/meminfo": meminfo})["memory"]["total_bytes"] == total


def test_totals_carry_the_busiest_ten_seconds_of_all_pools():
    namespace = _gather({})["namespaces"][0]
    histories = [pool["history"] for pool in namespace["pools"] if pool["direction"] == "outbound"]
    seconds = [sum(history[second] for history in histories) for second in range(60)]
    busiest = max(sum(seconds[start : start + 10]) for start in range(51))
    assert busiest
    assert namespace["pools_omitted"]["count"] == 0
    assert namespace["totals"]["outbound"]["peak_close_rate"] == busiest / 10
