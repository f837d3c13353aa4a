# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Counting whole datagrams gives what counting socket by socket gives."""

from collections import Counter

import pytest
from ansible_collections.tcpops.timewait.plugins.module_utils import _tally
from ansible_collections.tcpops.timewait.plugins.module_utils._kernel import sock_diag, tcp_states
from ansible_collections.tcpops.timewait.plugins.module_utils._ports import PortRange
from hypothesis import given
from hypothesis import strategies as st
from support.wire import dump, end, message

RANGE = PortRange(32768, 60999)


def _tallied(*datagrams, listening=(80,), port_range=RANGE, timewait_ms=60000):
    tally = _tally.Tally(set(listening), port_range, timewait_ms)
    for datagram in dump(*datagrams, end()):
        tally.add_datagram(datagram)
    tally.finish()
    return tally


def _pools(tally):
    found = Counter()
    for key, count in tally.counts():
        found[_tally.pool_of(key[:-1])] += count
    return found


def _slots(tally):
    found = Counter()
    for key, count in tally.counts():
        found[key[-1]] += count
    return found


def _out(port, **more):
    return message("192.0.2.1", port, "192.0.2.2", 443, **more)


def _in(remote_port, **more):
    return message("192.0.2.1", 80, "192.0.2.9", remote_port, **more)


OUT = _tally.Pool("outbound", b"\xc0\0\2\1", None, b"\xc0\0\2\2", 443)
IN = _tally.Pool("inbound", b"\xc0\0\2\1", 80, b"\xc0\0\2\x09", None)


@pytest.mark.parametrize("length", [88, 96])
def test_outbound_entries_are_one_pool(length):
    tally = _tallied(b"".join(_out(port, length=length) for port in range(40000, 40300)))
    assert _pools(tally) == {OUT: 300}


def test_inbound_entries_are_one_pool_whatever_the_remote_port():
    assert _pools(_tallied(b"".join(_in(port) for port in range(20000, 20300)))) == {IN: 300}


def test_both_directions_in_one_datagram():
    data = b"".join(_out(port) + _in(port) for port in range(40000, 40100))
    tally = _tallied(data)
    assert _pools(tally) == {OUT: 100, IN: 100}
    assert tally.states["time_wait"] == 200


def test_a_listener_inside_the_range_makes_its_port_inbound():
    data = b"".join(message("192.0.2.1", 40000, "192.0.2.9", port) for port in range(50000, 50009))
    tally = _tallied(data, listening=(40000,))
    assert _pools(tally) == {_tally.Pool("inbound", b"\xc0\0\2\1", 40000, b"\xc0\0\2\x09", None): 9}


def test_families_in_one_datagram_are_kept_apart_and_mapped_ones_merged():
    v6 = message("2001:db8::1", 40001, "2001:db8::2", 443)
    mapped = message("::ffff:192.0.2.1", 40002, "::ffff:192.0.2.2", 443)
    pools = _pools(_tallied(_out(40000) + v6 + mapped + _out(40003)))
    assert pools[OUT] == 3
    assert sum(pools.values()) == 4


def test_an_ipv4_address_is_not_taken_for_the_ipv6_address_with_the_same_bytes():
    v4 = message("32.1.13.184", 40000, "192.0.2.2", 443)
    v6 = message("2001:db8::", 40000, "c000:202::", 443)
    assert len(_pools(_tallied(v4 + v6))) == 2


def test_other_states_count_as_used_and_by_name():
    data = (
        _out(40000)
        + _out(40001, state=tcp_states.ESTABLISHED, length=124)
        + _out(40002, state=tcp_states.FIN_WAIT_2, timer=sock_diag.TIMER_TIMEWAIT)
        + _out(40003, state=tcp_states.FIN_WAIT_2, length=124)
        + _out(40004)
    )
    tally = _tallied(data)
    assert _pools(tally) == {OUT: 5}
    named = {name: count for name, count in tally.states.items() if count}
    assert named == {"time_wait": 2, "established": 1, "fin_wait_2": 1, "fin_wait_2_mini": 1}


