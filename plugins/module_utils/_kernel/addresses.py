# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Packed addresses: 4 bytes for IPv4 and for IPv4-mapped IPv6, else 16."""

import socket

# as the kernel numbers them, whatever this Python was built with
AF_INET = 2
AF_INET6 = 10

_MAPPED = b"\0" * 10 + b"\xff\xff"


def fold(family: int, packed: bytes) -> bytes:
    """Address of 16 bytes as the kernel packs it; IPv4 and IPv4-mapped ones become the same 4 bytes."""
    if family == AF_INET:
        return packed[:4]
    if packed.startswith(_MAPPED):
        return packed[12:]
    return packed


def text(packed: bytes) -> str:
    """The address as people write it."""
    return socket.inet_ntop(socket.AF_INET if len(packed) == 4 else socket.AF_INET6, packed)


def is_loopback(packed: bytes) -> bool:
    """127.0.0.0/8 or ::1, as ``tcp_twsk_unique`` sees it."""
    if len(packed) == 4:
        return packed[0] == 127
    return packed == b"\0" * 15 + b"\1"
