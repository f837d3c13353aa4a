# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The wire format of ``NETLINK_SOCK_DIAG``: what to ask, and how an answer is laid out.

One request of the old type (``TCPDIAG_GETSOCK``) dumps IPv4 and IPv6 in one walk over the kernel's table,
where the newer ``SOCK_DIAG_BY_FAMILY`` walks it once a family (``inet_diag_dump_compat`` sets
``sdiag_family`` to ``AF_UNSPEC``). The walk is most of a dump's cost, so the old type is asked first.

Source: ``include/uapi/linux/inet_diag.h``, ``net/ipv4/inet_diag.c``, sock_diag(7), RFC 3549.
"""

import errno
import os
import struct
from typing import Dict, Iterable, Iterator, List, NamedTuple, Optional, Tuple

from . import addresses
from .addresses import AF_INET, AF_INET6
from .errors import KernelReadError
from .tcp_states import FIN_WAIT_2, TIME_WAIT

WHAT = "sock_diag dump"
_OVERLONG = "garbled answer: a message claims %d bytes where %d are left"

NLMSG_ERROR = 2
NLMSG_DONE = 3
TCPDIAG_GETSOCK = 18
SOCK_DIAG_BY_FAMILY = 20
_SOCKET_TYPES = (TCPDIAG_GETSOCK, SOCK_DIAG_BY_FAMILY)
_REQUEST_DUMP = 0x301  # NLM_F_REQUEST | NLM_F_ROOT | NLM_F_MATCH

_IPPROTO_TCP = 6
_REQ_BYTECODE = 1

HEADER = struct.Struct("=IHHII")  # nlmsghdr: length, type, flags, seq, portid
# nlmsghdr, then inet_diag_msg: ports, addresses, interface, cookie, expires, ... behind what the kind tells
_MESSAGE = struct.Struct("=20x2s2s16s16s4x8sI16x")
# length and type out of nlmsghdr; family, state and timer out of inet_diag_msg
_KIND = struct.Struct("=IH10x3B")
_KIND_COLUMNS = (0, 1, 2, 3, 4, 5, 16, 17, 18)
#: nlmsghdr 16 + inet_diag_msg 72; a caller with CAP_NET_ADMIN gets INET_DIAG_MARK besides, 96 in all
SMALLEST_MESSAGE = 88

STATE_AT = 17
LOCAL_PORT_AT = 20
COOKIE_AT = 60
EXPIRES_AT = 68

#: ``idiag_timer`` of a time-wait mini-socket (``inet_twsk_diag_fill``)
TIMER_TIMEWAIT = 3


def is_mini(state: int, timer: int) -> bool:
    """Whether it is a time-wait mini-socket. Real sockets in FIN-WAIT-2 have other timers."""
    return timer == TIMER_TIMEWAIT and state in (TIME_WAIT, FIN_WAIT_2)


#: bytecode that accepts the sockets whose local port the application chose itself: ``INET_DIAG_BC_AUTO`` (6) goes on
#: to a jump (1) past the end, which rejects, when it matches, and to the end, which accepts, when it does not
EXPLICITLY_BOUND = struct.pack("=BBHBBH", 6, 4, 8, 1, 4, 8)


def to_port(port: int) -> bytes:
    """Bytecode that accepts the sockets connected to a remote port.

    At least it (``INET_DIAG_BC_D_GE``, 4) and at most it (``INET_DIAG_BC_D_LE``, 5), since an operator for both is not
    older than Linux 5.6. The port stands in an operation of its own behind each; past the end is no.
    """
    return struct.pack("=BBHBBH", 4, 8, 20, 0, 0, port) + struct.pack("=BBHBBH", 5, 8, 12, 0, 0, port)


class Socket(NamedTuple):
    """One socket that holds a quadruplet, listens or is bound.

    ``mini``: a time-wait mini-socket (in state TIME-WAIT or FIN-WAIT-2). Addresses are packed, 4 bytes for
    IPv4 and for IPv4-mapped IPv6, else 16. ``left_ms``: milliseconds until a mini-socket goes. ``cookie``: 8 bytes,
    empty where the source gives none.
    """

    family: int
    state: int
    mini: bool
    local_port: int
    remote_port: int
    local_address: bytes
    remote_address: bytes
    left_ms: int
    cookie: bytes


def request(message_type: int, family: int, states: int, bytecode: bytes = b"", sequence: int = 1) -> bytes:
    """Bytes of a dump request.

    :param states: bit mask of TCP states.
    :param bytecode: filter program, run by the kernel for each socket (``inet_diag_bc_run``).
    """
    if message_type == TCPDIAG_GETSOCK:
        body = struct.pack("=4B48s2I", 0, 0, 0, 0, b"", states, 0)  # inet_diag_req
    else:
        body = struct.pack("=4BI48s", family, _IPPROTO_TCP, 0, 0, states, b"")  # inet_diag_req_v2
    if bytecode:
        body += struct.pack("=HH", 4 + len(bytecode), _REQ_BYTECODE) + bytecode
    return HEADER.pack(HEADER.size + len(body), message_type, _REQUEST_DUMP, sequence, 0) + body


def messages(datagram: bytes) -> Iterator[Tuple[int, int, int]]:
    """Split a datagram into ``(offset, length, type)`` of each message.

    :raises KernelReadError: when a message is shorter than its header or longer than what is left.
    """
    end = len(datagram)
    offset = 0
    while offset < end:
        if end - offset < HEADER.size:
            raise KernelReadError(WHAT, "truncated answer: %d bytes left where a header needs 16" % (end - offset))
        length, message_type, _flags, _sequence, _port = HEADER.unpack_from(datagram, offset)
        if length < HEADER.size or length > end - offset:
            raise KernelReadError(WHAT, _OVERLONG % (length, end - offset))
        yield offset, length, message_type
        offset += (length + 3) & ~3  # NLMSG_ALIGN


def error_of(datagram: bytes, offset: int, length: int) -> int:
    """errno (positive, 0 for none) that an NLMSG_ERROR or NLMSG_DONE message carries."""
    if length < HEADER.size + 4:
        return 0
    return -int(struct.unpack_from("=i", datagram, offset + HEADER.size)[0])


class Kind(NamedTuple):
    """What messages have in common that can be counted together: their length and type, and these of the socket."""

    length: int
    message_type: int
    family: int
    state: int
    timer: int

    @property
    def mini(self) -> bool:
        """Whether they tell of time-wait mini-sockets."""
        return is_mini(self.state, self.timer)


class Datagram(NamedTuple):
    """One datagram of a dump: its bytes, and its sockets, the messages of one kind put together."""

    data: bytes
    kinds: Dict[Kind, bytes]


def decode(kind: Kind, data: bytes, offset: int) -> Socket:
    """The socket that the message at ``offset`` describes."""
    local_port, remote_port, local, remote, cookie, expires = _MESSAGE.unpack_from(data, offset)
    return Socket(
        kind.family,
        kind.state,
        kind.mini,
        local_port[0] << 8 | local_port[1],
        remote_port[0] << 8 | remote_port[1],
        addresses.fold(kind.family, local),
        addresses.fold(kind.family, remote),
        expires,
        cookie,
    )


def sockets(datagrams: Iterable[Datagram]) -> Iterator[Socket]:
    """Every socket of a dump, decoded one by one: for the small dumps, where speed does not matter."""
    for datagram in datagrams:
        for kind, data in datagram.kinds.items():
            for offset in range(0, len(data), kind.length):
                yield decode(kind, data, offset)


class DumpRefusedError(KernelReadError):
    """The kernel answered the dump request with an error.

    :param number: the errno.
    """

    def __init__(self, number: int) -> None:
        if number == errno.ENOENT:
            reason = "the kernel has no tcp_diag (modprobe tcp_diag would load it)"
        else:
            reason = "the kernel refused it: %s" % os.strerror(number)
        super().__init__(WHAT, reason)
        self.errno = number


def until_done(datagrams: Iterable[bytes], sequence: int = 1) -> Iterator[Datagram]:
    """Turn what was received into the ``Datagram`` of one dump, and check that it ends well.

    The kernel sends the sockets in datagrams of their own and the end as the last one, but may put the end
    behind the last sockets: what stands before it is passed on.

    :raises DumpRefusedError: when the kernel answers with an error.
    :raises KernelReadError: when an answer is garbled, belongs to another request or stops before its end.
    """
    for data in datagrams:
        if len(data) < HEADER.size:
            raise KernelReadError(WHAT, "truncated answer: a datagram of %d bytes" % len(data))
        _length, _type, _flags, answered, _port = HEADER.unpack_from(data, 0)
        if answered != sequence:
            raise KernelReadError(WHAT, "foreign answer: to request %d, not to ours" % answered)
        kinds, end = by_kind(data)
        if end == len(data):
            yield Datagram(data, kinds)
            continue
        [(_offset, length, _type), *_more] = messages(data[end:])
        number = error_of(data, end, length)
        if number:
            raise DumpRefusedError(number)
        if end:
            yield Datagram(data[:end], kinds)
        return
    raise KernelReadError(WHAT, "truncated answer: it stops before its end")


def by_kind(data: bytes) -> Tuple[Dict[Kind, bytes], int]:
    """``(sockets, end)``: the messages of each kind put together, up to the end of the datagram or of the dump.

    In a table with live connections almost every datagram has several kinds, in no order. Each message is touched
    once, here; what its kind tells is checked when the first of the kind comes.

    :raises KernelReadError: when a message is garbled, or is none of a dump.
    """
    first = _is_uniform(data)
    if first:
        return {first: data}, len(data)
    pieces: Dict[Tuple[int, ...], List[bytes]] = {}
    size = len(data)
    offset = start = 0
    while offset < size:
        start = offset
        try:
            kind = _KIND.unpack_from(data, start)
            offset = start + kind[0]
            pieces[kind].append(data[start:offset])
        except KeyError:
            if kind[1] in (NLMSG_DONE, NLMSG_ERROR):
                offset = start
                break
            _check(Kind(*kind))
            pieces[kind] = [data[start:offset]]
        except struct.error:
            _offset, length, _type = next(messages(data[start:]))  # tells what is wrong with most
            raise KernelReadError(WHAT, "garbled answer: a message of %d bytes" % length) from None
    if offset > size:
        raise KernelReadError(WHAT, _OVERLONG % (offset - start, size - start))
    return {Kind(*kind): b"".join(parts) for kind, parts in pieces.items()}, offset


def _is_uniform(data: bytes) -> Optional[Kind]:
    """The kind of all messages, where there is but one: the same byte of each is one strided slice."""
    if len(data) < SMALLEST_MESSAGE:
        return None
    kind = Kind(*_KIND.unpack_from(data, 0))
    if kind.length < SMALLEST_MESSAGE or len(data) % kind.length or kind.message_type not in _SOCKET_TYPES:
        return None
    count = len(data) // kind.length
    if any(data[column::kind.length].count(data[column]) != count for column in _KIND_COLUMNS):
        return None
    _check(kind)
    return kind


def _check(kind: Kind) -> None:
    """Raise what is wrong with messages of a kind.

    The lengths of the kernel's are multiples of 4 (``nla_put`` pads): there is nothing between messages.
    """
    if kind.length < HEADER.size or kind.length % 4:
        raise KernelReadError(WHAT, "garbled answer: a message claims %d bytes" % kind.length)
    if kind.message_type not in _SOCKET_TYPES:
        raise KernelReadError(WHAT, "foreign answer: a message of type %d" % kind.message_type)
    if kind.length < SMALLEST_MESSAGE:
        raise KernelReadError(
            WHAT, "garbled answer: a socket in %d bytes, %d are needed" % (kind.length, SMALLEST_MESSAGE)
        )
    if kind.family not in (AF_INET, AF_INET6):
        raise KernelReadError(WHAT, "foreign answer: a socket of address family %d" % kind.family)