@pytest.mark.parametrize("state", [tcp_states.CLOSE, tcp_states.LISTEN])
@pytest.mark.parametrize("sockets", [1, 100])
def test_a_socket_that_is_only_bound_or_listens_holds_no_quadruplet(state, sockets):
    data = b"".join(_out(port, state=state, length=124) for port in range(40000, 40000 + sockets))
    assert _pools(_tallied(data)) == {}


@pytest.mark.parametrize("sockets", [1, 5, 6, 7, 100])
@pytest.mark.parametrize("state", [state for state in tcp_states.NAMES if state != tcp_states.TIME_WAIT])
def test_live_sockets_of_one_kind_are_counted_in_their_state_and_in_no_second(state, sockets):
    data = b"".join(
        _out(port, state=state, length=124) + _out(port + 1000, left_ms=59800) for port in range(40000, 40000 + sockets)
    )
    tally = _tallied(data)
    assert _slots(tally) == {_tally.OTHER_STATE: sockets, 59: sockets}
    named = {name: count for name, count in tally.states.items() if count}
    assert named == {tcp_states.NAMES[state]: sockets, "time_wait": sockets}


@pytest.mark.parametrize("sockets", [1, 100])
@pytest.mark.parametrize(
    ("state", "port", "direction"),
    [
        (tcp_states.SYN_SENT, 80, "outbound"),
        (tcp_states.SYN_RECV, 40000, "inbound"),
        (tcp_states.NEW_SYN_RECV, 40000, "inbound"),
        (tcp_states.ESTABLISHED, 80, "inbound"),
        (tcp_states.ESTABLISHED, 40000, "outbound"),
    ],
)
def test_a_connection_being_made_tells_its_direction_and_others_ask_the_port(state, port, direction, sockets):
    data = b"".join(
        message("192.0.2.1", port, "192.0.2.9", remote, state=state, length=124)
        for remote in range(50000, 50000 + sockets)
    )
    assert {pool.direction for pool in _pools(_tallied(data))} == {direction}


@pytest.mark.parametrize("sockets", [1, 100])
def test_mini_sockets_in_fin_wait_2_are_counted_apart_from_real_ones_of_the_same_length(sockets):
    data = b"".join(
        _out(40000 + number, state=tcp_states.FIN_WAIT_2, timer=timer)
        for number in range(sockets)
        for timer in (sock_diag.TIMER_TIMEWAIT, 2)
    )
    states = _tallied(data).states
    assert (states["fin_wait_2_mini"], states["fin_wait_2"]) == (sockets, sockets)


def test_mini_sockets_in_fin_wait_2_are_told_from_time_wait():
    data = _out(40000) + b"".join(
        _out(port, state=tcp_states.FIN_WAIT_2, timer=sock_diag.TIMER_TIMEWAIT) for port in range(40001, 40100)
    )
    states = _tallied(data).states
    assert (states["time_wait"], states["fin_wait_2_mini"]) == (1, 99)


def test_a_server_that_stopped_listening_is_one_for_its_live_connections_too():
    data = b"".join(
        message("192.0.2.1", 8080, "192.0.2.9", port, state=tcp_states.ESTABLISHED, length=124)
        for port in range(20000, 20300)
    )
    assert _pools(_tallied(data)) == {_tally.Pool("inbound", b"\xc0\0\2\1", 8080, b"\xc0\0\2\x09", None): 300}


def test_a_connection_being_opened_is_outbound_though_the_port_listens():
    tally = _tallied(message("192.0.2.1", 80, "192.0.2.2", 443, state=tcp_states.SYN_SENT, length=124))
    assert _pools(tally) == {OUT: 1}


def test_a_server_that_stopped_listening_is_still_a_server():
    data = b"".join(message("192.0.2.1", 8080, "192.0.2.9", port) for port in range(20000, 20300))
    assert _pools(_tallied(data)) == {_tally.Pool("inbound", b"\xc0\0\2\1", 8080, b"\xc0\0\2\x09", None): 300}


