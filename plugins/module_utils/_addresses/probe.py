# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asks a link whether somebody has an address already, before it is added."""

import ctypes
import select
import socket
import struct
import time
from contextlib import ExitStack
from functools import partial
from typing import Dict, List, Optional, Sequence

from .._kernel.errors import KernelReadError
from .._kernel.inside import call_inside
from . import frames
from .errors import AddressError

_INSIDE_SECONDS = 30
#: three probes, as RFC 5227 has it, closer together: a host of today answers within milliseconds
_PROBES_AT = (0.0, 0.35, 0.7)
_END = 1.1
_FRAME_BYTES = 2048
#: a thousand probes do not fit into a socket's buffer at once
_SEND_SECONDS = 1
_SO_ATTACH_FILTER = 26
#: ldb [20]; jeq #58, 0, 1; ret #65535; ret #0: of IPv6, ICMPv6 alone (socket(7), linux/filter.h)
_ICMPV6_ONLY = struct.pack("=" + "HBBI" * 4, 0x30, 0, 0, 20, 0x15, 0, 1, 58, 0x06, 0, 0, 65535, 0x06, 0, 0, 0)


def taken(namespace: Optional[str], interface: str, mac: str, addresses: Sequence[str]) -> Dict[str, str]:
    """MAC of whoever has each of the addresses; those that nobody answered for are left out.

    :raises AddressError: when the link cannot be asked.
    """
    if not addresses:
        return {}
    ask = partial(_ask, interface, mac, list(addresses))
    try:
        found: Dict[str, str] = ask() if namespace is None else call_inside(namespace, ask, _INSIDE_SECONDS)
    except KernelReadError as error:
        raise AddressError(_REFUSED % (interface, error)) from None
    except OSError as error:
        raise AddressError(_REFUSED % (interface, error.strerror)) from None
    return found


_REFUSED = "the link of %s cannot be asked who has the addresses: %s; run as root, or with detect_duplicates: false"


def _ask(interface: str, mac: str, addresses: List[str]) -> Dict[str, str]:
    own = bytes(int(part, 16) for part in mac.split(":"))
    wanted = {frames.packed(one): one for one in addresses}
    probes = {
        frames.ETHERTYPE_ARP: [frames.arp_probe(own, one) for one in wanted if len(one) == 4],
        frames.ETHERTYPE_IPV6: [frames.neighbour_probe(own, one) for one in wanted if len(one) == 16],
    }
    found: Dict[str, str] = {}
    with ExitStack() as stack:
        sockets = {kind: stack.enter_context(_socket(interface, kind)) for kind in probes if probes[kind]}
        begun = time.monotonic()
        for at, until in zip(_PROBES_AT, (*_PROBES_AT[1:], _END)):
            for kind, one in sockets.items():
                for probe in probes[kind]:
                    one.send(probe)
            _listen(list(sockets.values()), begun + until, own, wanted, found)
            if at and len(found) == len(wanted):
                break
    return found


def _socket(interface: str, kind: int) -> socket.socket:
    made = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    try:
        if kind == frames.ETHERTYPE_IPV6:
            program = ctypes.create_string_buffer(_ICMPV6_ONLY)
            option = struct.pack("@HP", len(_ICMPV6_ONLY) // 8, ctypes.addressof(program))
            made.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, option)
        # only now does it hear anything: packet(7)
        made.bind((interface, kind))
        made.settimeout(_SEND_SECONDS)
    except OSError:
        made.close()
        raise
    return made


def _listen(
    sockets: List[socket.socket], until: float, own: bytes, wanted: Dict[bytes, str], found: Dict[str, str]
) -> None:
    while True:
        left = until - time.monotonic()
        if left <= 0:
            return
        for one in select.select(sockets, [], [], left)[0]:
            claim = frames.claimed(one.recv(_FRAME_BYTES))
            if claim and claim[1] != own and claim[0] in wanted:
                found.setdefault(wanted[claim[0]], frames.mac_text(claim[1]))
