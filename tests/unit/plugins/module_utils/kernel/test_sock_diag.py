# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The netlink answer: taken apart as the kernel lays it out, refused where it is not the kernel's."""

import errno
import struct

import pytest
from ansible_collections.tcpops.timewait.plugins.module_utils._kernel import addresses, sock_diag, tcp_states
from ansible_collections.tcpops.timewait.plugins.module_utils._kernel.errors import KernelReadError
from hypothesis import given
from hypothesis import strategies as st
from support.captured_kernel import RELEASES, CapturedKernel
from support.wire import dump, end, message


def test_a_time_wait_entry_is_decoded():
    data = message("192.0.2.1", 40001, "192.0.2.2", 80, left_ms=12345, length=88, cookie=7)
    (found,) = sock_diag.sockets(dump(data, end()))
    assert found == sock_diag.Socket(
        addresses.AF_INET, tcp_states.TIME_WAIT, True, 40001, 80, b"\xc0\0\2\1", b"\xc0\0\2\2", 12345,
        (7).to_bytes(8, "little"),
    )


def test_ipv4_mapped_addresses_become_ipv4():
    data = message("::ffff:192.0.2.1", 80, "::ffff:192.0.2.2", 40001)
    (found,) = sock_diag.sockets(dump(data, end()))
    assert (found.local_address, found.remote_address) == (b"\xc0\0\2\1", b"\xc0\0\2\2")


def test_an_ipv6_address_that_ends_in_zeros_stays_ipv6():
    (found,) = sock_diag.sockets(dump(message("2001:db8::", 80, "::1", 40001), end()))
    assert len(found.local_address) == 16


@pytest.mark.parametrize(
    ("state", "timer", "mini"),
    [(tcp_states.FIN_WAIT_2, 3, True), (tcp_states.FIN_WAIT_2, 2, False), (tcp_states.ESTABLISHED, 3, False)],
)
def test_fin_wait_2_mini_sockets_are_told_from_real_ones(state, timer, mini):
    (found,) = sock_diag.sockets(dump(message("192.0.2.1", 1, "192.0.2.2", 2, state=state, timer=timer), end()))
    assert found.mini is mini


@pytest.mark.parametrize("release", RELEASES)
def test_captured_listeners_are_found(release):
    ports = {found.local_port for found in sock_diag.sockets(CapturedKernel(release).dump(tcp_states.LISTENING))}
    assert {80, 8080} <= ports
    assert ({8443, 9090} <= ports) is (release != "linux-3.16.6")


def _entry(**changed):
    return message("192.0.2.1", 40001, "192.0.2.2", 80, **changed)


@pytest.mark.parametrize(
    ("datagrams", "words"),
    [
        ([_entry()], "stops before its end"),
        ([], "stops before its end"),
        ([_entry()[:10]], "truncated answer: a datagram of 10 bytes"),
        ([_entry()[:60], end()], "garbled answer: a message claims 96 bytes where 60 are left"),
        ([_entry() + b"\1\2\3", end()], "truncated answer: 3 bytes left"),
        ([_entry(sequence=9), end()], "foreign answer: to request 9"),
        ([_entry(message_type=16), end()], "foreign answer: a message of type 16"),
        ([_entry(family=1), end()], "foreign answer: a socket of address family 1"),
        ([_entry() + _entry(family=1), end()], "foreign answer: a socket of address family 1"),
        ([_entry() + _entry(length=124)[:100], end()], "garbled answer: a message claims 124 bytes where 100 are left"),
        ([_entry() * 2 + _entry()[:50], end()], "garbled answer: a message claims 96 bytes where 50 are left"),
        ([_entry(length=98), end()], "garbled answer: a message claims 98 bytes"),
        ([_entry() + struct.pack("=IHHII", 16, 18, 2, 1, 7), end()], "garbled answer: a message of 16 bytes"),
        ([_entry() + struct.pack("=IHHII", 0, 18, 2, 1, 7) + b"\0" * 8, end()], "garbled answer: a message claims 0"),
        ([struct.pack("=IHHII", 40, 18, 2, 1, 7) + b"\0" * 24, end()], "garbled answer: a socket in 40 bytes"),
        ([struct.pack("=IHHII", 0, 18, 2, 1, 7), end()], "garbled answer: a message claims 0 bytes"),
    ],
)
def test_an_answer_that_is_not_the_kernels_is_refused(datagrams, words):
    with pytest.raises(KernelReadError, match=words):
        list(sock_diag.sockets(sock_diag.until_done(iter(datagrams))))


@pytest.mark.parametrize(
    ("number", "words"), [(errno.ENOENT, "modprobe tcp_diag"), (errno.EPERM, "Operation not permitted")]
)
def test_a_refusal_says_why(number, words):
    with pytest.raises(sock_diag.DumpRefusedError, match=words) as caught:
        dump(end(number))
    assert caught.value.errno == number


def test_sockets_before_an_end_in_the_same_datagram_count():
    assert len(list(sock_diag.sockets(dump(_entry() + _entry() + end())))) == 2


def test_equal_messages_are_recognised_and_others_not():
    equal = _entry() + _entry()
    assert [kind.length for kind in dump(equal, end())[0].kinds] == [96]
    live = _entry(length=124, state=tcp_states.ESTABLISHED)
    first, last = _entry(), _entry()
    kinds = dump(first + live + last, end())[0].kinds
    assert {kind.state: data for kind, data in kinds.items()} == {
        tcp_states.TIME_WAIT: first + last, tcp_states.ESTABLISHED: live,
    }


@given(st.lists(st.binary(max_size=400), max_size=5))
def test_random_bytes_never_do_more_than_raise_the_one_error(datagrams):
    try:
        list(sock_diag.sockets(sock_diag.until_done(iter(datagrams))))
    except KernelReadError as error:
        assert error.reason
    else:
        pytest.fail("bytes without an end were taken for a whole answer")


@given(st.data())
def test_a_damaged_capture_never_does_more_than_raise_the_one_error(data):
    whole = bytearray(_entry() + _entry(length=124, state=tcp_states.ESTABLISHED) + _entry(length=88) + end())
    for _change in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    try:
        list(sock_diag.sockets(sock_diag.until_done(iter([bytes(whole)]))))
    except KernelReadError as error:
        assert error.reason
