# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Counts quadruplets by pool and second while the kernel's dump is being read.

The dump of a busy host has hundreds of thousands of TIME-WAIT entries, so they are never made into objects: the
same byte of every message in a datagram is one strided slice, the bytes that tell the pool and the second are laid
side by side as keys, and ``Counter.update`` counts the keys, all in C. Direction is settled before counting, by
the local port: an inbound pool counted by remote port would make one key a socket.
"""

import struct
import sys
from collections import Counter
from functools import lru_cache
from typing import AbstractSet, Dict, Iterable, List, NamedTuple, Optional, Tuple, Union

from ._direction import INBOUND_PORT, OUTBOUND_PORT, UNDECIDED_PORT, PortClasses, bits
from ._kernel import addresses, sock_diag
from ._kernel.tcp_states import FIN_WAIT_2, NAMES, NEW_SYN_RECV, SYN_RECV, SYN_SENT, TIME_WAIT
from ._ports import PortRange

OUTBOUND = "outbound"
INBOUND = "inbound"

#: a local port outside the range that so many remote ports share is a server's, though nobody listens any more
_REMOTE_PORTS_OF_A_SERVER = 8

#: when the table changes under the dump, the kernel goes on by position in a hash chain: what it repeats are the
#: last sockets of a datagram at the start of the next, and chains are short
_LONGEST_REPEAT = 8
_TAIL_BYTES = 2048
_COOKIE = slice(sock_diag.COOKIE_AT, sock_diag.COOKIE_AT + 8)

#: seconds of history, and the slots of TIME-WAIT that belongs to none of them, and of sockets in other states
HISTORY_SECONDS = 60
OLDER = HISTORY_SECONDS
OTHER_STATE = OLDER + 1
#: what one byte of an entry's remaining milliseconds, all but the lowest, can hold
_LONGEST_FAST_MS = 65535


#: states in which the local port need not be asked for the direction
_DIRECTION_BY_STATE = {SYN_SENT: OUTBOUND, SYN_RECV: INBOUND, NEW_SYN_RECV: INBOUND}
#: laying the bytes of messages side by side costs as much as counting so many of them one by one
_FEW = 6


def slot_of(left_ms: int, timewait_ms: int) -> int:
    """Second of the last minute in which an entry came into TIME-WAIT: 59 is the newest, ``OLDER`` is none of them.

    An entry whose time is up stays for up to 2 s more, until the timer wheel gets to it, and shows 0 ms all that
    while. What has less than 256 ms left is not told from it.
    """
    quarter = left_ms >> 8  # the byte that the fast path reads; its middle stands for all of its values
    if not quarter:
        return OLDER
    second = max(0, timewait_ms - (quarter << 8) - 128) // 1000
    return HISTORY_SECONDS - 1 - second if second < HISTORY_SECONDS else OLDER


class Pool(NamedTuple):
    """All quadruplets that differ only in the ephemeral port: that one is None. Addresses are packed."""

    direction: str
    local_address: bytes
    local_port: Optional[int]
    remote_address: bytes
    remote_port: Optional[int]


class Tally:
    """What one network namespace holds.

    :param listening: local ports that a socket of the namespace listens on.
    :param port_range: ``PortRange`` of automatic choices, or None when unknown: then a port from 32768 on counts.
    :param timewait_ms: length of TIME-WAIT.
    """

    def __init__(
        self, listening: AbstractSet[int], port_range: Optional[PortRange] = None, timewait_ms: int = 60000
    ) -> None:
        self.timewait_ms = timewait_ms
        self._classes = PortClasses(listening, port_range)
        self._slots = bytes(slot_of(quarter << 8, timewait_ms) for quarter in range(256))
        self._counts: Counter[bytes] = Counter()  # of keys
        #: by local port
        self._undecided: Dict[int, List[sock_diag.Socket]] = {}
        self._last = b""  # the datagram before
        self.states = dict.fromkeys(NAMES.values(), 0)
        self.states["fin_wait_2_mini"] = 0

    # -- dumps ---------------------------------------------------------------------------------------------

    def add_datagram(self, datagram: sock_diag.Datagram) -> None:
        """Count the sockets of one ``Datagram`` of a dump."""
        for kind, data in self._without_repeats(datagram).items():
            self._add_alike(kind, data)

    def _without_repeats(self, datagram: sock_diag.Datagram) -> Dict[sock_diag.Kind, bytes]:
        """The sockets of a datagram by kind, less those at its start that the one before ended with.

        Where the kernel repeats any, it repeats the first one: the rest is looked at only then.
        """
        data = datagram.data
        last, self._last = self._last, data
        if data[_COOKIE] not in last[-_TAIL_BYTES:]:
            return datagram.kinds
        cookies = [last[offset:offset + length][_COOKIE] for offset, length, _type in sock_diag.messages(last)]
        ended_with = frozenset(cookies[-_LONGEST_REPEAT:])
        kept = []
        for number, (offset, length, _type) in enumerate(sock_diag.messages(data)):
            message = data[offset:offset + length]
            if number >= _LONGEST_REPEAT or message[_COOKIE] not in ended_with:
                kept.append(message)
        kinds, _end = sock_diag.by_kind(b"".join(kept))
        return kinds

    def _add_alike(self, kind: sock_diag.Kind, data: bytes) -> None:
        """Count messages of one kind."""
        if kind.state not in NAMES:
            return  # they listen, or are only bound: no quadruplets
        count = len(data) // kind.length
        if count < _FEW or (kind.state == TIME_WAIT and self.timewait_ms > _LONGEST_FAST_MS):
            for offset in range(0, len(data), kind.length):
                self.add(sock_diag.decode(kind, data, offset))
            return
        classes = self._classes_of(kind, data)
        if UNDECIDED_PORT in classes:
            data, classes, count = self._without_undecided(kind, data, classes)
            if not count:
                return
        layout = _KEYS[kind.family]
        size = layout.size
        keys = bytearray(count * size)
        keys[0::size] = classes
        keys[1::size], keys[2::size] = _port_columns(data, kind.length, classes)
        for at, column in enumerate(layout.addresses, 3):
            keys[at::size] = data[column::kind.length]
        if kind.state == TIME_WAIT:
            keys[size - 1::size] = data[_QUARTER_AT::kind.length].translate(self._slots)
        else:
            keys[size - 1::size] = bytes((OTHER_STATE,)) * count
        self._counts.update(_splitter(size, count).unpack(keys))
        self.states[_state_name(kind)] += count

    def _classes_of(self, kind: sock_diag.Kind, data: bytes) -> bytes:
        """Class of each message: of its local port, where the state does not tell."""
        if kind.state in _DIRECTION_BY_STATE:
            port_class = INBOUND_PORT if _DIRECTION_BY_STATE[kind.state] == INBOUND else OUTBOUND_PORT
            return bytes((port_class,)) * (len(data) // kind.length)
        port = sock_diag.LOCAL_PORT_AT
        return self._classes.of_ports(data[port::kind.length], data[port + 1::kind.length])

    def _without_undecided(self, kind: sock_diag.Kind, data: bytes, classes: bytes) -> Tuple[bytes, bytes, int]:
        """Count messages of undecided direction one by one; ``(data, classes, count)`` of the others."""
        kept = []
        for offset, port_class in zip(range(0, len(data), kind.length), classes):
            if port_class == UNDECIDED_PORT:
                self.add(sock_diag.decode(kind, data, offset))
            else:
                kept.append(data[offset:offset + kind.length])
        return b"".join(kept), classes.translate(None, bytes((UNDECIDED_PORT,))), len(kept)

    # -- single sockets ------------------------------------------------------------------------------------

    def add(self, found: sock_diag.Socket) -> None:
        """Count one ``Socket``."""
        if found.state not in NAMES:
            return  # it listens, or is only bound: no quadruplet
        if found.state in _DIRECTION_BY_STATE:
            self._count(found, _DIRECTION_BY_STATE[found.state])
        else:
            port_class = self._classes[found.local_port]
            if port_class == UNDECIDED_PORT:
                self._set_aside(found)
            else:
                self._count(found, INBOUND if port_class == INBOUND_PORT else OUTBOUND)

    def _set_aside(self, found: sock_diag.Socket) -> None:
        waiting = self._undecided.setdefault(found.local_port, [])
        waiting.append(found)
        if len(waiting) < _REMOTE_PORTS_OF_A_SERVER:
            return
        if len({one.remote_port for one in waiting}) >= _REMOTE_PORTS_OF_A_SERVER:
            self._classes.decide(found.local_port, INBOUND_PORT)
            direction = INBOUND
        elif len(waiting) >= 8 * _REMOTE_PORTS_OF_A_SERVER:
            # many quadruplets and few remote ports: a client that binds its source port itself
            self._classes.decide(found.local_port, OUTBOUND_PORT)
            direction = OUTBOUND
        else:
            return
        for one in self._undecided.pop(found.local_port):
            self._count(one, direction)

    def _count(self, found: sock_diag.Socket, direction: str) -> None:
        inbound = direction == INBOUND
        slot = slot_of(found.left_ms, self.timewait_ms) if found.state == TIME_WAIT else OTHER_STATE
        port = found.local_port if inbound else found.remote_port
        key = bytes((INBOUND_PORT if inbound else OUTBOUND_PORT, port >> 8, port & 0xFF))
        self._counts[key + found.local_address + found.remote_address + bytes((slot,))] += 1
        self.states[_state_name(found)] += 1

    # -- result --------------------------------------------------------------------------------------------

    def finish(self) -> None:
        """Settle what is left: few remote ports share an undecided port, so a client bound it; mapped is IPv4."""
        for waiting in self._undecided.values():
            for one in waiting:
                self._count(one, OUTBOUND)
        self._undecided = {}
        for key in [key for key in self._counts if len(key) == _KEYS[addresses.AF_INET6].size]:
            local = addresses.fold(addresses.AF_INET6, key[3:19])
            remote = addresses.fold(addresses.AF_INET6, key[19:35])
            if len(local) == len(remote) == 4:
                self._counts[key[:3] + local + remote + key[35:]] += self._counts.pop(key)

    def counts(self) -> Iterable[Tuple[bytes, int]]:
        """``(key, count)``: the pool is ``key[:-1]``, the slot ``key[-1]``. There may be as many pools as sockets."""
        return self._counts.items()


def direction_of(key: bytes) -> str:
    """Direction of the pool that a key tells."""
    return INBOUND if key[0] == INBOUND_PORT else OUTBOUND


def pool_of(key: bytes) -> Pool:
    """The pool that a key, with or without its slot, tells."""
    port = key[1] << 8 | key[2]
    size = (len(key) - 3) // 2
    local, remote = key[3:3 + size], key[3 + size:3 + 2 * size]
    if direction_of(key) == INBOUND:
        return Pool(INBOUND, local, port, remote, None)
    return Pool(OUTBOUND, local, None, remote, port)


class _Key(NamedTuple):
    """A key is class, port (the remote one outbound, the local one inbound), local and remote address, and slot.

    ``addresses``: where in a message their bytes are. IPv4 ones fill 4 of 16; the rest, which is zero, stays out.
    """

    size: int
    addresses: Tuple[int, ...]


def _key(address_size: int) -> _Key:
    local, remote = sock_diag.LOCAL_PORT_AT + 4, sock_diag.LOCAL_PORT_AT + 20
    columns = tuple(range(local, local + address_size)) + tuple(range(remote, remote + address_size))
    return _Key(len(columns) + 4, columns)


def _state_name(of: Union[sock_diag.Kind, sock_diag.Socket]) -> str:
    """Name of the state in the facts. A mini-socket in FIN-WAIT-2 is counted apart from a real one."""
    return "fin_wait_2_mini" if of.mini and of.state == FIN_WAIT_2 else NAMES[of.state]


@lru_cache(maxsize=32)
def _splitter(size: int, count: int) -> struct.Struct:
    """Takes ``count`` keys apart at once: faster than one after the other, and most datagrams are of one count."""
    return struct.Struct(("%ds" % size) * count)


_KEYS = {addresses.AF_INET: _key(4), addresses.AF_INET6: _key(16)}
#: second lowest byte of the remaining milliseconds
_QUARTER_AT = sock_diag.EXPIRES_AT + (1 if sys.byteorder == "little" else 2)


def _port_columns(data: bytes, length: int, classes: bytes) -> Tuple[bytes, bytes]:
    """``(high bytes, low bytes)`` of the port in each key: the local one of inbound sockets, else the remote one."""
    local, remote = sock_diag.LOCAL_PORT_AT, sock_diag.LOCAL_PORT_AT + 2
    inbound = classes.count(INBOUND_PORT)
    if not inbound:
        return data[remote::length], data[remote + 1::length]
    if inbound == len(classes):
        return data[local::length], data[local + 1::length]
    # numbers of hundreds of bytes: one operation of the processor does eight messages
    from_local = int.from_bytes(classes.translate(_INBOUND_BITS), "big")
    from_remote = int.from_bytes(classes.translate(_OUTBOUND_BITS), "big")
    high, low = (
        (
            int.from_bytes(data[local + byte::length], "big") & from_local
            | int.from_bytes(data[remote + byte::length], "big") & from_remote
        ).to_bytes(len(classes), "big")
        for byte in (0, 1)
    )
    return high, low


_INBOUND_BITS = bits(INBOUND_PORT)
_OUTBOUND_BITS = bits(OUTBOUND_PORT)
