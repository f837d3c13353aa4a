# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Counters and sums."""

import pytest
from ansible_collections.tcpops.timewait.plugins.module_utils._kernel import counters
from ansible_collections.tcpops.timewait.plugins.module_utils._kernel.errors import KernelReadError
from hypothesis import given
from hypothesis import strategies as st
from support.captured_kernel import RELEASES, CapturedKernel


@pytest.mark.parametrize("release", RELEASES)
def test_captured_counters_count_what_was_closed(release):
    found = counters.read_counters(CapturedKernel(release))
    # 40 + 25 + 3 over IPv4, 10 + 5 more where there is IPv6; the booting guest may have opened a few of its own
    assert found["ActiveOpens"] >= (68 if release == "linux-3.16.6" else 83)
    assert found["TCPTimeWaitOverflow"] == 0
    assert ("PAWSTimewait" in found) is (release == "linux-7.2.13")
    assert ("PAWSPassive" in found) is (release == "linux-3.16.6")


@pytest.mark.parametrize("release", RELEASES)
def test_captured_sockstat_shows_the_mini_sockets(release):
    assert counters.read_sockstat(CapturedKernel(release))["time_wait"] == (65 if release == "linux-3.16.6" else 80)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no table"),
        ("TcpExt: A B\nTcpExt: 1\n", "2 names and 1 numbers"),
        ("TcpExt: A B\nTcpExt: 1 x\n", "something else than numbers"),
    ],
)
def test_a_garbled_table_is_refused(text, words):
    with pytest.raises(KernelReadError, match=words):
        counters.parse_tables(text, "/proc/net/netstat")


@pytest.mark.parametrize("text", ["", "TCP: inuse\n", "TCP: inuse x\n"])
def test_a_garbled_sockstat_is_refused(text):
    with pytest.raises(KernelReadError):
        counters.parse_sockstat(text, "/proc/net/sockstat")


@given(st.text(max_size=300))
def test_random_text_never_does_more_than_raise_the_one_error(text):
    for parse in (counters.parse_tables, counters.parse_sockstat):
        try:
            assert parse(text, "x")
        except KernelReadError as error:
            assert error.reason
