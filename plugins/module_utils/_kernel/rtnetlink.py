# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The wire format of ``NETLINK_ROUTE``, as far as addresses of interfaces go: to read them, to add one, to delete one.

Nothing beside the standard library, since it is what takes a change back: a library that was there when an address
was added may be gone when it has to go.

Source: ``include/uapi/linux/if_addr.h``, ``net/ipv4/devinet.c``, ``net/ipv6/addrconf.c``, rtnetlink(7).
"""

import socket
import struct
from typing import Dict, Iterable, Iterator, List, NamedTuple, Tuple

from .errors import KernelReadError

WHAT = "rtnetlink"
NETLINK_ROUTE = 0

_NLMSG_ERROR = 2
_NLMSG_DONE = 3
_NEW = 20  # RTM_NEWADDR
_DELETE = 21
_GET = 22
_REQUEST = 0x1
_ACKNOWLEDGE = 0x4
_DUMP = 0x300
_EXCLUSIVE = 0x200
_CREATE = 0x400

_HEADER = struct.Struct("=IHHII")  # nlmsghdr: length, type, flags, seq, portid
_BODY = struct.Struct("=4BI")  # ifaddrmsg: family, prefix length, flags, scope, interface
_ATTRIBUTE = struct.Struct("=HH")
_CACHE = struct.Struct("=4I")  # ifa_cacheinfo: preferred, valid, made, changed
_FLAGS = struct.Struct("=I")

_ADDRESS = 1  # IFA_ADDRESS: the other end, where there is one
_LOCAL = 2
_LABEL = 3
_BROADCAST = 4
_CACHEINFO = 6
_FLAGS32 = 8

#: RT_SCOPE_HOST: of IPv4, never chosen as the source of what leaves the host (``inet_select_addr``)
HOST_SCOPE = 254
#: a lifetime without an end (INFINITY_LIFE_TIME)
FOREVER = 0xFFFFFFFF
SECONDARY = 0x01  # of IPv4; of IPv6 it means temporary (RFC 8981)
DAD_FAILED = 0x08
DEPRECATED = 0x20
TENTATIVE = 0x40
PERMANENT = 0x80
#: flags that whoever adds an address chooses; the kernel makes the others (IFA_F_NODAD, HOMEADDRESS, MANAGETEMPADDR,
#: NOPREFIXROUTE, MCAUTOJOIN)
_CHOSEN = 0x02 | 0x10 | 0x100 | 0x200 | 0x400


class HeldAddress(NamedTuple):
    """An address of an interface, which goes by its number. ``address``: with its prefix length. Lifetimes: seconds.

    ``label`` and ``broadcast`` are IPv4's, ``peer`` the other end of a point-to-point link; empty for none.
    """

    interface: int
    address: str
    scope: int = 0
    flags: int = 0
    label: str = ""
    broadcast: str = ""
    peer: str = ""
    preferred: int = FOREVER
    valid: int = FOREVER


def dump_request(sequence: int = 1) -> bytes:
    """Asks for all addresses of both families."""
    return _message(_GET, _REQUEST | _DUMP, _BODY.pack(socket.AF_UNSPEC, 0, 0, 0, 0), sequence)


def add_request(wanted: HeldAddress, sequence: int = 1) -> bytes:
    """Asks for one to be added; the kernel says EEXIST where it is there."""
    return _message(_NEW, _REQUEST | _ACKNOWLEDGE | _CREATE | _EXCLUSIVE, _described(wanted), sequence)


def delete_request(found: HeldAddress, sequence: int = 1) -> bytes:
    """Asks for one to be deleted; the kernel says EADDRNOTAVAIL where it is not there."""
    return _message(_DELETE, _REQUEST | _ACKNOWLEDGE, _described(found), sequence)


def _message(kind: int, flags: int, body: bytes, sequence: int) -> bytes:
    return _HEADER.pack(_HEADER.size + len(body), kind, flags, sequence, 0) + body


def _described(one: HeldAddress) -> bytes:
    text, _slash, length = one.address.partition("/")
    family = socket.AF_INET6 if ":" in text else socket.AF_INET
    own = socket.inet_pton(family, text)
    flags = one.flags & _CHOSEN
    parts = [
        _BODY.pack(family, int(length), flags & 0xFF, one.scope, one.interface),
        _attribute(_LOCAL, own),
        _attribute(_ADDRESS, socket.inet_pton(family, one.peer) if one.peer else own),
        _attribute(_FLAGS32, _FLAGS.pack(flags)),
        _attribute(_CACHEINFO, _CACHE.pack(one.preferred, one.valid, 0, 0)),
    ]
    if one.label:
        parts.append(_attribute(_LABEL, one.label.encode("utf-8", "surrogateescape") + b"\0"))
    if one.broadcast:
        parts.append(_attribute(_BROADCAST, socket.inet_pton(family, one.broadcast)))
    return b"".join(parts)


def _attribute(kind: int, value: bytes) -> bytes:
    length = _ATTRIBUTE.size + len(value)
    return _ATTRIBUTE.pack(length, kind) + value + b"\0" * (-length % 4)


def acknowledged(datagram: bytes) -> int:
    """The errno of an answer to a change, 0 when it was made.

    :raises KernelReadError: when it is no such answer.
    """
    for kind, body in _messages(datagram):
        if kind == _NLMSG_ERROR and len(body) >= 4:
            return -int(struct.unpack_from("=i", body)[0])
    raise KernelReadError(WHAT, "garbled answer: it neither confirms nor refuses")


def read_dump(datagrams: Iterable[bytes]) -> List[HeldAddress]:
    """The addresses that a dump tells of.

    :raises KernelReadError: when an answer is garbled, an error, or stops before its end.
    """
    found: List[HeldAddress] = []
    for datagram in datagrams:
        for kind, body in _messages(datagram):
            if kind == _NLMSG_DONE:
                return found
            if kind == _NLMSG_ERROR:
                raise KernelReadError(WHAT, "the kernel refused to tell the addresses")
            if kind == _NEW:
                found.append(_decoded(body))
    raise KernelReadError(WHAT, "truncated answer: it stops before its end")


def _messages(datagram: bytes) -> Iterator[Tuple[int, bytes]]:
    offset = 0
    while offset < len(datagram):
        if len(datagram) - offset < _HEADER.size:
            raise KernelReadError(WHAT, "truncated answer: no room for a header")
        length, kind, _flags, _sequence, _port = _HEADER.unpack_from(datagram, offset)
        if not _HEADER.size <= length <= len(datagram) - offset:
            raise KernelReadError(WHAT, "garbled answer: a message claims %d bytes" % length)
        yield kind, datagram[offset + _HEADER.size : offset + length]
        offset += (length + 3) & ~3  # NLMSG_ALIGN


def _decoded(body: bytes) -> HeldAddress:
    if len(body) < _BODY.size:
        raise KernelReadError(WHAT, "garbled answer: an address of %d bytes" % len(body))
    family, length, flags, scope, index = _BODY.unpack_from(body)
    parts = _attributes(body[_BODY.size :])
    address = parts.get(_ADDRESS, b"")
    local = parts.get(_LOCAL, address)  # IPv6 names it only where there is another end
    if len(local) != (16 if family == socket.AF_INET6 else 4):
        raise KernelReadError(WHAT, "garbled answer: an address without itself")
    if _FLAGS32 in parts:
        flags = _FLAGS.unpack(parts[_FLAGS32])[0]
    preferred, valid = _CACHE.unpack(parts[_CACHEINFO])[:2] if _CACHEINFO in parts else (FOREVER, FOREVER)
    broadcast = parts.get(_BROADCAST, b"")
    return HeldAddress(
        index,
        "%s/%d" % (socket.inet_ntop(family, local), length),
        scope,
        flags,
        parts.get(_LABEL, b"").rstrip(b"\0").decode("utf-8", "surrogateescape"),
        socket.inet_ntop(family, broadcast) if broadcast else "",
        socket.inet_ntop(family, address) if address and address != local else "",
        preferred,
        valid,
    )


def _attributes(data: bytes) -> Dict[int, bytes]:
    found = {}
    offset = 0
    while len(data) - offset >= _ATTRIBUTE.size:
        length, kind = _ATTRIBUTE.unpack_from(data, offset)
        if not _ATTRIBUTE.size <= length <= len(data) - offset:
            raise KernelReadError(WHAT, "garbled answer: a part claims %d bytes" % length)
        found[kind & 0x3FFF] = data[offset + _ATTRIBUTE.size : offset + length]  # NLA_TYPE_MASK
        offset += (length + 3) & ~3
    return found
