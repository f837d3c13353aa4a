# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sockets out of ``/proc/net/tcp`` and ``/proc/net/tcp6``: for kernels without tcp_diag, and where netlink is barred.

Same set as a dump, but no cookies, and five times the text to read. Source: ``tcp4_seq_show``,
``get_timewait4_sock``, proc_net(5).
"""

import struct
import sys
from binascii import unhexlify
from typing import Iterable, Iterator, Tuple

from . import addresses
from .addresses import AF_INET, AF_INET6
from .errors import KernelReadError
from .sock_diag import Socket, is_mini

#: the file counts timers in clock ticks of user space, 100 a second on every architecture but alpha
_MS_PER_TICK = 10


def sockets(lines: Iterable[str], family: int, path: str) -> Iterator[Socket]:
    """Sockets of one of the two files.

    :param lines: its lines, the heading included.
    :raises KernelReadError: at a line that is none of the kernel's.
    """
    for number, line in enumerate(lines, 1):
        if number == 1:
            if "local_address" not in line:
                raise KernelReadError(path, "line 1 is not the heading that the kernel writes")
            continue
        if not line.strip():
            continue
        try:
            yield _socket(line, family)
        except (ValueError, IndexError, struct.error):
            raise KernelReadError(path, "line %d is not one of the kernel's: %.60r" % (number, line)) from None


def _socket(line: str, family: int) -> Socket:
    _slot, local, remote, state_hex, _queues, timer = line.split(None, 6)[:6]
    local_address, local_port = _endpoint(local, family)
    remote_address, remote_port = _endpoint(remote, family)
    state = int(state_hex, 16)
    timer_kind, _colon, ticks = timer.partition(":")
    return Socket(
        family,
        state,
        is_mini(state, int(timer_kind, 16)),
        local_port,
        remote_port,
        local_address,
        remote_address,
        int(ticks, 16) * _MS_PER_TICK,
        b"",
    )


def _endpoint(text: str, family: int) -> Tuple[bytes, int]:
    address, _colon, port_hex = text.partition(":")
    port = int(port_hex, 16)
    size = 8 if family == AF_INET else 32
    if len(address) != size or not 0 <= port <= 65535:
        raise ValueError(text)
    return addresses.fold(family, _packed(address)), port


def _packed(address: str) -> bytes:
    """The kernel prints each 32-bit word of an address as a number of its own byte order."""
    raw = unhexlify(address)
    if sys.byteorder == "big":
        return raw
    words = struct.unpack(">%dI" % (len(raw) // 4), raw)
    return struct.pack("<%dI" % len(words), *words)


FILES = (("/proc/net/tcp", AF_INET), ("/proc/net/tcp6", AF_INET6))
