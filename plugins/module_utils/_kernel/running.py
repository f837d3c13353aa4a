# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The seam: all reading of ``/proc``, ``/sys`` and netlink goes through here.

A test gives an object with the same methods over a captured tree; nothing else knows the difference.
"""

import errno
import os
import socket
import struct

from . import sock_diag
from .errors import KernelReadError

_NETLINK_SOCK_DIAG = 4
#: the kernel fills at most 32 KiB a datagram, whatever the buffer beyond that (``netlink_dump``)
_BUFFER_BYTES = 65536
_TIMEOUT_SECONDS = 30


class RunningKernel(object):
    """The kernel that runs here, as the calling process sees it: its own network namespace."""

    def read_text(self, path):
        """Text of a file, undecodable bytes replaced.

        :raises KernelReadError: with the reason, ``missing`` set when there is no such file.
        """
        try:
            with open(path, "rb") as stream:
                return stream.read().decode("utf-8", "replace")
        except (IOError, OSError) as error:
            raise _unreadable(path, error)

    def read_lines(self, path):
        """Lines of a file that may be too large to hold at once."""
        try:
            with open(path, "r", encoding="ascii", errors="replace") as stream:
                for line in stream:
                    yield line
        except (IOError, OSError) as error:
            raise _unreadable(path, error)

    def list_names(self, path):
        """Names in a folder."""
        try:
            return os.listdir(path)
        except (IOError, OSError) as error:
            raise _unreadable(path, error)

    def read_link(self, path):
        """Target of a symbolic link."""
        try:
            return os.readlink(path)
        except (IOError, OSError) as error:
            raise _unreadable(path, error)

    def dump(self, states, bytecode=b""):
        """The ``Datagram`` of a dump: the sockets of both families in these states.

        :raises KernelReadError: when the kernel refuses, or its answer is not to be trusted.
        """
        try:
            for datagram in _exchange(sock_diag.TCPDIAG_GETSOCK, 0, states, bytecode):
                yield datagram
            return
        except sock_diag.DumpRefused as refusal:
            # ENOENT: no tcp_diag, and the newer request needs it just as much
            if refusal.errno in (errno.ENOENT, errno.EPERM, errno.EACCES):
                raise
        for family in (sock_diag.AF_INET, sock_diag.AF_INET6):
            for datagram in _exchange(sock_diag.SOCK_DIAG_BY_FAMILY, family, states, bytecode):
                yield datagram


class MissingError(KernelReadError):
    """There is no such file: this kernel does not have the thing."""


def _unreadable(path, error):
    if error.errno in (errno.ENOENT, errno.ENOTDIR):
        return MissingError(path, "there is no such file")
    if error.errno in (errno.EACCES, errno.EPERM):
        return KernelReadError(path, "not permitted: run as root")
    return KernelReadError(path, os.strerror(error.errno) if error.errno else str(error))


def _exchange(message_type, family, states, bytecode):
    return sock_diag.until_done(_receive(sock_diag.request(message_type, family, states, bytecode)))


def _receive(request):
    """Send one request and give the datagrams that come back, until the reader has seen the end.

    The socket is connected to the kernel, which then takes nothing for it from anybody else
    (``netlink_getsockbyportid``).
    """
    try:
        with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _NETLINK_SOCK_DIAG) as channel:
            # a time-out of the socket's own costs no system call per datagram, as settimeout() would
            channel.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("@ll", _TIMEOUT_SECONDS, 0))
            channel.connect((0, 0))
            channel.send(request)
            while True:
                yield channel.recv(_BUFFER_BYTES)
    except (IOError, OSError) as error:
        if error.errno in (errno.EAGAIN, errno.EWOULDBLOCK):
            raise KernelReadError(sock_diag.WHAT, "no answer within %d s" % _TIMEOUT_SECONDS)
        if error.errno in (errno.EPERM, errno.EACCES):
            raise sock_diag.DumpRefused(error.errno)
        raise KernelReadError(sock_diag.WHAT, os.strerror(error.errno) if error.errno else str(error))
