# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pages of the trace buffer, built by hand as include/linux/ring_buffer.h has them, and the kernel's own layouts."""

import struct
import sys

import pytest
from ansible_collections.tcpops.timewait.plugins.module_utils._kernel import trace_records
from ansible_collections.tcpops.timewait.plugins.module_utils._kernel.errors import KernelReadError
from hypothesis import given
from hypothesis import strategies as st

# of Linux 6.18, shortened
FORMAT = """name: inet_sock_set_state
ID: 2287
format:
\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;
\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;

\tfield:const void * skaddr;\toffset:8;\tsize:8;\tsigned:0;
\tfield:__u16 dport;\toffset:26;\tsize:2;\tsigned:0;
\tfield:__u8 daddr_v6[16];\toffset:56;\tsize:16;\tsigned:0;

print fmt: "family=%s", __print_symbolic(REC->family, { 2, "AF_INET" })
"""
HEADER_PAGE = """\tfield: u64 timestamp;\toffset:0;\tsize:8;\tsigned:0;
\tfield: local_t commit;\toffset:8;\tsize:8;\tsigned:1;
\tfield: int overwrite;\toffset:8;\tsize:1;\tsigned:1;
\tfield: char data;\toffset:16;\tsize:4080;\tsigned:0;
"""
LAYOUT = trace_records.PageLayout(trace_records.Field(8, 8), 16)
MISSED_EVENTS = 1 << 31


def word(kind, delta=5):
    return struct.pack("=I", kind | delta << 5 if sys.byteorder == "little" else kind << 27 | delta)


def short(data):
    return word(len(data) // 4) + data


def long(data, kind=0, delta=5):
    return word(kind, delta) + struct.pack("=I", len(data) + 4) + data


def page(*parts, committed=None, flags=0):
    data = b"".join(parts)
    length = len(data) if committed is None else committed
    return (struct.pack("=QQ", 1, length | flags) + data).ljust(4096, b"\0")


def read(*parts, **options):
    return list(trace_records.records(page(*parts, **options), LAYOUT))


TIME = word(30) + struct.pack("=I", 1)


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ([], []),
        ([short(b"abcd")], [b"abcd"]),
        ([short(b"abcd" * 28), short(b"efgh")], [b"abcd" * 28, b"efgh"]),
        ([long(b"x" * 200), short(b"abcd")], [b"x" * 200, b"abcd"]),
        ([TIME, short(b"abcd"), word(31) + bytes(4), short(b"efgh")], [b"abcd", b"efgh"]),
        ([long(b"gone", 29, 1), short(b"abcd")], [b"abcd"]),
        ([short(b"abcd"), word(29, 0), b"whatever is left over"], [b"abcd"]),
    ],
    ids=["empty", "one", "two", "length apart", "time", "discarded", "padded"],
)
def test_events_are_found(parts, expected):
    assert read(*parts) == expected


def test_what_is_behind_the_committed_length_is_no_event():
    assert read(short(b"abcd"), short(b"efgh"), committed=8) == [b"abcd"]


def test_a_flag_beside_the_length_does_not_count():
    assert read(short(b"abcd"), flags=MISSED_EVENTS) == [b"abcd"]


@pytest.mark.parametrize(
    ("parts", "options"),
    [
        ([short(b"abcd")], {"committed": 5000}),
        ([word(20) + b"abcd"], {}),
        ([word(0) + struct.pack("=I", 0)], {}),
        ([word(0) + struct.pack("=I", 1 << 31)], {}),
    ],
    ids=["beyond the page", "beyond the data", "no length", "a huge length"],
)
def test_a_page_that_contradicts_itself_is_refused(parts, options):
    with pytest.raises(KernelReadError):
        read(*parts, **options)


@given(st.binary(max_size=200))
def test_any_bytes_end(data):
    try:
        for record in trace_records.records(data, LAYOUT):
            assert len(record) <= len(data)
    except KernelReadError:
        pass


def test_the_layouts_of_a_kernel_are_read():
    event = trace_records.parse_event("it", FORMAT, {"common_type": 2, "dport": 2, "daddr_v6": 16})
    assert (event.number, event.fields["dport"], event.fields["daddr_v6"]) == (2287, (26, 2), (56, 16))
    assert trace_records.parse_page_layout("it", HEADER_PAGE) == LAYOUT


@pytest.mark.parametrize(
    ("text", "needed", "words"),
    [
        (FORMAT, {"dport": 4}, "no field dport of 4 bytes"),
        (FORMAT, {"netns": 8}, "no field netns"),
        ("", {}, "no ID"),
    ],
)
def test_an_event_of_another_shape_is_refused(text, needed, words):
    with pytest.raises(KernelReadError, match=words):
        trace_records.parse_event("it", text, needed)


@pytest.mark.parametrize("gone", ["commit", "data"])
def test_a_page_of_another_shape_is_refused(gone):
    with pytest.raises(KernelReadError, match="not the layout"):
        trace_records.parse_page_layout("it", HEADER_PAGE.replace(gone, "other"))


def test_all_ways_of_losing_events_are_added_up():
    stats = (
        "entries: 1\noverrun: 20\ncommit overrun: 300\nbytes: 7\noldest event ts:     0.000000\n"
        "now ts: 11604.147083\ndropped events: 4000\nread events: 9\n"
    )
    assert trace_records.lost_events(stats) == 4321
