# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Capabilities that a socket shows: options that it takes, and whether the kernel dumps its sockets."""

import errno
import socket
import struct

from . import sock_diag, tcp_states
from .capability import Capability, unknown
from .errors import KernelReadError
from .running import RunningKernel

#: include/uapi/linux/in.h; Python's socket module has no names for them
IP_BIND_ADDRESS_NO_PORT = 24
IP_LOCAL_PORT_RANGE = 51
#: 15, but for PA-RISC and SPARC, whose Python has the name
SO_REUSEPORT = getattr(socket, "SO_REUSEPORT", 15)

_ON = struct.pack("@i", 1)
#: no range: what a socket has anyway
_NO_RANGE = struct.pack("@I", 0)


def bind_address_no_port(kernel: RunningKernel) -> Capability:
    """bind() to an address that leaves the port to connect()."""
    return _option(kernel, "IP_BIND_ADDRESS_NO_PORT", socket.IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, _ON)


def local_port_range_option(kernel: RunningKernel) -> Capability:
    """A range of ports of a socket's own."""
    return _option(kernel, "IP_LOCAL_PORT_RANGE", socket.IPPROTO_IP, IP_LOCAL_PORT_RANGE, _NO_RANGE)


def reuseport(kernel: RunningKernel) -> Capability:
    """Several listeners on one port."""
    return _option(kernel, "SO_REUSEPORT", socket.SOL_SOCKET, SO_REUSEPORT, _ON)


def _option(kernel: RunningKernel, name: str, level: int, option: int, value: bytes) -> Capability:
    try:
        accepted = kernel.accepts_option(level, option, value)
    except KernelReadError as error:
        return unknown(error)
    return Capability(accepted, None, "a socket %s %s" % ("takes" if accepted else "does not know", name))


def sock_diag_dump(kernel: RunningKernel) -> Capability:
    """Whether the kernel dumps TCP sockets. Those in LISTEN are asked for: few, and in a table of their own."""
    try:
        for _datagram in kernel.dump(1 << tcp_states.LISTEN):
            break
    except sock_diag.DumpRefusedError as refusal:
        if refusal.errno == errno.ENOENT:
            return Capability(False, None, "no module tcp_diag: the kernel answers the dump with ENOENT")
        if refusal.errno == errno.EPROTONOSUPPORT:
            return Capability(False, None, "no netlink protocol sock_diag (EPROTONOSUPPORT)")
        return unknown(refusal)
    except KernelReadError as error:
        return unknown(error)
    return Capability(True, None, "the kernel dumps its TCP sockets")