def test_a_client_that_binds_low_ports_is_still_a_client():
    data = b"".join(message("192.0.2.1", port, "192.0.2.2", 443) for port in range(2000, 2100))
    assert _pools(_tallied(data)) == {OUT: 100}


def test_one_low_port_to_many_servers_of_one_port_is_a_client():
    data = b"".join(message("192.0.2.1", 2000, f"192.0.2.{n}", 443) for n in range(1, 101))
    assert {pool.direction for pool in _pools(_tallied(data))} == {"outbound"}


def test_what_the_kernel_repeats_at_a_datagrams_start_counts_once():
    first = [_out(port, cookie=port) for port in range(40000, 40050)]
    second = [_out(port, cookie=port) for port in range(40047, 40100)]
    assert _pools(_tallied(b"".join(first), b"".join(second))) == {OUT: 100}


def test_repeats_count_once_among_other_sockets_too():
    live = _out(41000, cookie=41000, state=tcp_states.ESTABLISHED, length=124)
    first = _out(40000, cookie=40000) + live
    second = _out(40000, cookie=40000) + _out(40001, cookie=40001)
    second += _out(41001, state=tcp_states.ESTABLISHED, length=124)
    assert _pools(_tallied(first, second)) == {OUT: 4}


def test_the_second_is_part_of_the_count():
    tally = _tallied(_out(40000, left_ms=60000) + _out(40001, left_ms=59800) + _out(40002, left_ms=0))
    assert _slots(tally) == {59: 2, _tally.OLDER: 1}


@pytest.mark.parametrize("left_ms", [10, 200, 255])
def test_entries_whose_time_may_be_up_belong_to_no_second(left_ms):
    assert _slots(_tallied(_out(40000, left_ms=left_ms))) == {_tally.OLDER: 1}


@pytest.mark.parametrize(("left_ms", "slot"), [(59900, 59), (58500, 58), (29500, 29), (1500, 1), (300, 0)])
def test_each_entry_is_in_the_second_it_came(left_ms, slot):
    assert _slots(_tallied(_out(40000, left_ms=left_ms))) == {slot: 1}


@pytest.mark.parametrize("sockets", [1, 100])
def test_a_longer_time_wait_shows_its_last_minute(sockets):
    data = (_out(40000, left_ms=599800) + _out(40001, left_ms=545000) + _out(40002, left_ms=300000)) * sockets
    tally = _tallied(data, timewait_ms=600000)
    assert _slots(tally) == {59: sockets, 4: sockets, _tally.OLDER: sockets}


def test_a_shorter_time_wait_has_its_newest_in_the_last_slot():
    assert _slots(_tallied(_out(40000, left_ms=29800), timewait_ms=30000)) == {59: 1}


_STATES = st.sampled_from(
    [tcp_states.TIME_WAIT] * 6 + [tcp_states.ESTABLISHED, tcp_states.FIN_WAIT_2, tcp_states.CLOSE_WAIT]
)
_ADDRESSES = st.sampled_from(["192.0.2.1", "192.0.2.2", "2001:db8::1", "::1"])


@st.composite
def _sockets(draw):
    local = draw(_ADDRESSES)
    remote = draw(_ADDRESSES.filter(lambda address: (":" in address) == (":" in local)))
    state = draw(_STATES)
    length = draw(st.sampled_from([88, 96])) if state == tcp_states.TIME_WAIT else 124
    local_port = draw(st.sampled_from([80, 40000, 40001, 50000]))
    left_ms = draw(st.integers(0, 60000))
    remote_port = draw(st.integers(1, 65535))
    return message(local, local_port, remote, remote_port, state=state, left_ms=left_ms, length=length)


@given(st.lists(st.lists(_sockets(), min_size=1, max_size=20), max_size=4))
def test_datagrams_and_single_sockets_give_the_same(groups):
    datagrams = [b"".join(group) for group in groups]
    whole = _tallied(*datagrams)
    single = _tally.Tally({80}, RANGE)
    for found in sock_diag.sockets(dump(*datagrams, end())):
        single.add(found)
    single.finish()
    assert _pools(whole) == _pools(single)
    assert _slots(whole) == _slots(single)
    assert whole.states == single.states
