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
from functools import partial
from typing import Iterator, List, Optional

from . import addresses, rtnetlink, sock_diag
from .errors import KernelReadError, MissingError

_NETLINK_SOCK_DIAG = 4
_SO_NETNS_COOKIE = 71
_U64 = struct.Struct("=Q")
#: the kernel fills at most 32 KiB a datagram, whatever the buffer beyond that (``netlink_dump``)
_BUFFER_BYTES = 65536
_TIMEOUT_SECONDS = 30
#: more than the longest list of ports: a sysctl gives what the first read has room for, and nothing to the next
#: (``proc_do_large_bitmap``), where Python's own buffer would be 8192 bytes
_TEXT_BYTES = 1 << 18


class RunningKernel:
    """The kernel that runs here, as the calling process sees it: its own network namespace."""

    def read_text(self, path: str) -> str:
        """Text of a file, undecodable bytes replaced.

        :raises MissingError: when there is no such file.
        :raises KernelReadError: when it cannot be read.
        """
        try:
            with open(path, "rb", buffering=0) as stream:
                return b"".join(iter(partial(stream.read, _TEXT_BYTES), b"")).decode("utf-8", "replace")
        except OSError as error:
            raise _unreadable(path, error) from None

    def read_bytes(self, path: str) -> bytes:
        """All of a file that is not text."""
        try:
            with open(path, "rb") as stream:
                return stream.read()
        except OSError as error:
            raise _unreadable(path, error) from None

    def read_lines(self, path: str) -> Iterator[str]:
        """Lines of a file that may be too large to hold at once."""
        try:
            with open(path, "r", encoding="ascii", errors="replace") as stream:
                yield from stream
        except OSError as error:
            raise _unreadable(path, error) from None

    def list_names(self, path: str) -> List[str]:
        """Names in a folder."""
        try:
            return os.listdir(path)
        except OSError as error:
            raise _unreadable(path, error) from None

    def read_link(self, path: str) -> str:
        """Target of a symbolic link."""
        try:
            return os.readlink(path)
        except OSError as error:
            raise _unreadable(path, error) from None

    def inode(self, path: str) -> int:
        """Number of the file that a path leads to."""
        try:
            return os.stat(path).st_ino
        except OSError as error:
            raise _unreadable(path, error) from None

    def namespace_cookie(self) -> Optional[int]:
        """Number of the caller's network namespace that none of this boot had before, None before Linux 5.14.

        The inode of one that is gone is given to the next; ``SO_NETNS_COOKIE`` never is.
        """
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as throw_away:
                cookie: int = _U64.unpack(throw_away.getsockopt(socket.SOL_SOCKET, _SO_NETNS_COOKIE, _U64.size))[0]
                return cookie
        except OSError:
            return None

    def accepts_option(self, level: int, option: int, value: bytes) -> bool:
        """Whether a TCP socket knows an option. The socket is made for it, and connected or bound to nothing.

        :raises KernelReadError: when the answer is neither yes nor that there is no such option.
        """
        try:
            with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as throw_away:
                throw_away.setsockopt(level, option, value)
            return True
        except OSError as error:
            if error.errno == errno.ENOPROTOOPT:
                return False
            what = "setsockopt(%d, %d)" % (level, option)
            raise KernelReadError(what, error.strerror or str(error)) from None

    def dump(self, states: int, bytecode: bytes = b"") -> Iterator[sock_diag.Datagram]:
        """The ``Datagram`` of a dump: the sockets of both families in these states.

        :raises KernelReadError: when the kernel refuses, or its answer is not to be trusted.
        """
        try:
            yield from _exchange(sock_diag.TCPDIAG_GETSOCK, 0, states, bytecode)
            return
        except sock_diag.DumpRefusedError as refusal:
            # ENOENT: no tcp_diag, and the newer request needs it just as much
            if refusal.errno in (errno.ENOENT, errno.EPERM, errno.EACCES):
                raise
        for family in (addresses.AF_INET, addresses.AF_INET6):
            yield from _exchange(sock_diag.SOCK_DIAG_BY_FAMILY, family, states, bytecode)

    def interface_index(self, name: str) -> Optional[int]:
        """Number of an interface of the caller's namespace, None where there is none of that name."""
        try:
            return socket.if_nametoindex(name)
        except OSError:
            return None

    def held_addresses(self) -> List[rtnetlink.HeldAddress]:
        """All addresses of the caller's namespace.

        :raises KernelReadError: when the kernel refuses, or its answer is not to be trusted.
        """
        return rtnetlink.read_dump(_ask(rtnetlink.NETLINK_ROUTE, rtnetlink.WHAT, rtnetlink.dump_request()))

    def change_addresses(self, request: bytes) -> int:
        """Send a request of ``rtnetlink`` that adds or deletes an address; the errno, 0 when it was done."""
        return rtnetlink.acknowledged(next(_ask(rtnetlink.NETLINK_ROUTE, rtnetlink.WHAT, request)))


def _unreadable(path: str, error: OSError) -> KernelReadError:
    if error.errno in (errno.ENOENT, errno.ENOTDIR):
        return MissingError(path, "there is no such file")
    if error.errno in (errno.EACCES, errno.EPERM):
        return KernelReadError(path, "not permitted: run as root")
    return KernelReadError(path, error.strerror or str(error))


def _exchange(message_type: int, family: int, states: int, bytecode: bytes) -> Iterator[sock_diag.Datagram]:
    return sock_diag.until_done(_receive(sock_diag.request(message_type, family, states, bytecode)))


def _receive(request: bytes) -> Iterator[bytes]:
    """Send one request and give the datagrams that come back, until the reader has seen the end.

    The socket is connected to the kernel, which then takes nothing for it from anybody else
    (``netlink_getsockbyportid``).
    """
    try:
        yield from _datagrams(_NETLINK_SOCK_DIAG, request)
    except OSError as error:
        raise _refused(error) from None


def _ask(protocol: int, what: str, request: bytes) -> Iterator[bytes]:
    """The same of another protocol of netlink.

    :raises KernelReadError: when nothing could be sent, or nothing comes back.
    """
    try:
        yield from _datagrams(protocol, request)
    except OSError as error:
        raise _unanswered(what, error) from None


def _datagrams(protocol: int, request: bytes) -> Iterator[bytes]:
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, protocol) as channel:
        # a time-out of the socket's own costs no system call per datagram, as settimeout() would
        channel.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("@ll", _TIMEOUT_SECONDS, 0))
        channel.connect((0, 0))
        channel.send(request)
        while True:
            yield channel.recv(_BUFFER_BYTES)


def _unanswered(what: str, error: OSError) -> KernelReadError:
    if error.errno in (errno.EAGAIN, errno.EWOULDBLOCK):
        return KernelReadError(what, "no answer within %d s" % _TIMEOUT_SECONDS)
    return KernelReadError(what, error.strerror or str(error))


def _refused(error: OSError) -> KernelReadError:
    if error.errno in (errno.EPERM, errno.EACCES, errno.EPROTONOSUPPORT):
        return sock_diag.DumpRefusedError(error.errno)
    return _unanswered(sock_diag.WHAT, error)
