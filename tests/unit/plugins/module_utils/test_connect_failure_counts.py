# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Failed connections are counted by destination, and only so many destinations are kept."""

import socket
import struct

from ansible_collections.tcpops.timewait.plugins.module_utils import _connect_failures
from ansible_collections.tcpops.timewait.plugins.module_utils._kernel.trace_records import Event, Field

EVENT = Event(7, {"common_type": Field(0, 2), "dport": Field(26, 2), "daddr_v6": Field(56, 16)})


def record(address, port, number=7):
    packed = socket.inet_pton(socket.AF_INET6, address)
    return struct.pack("=H24xH28x16s", number, port, packed)


def count(*records, top=20, lost=0):
    failures = _connect_failures.Failures(EVENT)
    for one in records:
        failures.add(one)
    return failures.describe(10.04, lost, top)


def test_nothing_failed():
    assert count() == {
        "seconds": 10.0,
        "total": 0,
        "lost": 0,
        "destinations": [],
        "destinations_omitted": {"count": 0, "failures": 0},
    }


def test_destinations_come_with_the_most_failures_first_and_the_rest_is_summed_up():
    first, second, third = record("::ffff:10.0.0.1", 80), record("2001:db8::1", 80), record("::ffff:10.0.0.1", 443)
    found = count(first, second, second, second, third, third, top=2, lost=5)
    assert (found["total"], found["lost"]) == (6, 5)
    assert found["destinations"] == [
        {"address": "2001:db8::1", "port": 80, "count": 3},
        {"address": "10.0.0.1", "port": 443, "count": 2},
    ]
    assert found["destinations_omitted"] == {"count": 1, "failures": 1}


def test_another_event_does_not_count():
    assert count(record("::1", 80, number=8))["total"] == 0


def test_destinations_without_end_do_not_fill_the_memory(monkeypatch):
    monkeypatch.setattr(_connect_failures, "_MOST_DESTINATIONS", 3)
    found = count(*[record("::1", port) for port in range(1, 11)], record("::1", 1), top=2)
    assert found["total"] == 11
    assert [one["count"] for one in found["destinations"]] == [2, 1]
    assert found["destinations_omitted"] == {"count": 1, "failures": 8}
