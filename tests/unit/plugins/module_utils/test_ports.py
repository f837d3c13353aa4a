# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lists of ports and the range of automatic choices."""

import pytest
from ansible_collections.tcpops.timewait.plugins.module_utils import _ports
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("text", "ports"),
    [
        ("", set()),
        ("\n", set()),
        ("80", {80}),
        ("80,443", {80, 443}),
        (" 8000-8003 ,  80\n", {80, 8000, 8001, 8002, 8003}),
        ("5 - 7", {5, 6, 7}),
        ("80,,443,", {80, 443}),
        ("80,80-81", {80, 81}),
    ],
)
def test_reserved_ports_are_read(text, ports):
    assert _ports.parse_list(text) == ports


@pytest.mark.parametrize("text", ["x", "80-", "-80", "90-80", "65536", "80;81", "1-2-3", "999999999999", "\u0661"])
def test_what_the_kernel_would_not_write_is_refused(text):
    with pytest.raises(_ports.PortListError):
        _ports.parse_list(text)


@given(st.sets(st.integers(0, 65535), max_size=200))
def test_a_set_survives_being_written_and_read(ports):
    assert _ports.parse_list(_ports.format_list(ports)) == ports


def test_ranges_are_kept_short():
    assert _ports.format_list({1, 2, 3, 5, 7, 8}) == "1-3,5,7-8"


@pytest.mark.parametrize(
    ("text", "count"), [("32768\t60999", 28232), ("20000 20002", 2), ("1024 65535", 64512), ("5 5", 1)]
)
def test_a_range_of_odd_size_loses_its_last_port(text, count):
    assert len(_ports.parse_range(text).choosable()) == count


@pytest.mark.parametrize("text", ["", "1", "1 2 3", "9 1", "-1 5", "a b", "1 65536"])
def test_a_range_that_is_none_is_refused(text):
    with pytest.raises(_ports.PortListError):
        _ports.parse_range(text)


@pytest.mark.parametrize(("ports", "text"), [([], ""), ([81], "81"), ([1, 2], "1 and 2"), ([1, 2, 3], "1, 2 and 3")])
def test_ports_in_a_sentence(ports, text):
    assert _ports.listed(ports) == text
