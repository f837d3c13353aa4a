# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Connections that failed for want of a port: what shows them, and how many to where.

connect() on a socket without a port enters SYN_SENT before it looks for one, and when there is none goes back to CLOSE
with the port still 0 (``tcp_v4_connect``, ``tcp_v6_connect``). Routes are looked up before SYN_SENT, and what fails
later, a refusal or a time-out, has a port. So that step means ``EADDRNOTAVAIL``, or that the kernel had no memory
for a bind bucket (``__inet_hash_connect``).
"""

import sys
from typing import Any, Dict, Tuple

from ._kernel import addresses, tcp_states
from ._kernel.trace_records import Event

EVENT = "sock/inet_sock_set_state"
#: fields that are read, with their bytes. ``daddr_v6`` has IPv4 addresses too, as mapped ones (``TP_STORE_ADDRS``)
FIELDS = {"common_type": 2, "dport": 2, "daddr_v6": 16}
#: 6 is IPPROTO_TCP: SCTP and MPTCP use the event too, and a subflow of MPTCP is a TCP socket of its own
CONDITION = "oldstate == %d && newstate == %d && sport == 0 && protocol == 6" % (tcp_states.SYN_SENT, tcp_states.CLOSE)

#: a user may fail to connect to as many destinations as there are
_MOST_DESTINATIONS = 10000

Destination = Tuple[bytes, bytes]


class Failures:
    """Counts events by destination."""

    def __init__(self, event: Event) -> None:
        self._number = event.number
        self._type, self._port, self._address = (
            slice(field.offset, field.offset + field.size)
            for field in (event.fields[name] for name in ("common_type", "dport", "daddr_v6"))
        )
        self._counts: Dict[Destination, int] = {}
        self._total = 0

    def add(self, record: bytes) -> None:
        """One event; others than the one asked for do not count."""
        if int.from_bytes(record[self._type], sys.byteorder) != self._number:
            return
        self._total += 1
        key = record[self._address], record[self._port]
        count = self._counts.get(key, 0)
        if count or len(self._counts) < _MOST_DESTINATIONS:
            self._counts[key] = count + 1

    def describe(self, seconds: float, lost: int, top: int) -> Dict[str, Any]:
        """The facts, as docs/schema.md describes them, with the ``top`` destinations that failed most."""
        worst = sorted(self._counts.items(), key=_worst_first)[:top]
        listed = sum(count for _destination, count in worst)
        return {
            "seconds": round(seconds, 1),
            "total": self._total,
            "lost": lost,
            "destinations": [
                {
                    "address": addresses.text(addresses.fold(addresses.AF_INET6, address)),
                    "port": int.from_bytes(port, sys.byteorder),
                    "count": count,
                }
                for (address, port), count in worst
            ],
            "destinations_omitted": {"count": len(self._counts) - len(worst), "failures": self._total - listed},
        }


def _worst_first(item: Tuple[Destination, int]) -> Tuple[int, Destination]:
    destination, count = item
    return -count, destination
