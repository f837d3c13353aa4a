# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Counts quadruplets by pool and age while the kernel's dump is being read.

The dump of a busy host has hundreds of thousands of TIME-WAIT entries, so they are never made into objects:
a datagram of equal messages is taken apart by one ``struct`` and counted by ``Counter.update``, both in C. The
byte ``expires >> 8`` is part of the key and gives each pool its last minute at no extra pass. Direction
is settled before counting, by the local port: an inbound pool counted by remote port would make one key a socket.
"""

import struct
import sys
from collections import Counter, namedtuple
from itertools import compress
from operator import itemgetter

from ._kernel import sock_diag
from ._kernel.tcp_states import BOUND_INACTIVE, CLOSE, LISTEN, NAMES, SYN_RECV, NEW_SYN_RECV, SYN_SENT, TIME_WAIT

OUTBOUND = "outbound"
INBOUND = "inbound"

#: classes of a local port, as they stand in the table that the kernel's bytes are looked up in
_OUTBOUND_PORT = 0
_INBOUND_PORT = 1
_UNDECIDED_PORT = 2

#: a local port outside the range that so many remote ports share is a server's, though nobody listens any more
_REMOTE_PORTS_OF_A_SERVER = 8

#: when the table changes under the dump, the kernel goes on by position in a hash chain: what it repeats are the
#: last sockets of a datagram at the start of the next, and chains are short
_LONGEST_REPEAT = 8

#: an age in these units of 256 ms: what is left of TIME-WAIT, shifted by one byte
AGE_UNIT_MS = 256


class Pool(namedtuple("Pool", "direction local_address local_port remote_address remote_port")):
    """All quadruplets that differ only in the ephemeral port. Addresses packed; the port of the side that chose it None."""

    __slots__ = ()


class Tally(object):
    """What one network namespace holds.

    :param listening: local ports that a socket of the namespace listens on.
    :param port_range: ``PortRange`` of automatic choices, or None when unknown: then a port from 32768 on counts.
    :param timewait_ms: length of TIME-WAIT; one byte holds ages up to 65 s, two are read beyond that.
    """

    def __init__(self, listening, port_range=None, timewait_ms=60000):
        low, high = (port_range.low, port_range.high) if port_range else (32768, 65535)
        self._classes = _port_classes(listening, low, high)
        self._outbound_high_bytes = _high_bytes_of(self._classes, _OUTBOUND_PORT)
        self._wide_ages = timewait_ms >> 8 > 0xFF
        self._layouts = {}
        self._counts = {}  # (family, direction) -> Counter of wire keys
        self._others = Counter()  # Pool -> sockets that are not in TIME-WAIT
        self._times = {}  # Pool -> Counter of ages, for TIME-WAIT that was counted one by one
        self._undecided = {}  # local port -> [(remote port, Socket)]
        self._last_cookies = frozenset()
        self.states = dict.fromkeys(NAMES.values(), 0)
        self.states["fin_wait_2_mini"] = 0
        #: local ports that an application bound and that are neither connected nor listening
        self.bound_ports = set()
        #: local ports of outbound sockets that are not mini-sockets
        self.live_outbound = 0

    # -- dumps ---------------------------------------------------------------------------------------------

    def add_datagram(self, datagram):
        """Count the sockets of one ``Datagram`` of a dump."""
        data, length = datagram
        if not length:
            self._add_mixed(data)
            return
        data = self._without_repeats(data, length)
        if data:
            self._add_uniform(data, length)

    def _add_mixed(self, data):
        """Sockets that live beside mini-sockets: the former one by one, the latter put together again."""
        pieces = {}
        for offset, length, message_type in sock_diag.messages(data):
            if message_type == sock_diag.NLMSG_NOOP:
                continue
            if length in (88, 96) and data[offset + sock_diag.STATE_AT] == TIME_WAIT:
                pieces.setdefault(length, []).append(data[offset:offset + length])
            else:
                found = sock_diag.decode(data, offset, length)
                if found.cookie not in self._last_cookies:
                    self.add(found)
        for length, messages in pieces.items():
            joined = self._without_repeats(b"".join(messages), length)
            if joined:
                self._add_uniform(joined, length)

    def _without_repeats(self, data, length):
        """Drop sockets at the start of a datagram that the last one ended with; remember this one's end."""
        at = sock_diag.COOKIE_AT
        window = _LONGEST_REPEAT * length
        head = data[:window]
        last = self._last_cookies
        self._last_cookies = frozenset(
            data[offset + at:offset + at + 8] for offset in range(max(0, len(data) - window), len(data), length)
        )
        if last.isdisjoint(head[offset + at:offset + at + 8] for offset in range(0, len(head), length)):
            return data
        kept = [
            head[offset:offset + length]
            for offset in range(0, len(head), length)
            if head[offset + at:offset + at + 8] not in last
        ]
        return b"".join(kept) + data[window:]

    def _add_uniform(self, data, length):
        count = len(data) // length
        families = data[sock_diag.FAMILY_AT::length]
        plain = data[sock_diag.STATE_AT::length].count(TIME_WAIT) == count
        family = families[0]
        if not plain or families.count(family) != count or family not in (sock_diag.AF_INET, sock_diag.AF_INET6):
            self._add_sorted(data, length)
            return
        layout = self._layout(family, length)
        high_bytes = data[sock_diag.LOCAL_PORT_AT::length]
        if not high_bytes.translate(None, self._outbound_high_bytes):
            self._counter(family, OUTBOUND).update(layout.outbound.iter_unpack(data))
        else:
            classes = self._classes_of(data, length, count)
            if classes.count(_OUTBOUND_PORT) == count:
                self._counter(family, OUTBOUND).update(layout.outbound.iter_unpack(data))
            elif classes.count(_INBOUND_PORT) == count:
                self._counter(family, INBOUND).update(layout.inbound.iter_unpack(data))
            else:
                self._add_both(data, length, layout, family, classes)
                return
        self.states["time_wait"] += count

    def _add_both(self, data, length, layout, family, classes):
        self._counter(family, OUTBOUND).update(
            compress(layout.outbound.iter_unpack(data), classes.translate(_IS_OUTBOUND))
        )
        self._counter(family, INBOUND).update(
            compress(layout.inbound.iter_unpack(data), classes.translate(_IS_INBOUND))
        )
        undecided = classes.count(_UNDECIDED_PORT)
        self.states["time_wait"] += len(classes) - undecided
        if undecided:
            for index in compress(range(len(classes)), classes.translate(_IS_UNDECIDED)):
                self.add(sock_diag.decode(data, index * length, length))

    def _classes_of(self, data, length, count):
        """One class per message, by its local port, still in network byte order."""
        ports = memoryview(data).cast("H")[sock_diag.LOCAL_PORT_AT // 2::length // 2].tolist()
        if count == 1:
            return bytes((self._classes[ports[0]],))
        return bytes(itemgetter(*ports)(self._classes))

    def _add_sorted(self, data, length):
        """Datagram of several families or of FIN-WAIT-2 among TIME-WAIT: one run for each family, the rest singly."""
        runs = {}
        for offset in range(0, len(data), length):
            message = data[offset:offset + length]
            family, state = message[sock_diag.FAMILY_AT], message[sock_diag.STATE_AT]
            if state == TIME_WAIT and family in (sock_diag.AF_INET, sock_diag.AF_INET6):
                runs.setdefault(family, []).append(message)
            else:
                self.add(sock_diag.decode(message, 0, length))
        for messages in runs.values():
            self._add_uniform(b"".join(messages), length)

    def _counter(self, family, direction):
        return self._counts.setdefault((family, direction), Counter())

    def _layout(self, family, length):
        layout = self._layouts.get((family, length))
        if layout is None:
            layout = self._layouts[family, length] = _layout(family, length, self._wide_ages)
        return layout

    # -- single sockets ------------------------------------------------------------------------------------

    def add(self, found):
        """Count one ``Socket``."""
        if found.state in (CLOSE, BOUND_INACTIVE, LISTEN):
            if found.state != LISTEN:
                self.bound_ports.add(found.local_port)
            return
        if found.state == SYN_SENT:
            self._count(found, OUTBOUND)
        elif found.state in (SYN_RECV, NEW_SYN_RECV):
            self._count(found, INBOUND)
        else:
            port_class = self._classes[_network_order(found.local_port)]
            if port_class == _UNDECIDED_PORT:
                self._set_aside(found)
            else:
                self._count(found, INBOUND if port_class == _INBOUND_PORT else OUTBOUND)

    def _set_aside(self, found):
        waiting = self._undecided.setdefault(found.local_port, [])
        waiting.append(found)
        if len(waiting) < _REMOTE_PORTS_OF_A_SERVER:
            return
        if len({one.remote_port for one in waiting}) >= _REMOTE_PORTS_OF_A_SERVER:
            self._classes[_network_order(found.local_port)] = _INBOUND_PORT
            direction = INBOUND
        elif len(waiting) >= 8 * _REMOTE_PORTS_OF_A_SERVER:
            # many quadruplets and few remote ports: a client that binds its source port itself
            self._classes[_network_order(found.local_port)] = _OUTBOUND_PORT
            direction = OUTBOUND
        else:
            return
        for one in self._undecided.pop(found.local_port):
            self._count(one, direction)

    def _count(self, found, direction):
        if direction == OUTBOUND:
            pool = Pool(direction, found.local_address, None, found.remote_address, found.remote_port)
        else:
            pool = Pool(direction, found.local_address, found.local_port, found.remote_address, None)
        if found.state == TIME_WAIT:
            self.states["time_wait"] += 1
            self._times.setdefault(pool, Counter())[found.left_ms // AGE_UNIT_MS] += 1
            return
        self._others[pool] += 1
        if found.mini:
            self.states["fin_wait_2_mini"] += 1
        elif found.state in NAMES:
            self.states[NAMES[found.state]] += 1
            if direction == OUTBOUND:
                self.live_outbound += 1

    # -- result --------------------------------------------------------------------------------------------

    def finish(self):
        """Decide what is left undecided: few remote ports share that local port, so a client bound it."""
        for waiting in self._undecided.values():
            for one in waiting:
                self._count(one, OUTBOUND)
        self._undecided = {}

    def time_waits(self):
        """Iterate ``(Pool, left, count)``; ``left`` in units of 256 ms until TIME-WAIT ends. A pool may come repeatedly."""
        for (family, direction), counter in self._counts.items():
            pools = {}
            for key, count in counter.items():
                pool = pools.get(key[:-1])
                if pool is None:
                    pool = pools[key[:-1]] = _pool_of(family, direction, key)
                yield pool, key[-1], count
        for pool, ages in self._times.items():
            for left, count in ages.items():
                yield pool, left, count

    def others(self):
        """Iterate ``(Pool, count)`` of the sockets in every other state."""
        return self._others.items()


_Layout = namedtuple("_Layout", "outbound inbound")


def _layout(family, length, wide):
    """Formats that pick the key out of a message; ``expires >> 8`` comes last.

    IPv4 addresses fill 4 of their 16 bytes: the rest, which is zero, stays out of the key.
    """
    address = 4 if family == sock_diag.AF_INET else 16
    age, age_size = ("H", 2) if wide else ("B", 1)
    age_at = sock_diag.EXPIRES_AT + (1 if sys.byteorder == "little" else 3 - age_size)
    end = 40 + address  # of the remote address
    tail = "%dx%s%dx" % (age_at - end, age, length - age_at - age_size)
    return _Layout(
        struct.Struct("=22x%ds%s" % (end - 22, tail)),  # remote port, local address, remote address
        struct.Struct("=20x2s2x%ds%s" % (end - 24, tail)),  # local port; local address, remote address
    )


def _pool_of(family, direction, key):
    if direction == OUTBOUND:
        packed = key[0]
        port, addresses = packed[:2], packed[2:]
    else:
        port, addresses = key[0], key[1]
    number = port[0] << 8 | port[1]
    local = sock_diag.fold_address(family, addresses[:16])
    remote = sock_diag.fold_address(family, addresses[16:])
    if direction == OUTBOUND:
        return Pool(direction, local, None, remote, number)
    return Pool(direction, local, number, remote, None)


def _network_order(port):
    return port if sys.byteorder == "big" else (port & 0xFF) << 8 | port >> 8


def _port_classes(listening, low, high):
    """Class of each port, indexed by the number that its two bytes on the wire are to this machine."""
    table = bytearray([_UNDECIDED_PORT]) * 65536
    for port in range(low, high + 1):
        table[_network_order(port)] = _OUTBOUND_PORT
    for port in listening:
        table[_network_order(port)] = _INBOUND_PORT
    return table


def _high_bytes_of(classes, wanted):
    """The high bytes of a port that settle its class alone."""
    return bytes(
        high
        for high in range(256)
        if all(classes[_network_order(high << 8 | low)] == wanted for low in range(256))
    )


def _selector(wanted):
    return bytes(1 if value == wanted else 0 for value in range(256))


_IS_OUTBOUND = _selector(_OUTBOUND_PORT)
_IS_INBOUND = _selector(_INBOUND_PORT)
_IS_UNDECIDED = _selector(_UNDECIDED_PORT)
