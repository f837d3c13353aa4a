# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Classes of whole datagrams are those of their ports, one by one."""

from ansible_collections.tcpops.timewait.plugins.module_utils._direction import (
    INBOUND_PORT,
    OUTBOUND_PORT,
    UNDECIDED_PORT,
    PortClasses,
)
from ansible_collections.tcpops.timewait.plugins.module_utils._ports import PortRange
from hypothesis import given
from hypothesis import strategies as st

_PORTS = st.one_of(st.integers(0, 65535), st.sampled_from([79, 80, 81, 255, 256, 32767, 32768, 60999, 61000]))


def _all_at_once(classes, ports):
    return list(classes.of_ports(bytes(port >> 8 for port in ports), bytes(port & 255 for port in ports)))


def test_a_listener_is_inbound_the_range_outbound_and_the_rest_undecided():
    classes = PortClasses({80, 40000}, PortRange(32768, 60999))
    ports = [80, 81, 32767, 32768, 40000, 40001, 60999, 61000]
    expected = [1, 2, 2, 0, 1, 0, 0, 2]
    assert [classes[port] for port in ports] == expected
    assert _all_at_once(classes, ports) == expected


def test_without_a_range_the_usual_one_is_taken():
    classes = PortClasses(set(), None)
    assert (classes[32767], classes[32768], classes[65535]) == (UNDECIDED_PORT, OUTBOUND_PORT, OUTBOUND_PORT)


@given(
    st.sets(_PORTS, max_size=20),
    st.tuples(_PORTS, _PORTS).map(sorted),
    st.lists(st.tuples(_PORTS, st.sampled_from([INBOUND_PORT, OUTBOUND_PORT])), max_size=5),
    st.lists(_PORTS, min_size=1, max_size=400),
)
def test_classes_at_once_are_those_one_by_one(listening, ends, decided, ports):
    classes = PortClasses(listening, PortRange(*ends))
    for port, port_class in decided:
        classes.decide(port, port_class)
    assert _all_at_once(classes, ports) == [classes[port] for port in ports]
