# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Frames that ask a link whether somebody has an address, and what answers look like.

IPv4: an ARP probe, with a sender of 0.0.0.0, so that no neighbour learns anything from it (RFC 5227, 2.1.1).
IPv6: a neighbour solicitation from the unspecified address, as in duplicate address detection (RFC 4862, 5.4.2).
"""

import socket
import struct
from typing import Optional, Tuple

ETHERTYPE_ARP = 0x0806
ETHERTYPE_IPV6 = 0x86DD

_ETHERNET = struct.Struct("!6s6sH")
_ARP = struct.Struct("!HHBBH6s4s6s4s")
_REQUEST = 1
_ARP_OF_IPV4 = (1, 0x0800, 6, 4)  # Ethernet, IPv4, lengths of both addresses
_IPV6 = struct.Struct("!IHBB16s16s")
_ICMPV6 = 58
_SOLICITATION = 135
_ADVERTISEMENT = 136
_NEIGHBOUR = struct.Struct("!BBHI16s")  # type, code, checksum, flags, target
_EVERYBODY = b"\xff" * 6
_NOBODY = b"\0" * 16


def arp_probe(own_mac: bytes, address: bytes) -> bytes:
    """Who has this address of 4 bytes?"""
    body = _ARP.pack(*_ARP_OF_IPV4, _REQUEST, own_mac, b"\0" * 4, b"\0" * 6, address)
    return _ETHERNET.pack(_EVERYBODY, own_mac, ETHERTYPE_ARP) + body


def neighbour_probe(own_mac: bytes, address: bytes) -> bytes:
    """Who has this address of 16 bytes?"""
    group = b"\xff\x02" + b"\0" * 9 + b"\x01\xff" + address[13:]  # solicited-node multicast, RFC 4291
    message = _NEIGHBOUR.pack(_SOLICITATION, 0, 0, 0, address)
    pseudo = _NOBODY + group + struct.pack("!II", len(message), _ICMPV6)
    message = _NEIGHBOUR.pack(_SOLICITATION, 0, checksum(pseudo + message), 0, address)
    header = _IPV6.pack(6 << 28, len(message), _ICMPV6, 255, _NOBODY, group)
    return _ETHERNET.pack(b"\x33\x33" + group[12:], own_mac, ETHERTYPE_IPV6) + header + message


def checksum(data: bytes) -> int:
    """RFC 1071."""
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def claimed(frame: bytes) -> Optional[Tuple[bytes, bytes]]:
    """``(address, MAC)`` of somebody who has an address or is about to take it; None for a frame that tells of none."""
    if len(frame) < _ETHERNET.size:
        return None
    _destination, mac, kind = _ETHERNET.unpack_from(frame)
    body = frame[_ETHERNET.size :]
    if kind == ETHERTYPE_ARP and len(body) >= _ARP.size:
        return _claimed_by_arp(body)
    if kind == ETHERTYPE_IPV6 and len(body) >= _IPV6.size + _NEIGHBOUR.size:
        return _claimed_by_neighbour(mac, body)
    return None


def _claimed_by_arp(body: bytes) -> Optional[Tuple[bytes, bytes]]:
    *kinds, operation, mac, sender, _mac, target = _ARP.unpack_from(body)
    if tuple(kinds) != _ARP_OF_IPV4:
        return None
    if sender != b"\0" * 4:
        return sender, mac
    # somebody else's probe
    return (target, mac) if operation == _REQUEST else None


def _claimed_by_neighbour(mac: bytes, body: bytes) -> Optional[Tuple[bytes, bytes]]:
    _version, _length, following, hops, sender, _to = _IPV6.unpack_from(body)
    kind, _code, _checksum, _flags, target = _NEIGHBOUR.unpack_from(body, _IPV6.size)
    if following != _ICMPV6 or hops != 255:  # one that came through a router is forged (RFC 4861, 7.1)
        return None
    if kind == _ADVERTISEMENT or (kind == _SOLICITATION and sender == _NOBODY):
        return target, mac
    return None


def mac_text(mac: bytes) -> str:
    return ":".join("%02x" % byte for byte in mac)


def packed(address: str) -> bytes:
    return socket.inet_pton(socket.AF_INET6 if ":" in address else socket.AF_INET, address)
