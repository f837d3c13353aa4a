# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A child process in a network namespace of its own, which goes with it.

Nothing in it reaches the host's namespace: the child checks that it has left that one before anything else happens. A
network namespace lives as long as a process or a socket in it; what experiments leave behind is TIME-WAIT, which does
not count, and sockets that see their peer go in the same instant.
"""

import ctypes
import errno
import os
from typing import Any, Callable

from .child import call_in_child
from .errors import KernelReadError

WHAT = "private network namespaces"

_CLONE_NEWNS = 0x00020000
_CLONE_NEWUSER = 0x10000000
_CLONE_NEWNET = 0x40000000
_MS_NOSUID, _MS_NODEV, _MS_NOEXEC, _MS_REC, _MS_PRIVATE = 0x2, 0x4, 0x8, 0x4000, 0x40000
_OWN = "/proc/self/ns/net"


def call_in_sandbox(function: Callable[[], Any], timeout_seconds: float) -> Any:
    """Result of ``function()``, run in a new network namespace by a process that is killed when it is late.

    :param function: takes nothing, returns what JSON can carry, or raises ``KernelReadError``.
    :raises KernelReadError: when there is no such namespace to be had, when the function raised, died or was late.
    """
    return call_in_child("sandbox", _leave, function, timeout_seconds)


def _leave() -> None:
    """Leaves the network namespace of the host, by way of a user namespace where that needs one."""
    libc = ctypes.CDLL(None, use_errno=True)
    try:
        host = os.stat(_OWN).st_ino
        if libc.unshare(_CLONE_NEWNET):
            _leave_unprivileged(libc)
        if os.stat(_OWN).st_ino == host:
            raise KernelReadError(WHAT, "unshare() gave none, and nothing is tried in the host's own")
        _make_sysctls_writable(libc)
    except OSError as error:
        raise KernelReadError(WHAT, "%s: %s" % (error.filename or "unshare", error.strerror)) from None


def _leave_unprivileged(libc: ctypes.CDLL) -> None:
    number = ctypes.get_errno()
    if number != errno.EPERM:
        raise KernelReadError(WHAT, "unshare() fails with %s" % _name(number))
    uid, gid = os.geteuid(), os.getegid()
    if libc.unshare(_CLONE_NEWUSER | _CLONE_NEWNET):
        raise KernelReadError(
            WHAT,
            "not permitted without CAP_SYS_ADMIN, and no user namespace is to be had (%s): run as root, outside of a"
            " container that forbids it" % _name(ctypes.get_errno()),
        )
    # user_namespaces(7): an unprivileged process maps its own ids only, and gives up setgroups() first
    if os.path.exists("/proc/self/setgroups"):
        _write("/proc/self/setgroups", "deny")
    _write("/proc/self/uid_map", "0 %d 1" % uid)
    _write("/proc/self/gid_map", "0 %d 1" % gid)


def _make_sysctls_writable(libc: ctypes.CDLL) -> None:
    """Containers have /proc/sys read-only: a /proc of the child's own, in a mount namespace of its own, may not be.

    Where that is refused it stays as it is, and each experiment that needs a setting says so.
    """
    if not os.statvfs("/proc/sys").f_flag & os.ST_RDONLY:
        return
    # the second call must not be made without the first, it would reach the host
    if libc.unshare(_CLONE_NEWNS) == 0 and libc.mount(b"none", b"/", None, _MS_REC | _MS_PRIVATE, None) == 0:
        libc.mount(b"proc", b"/proc", b"proc", _MS_NOSUID | _MS_NODEV | _MS_NOEXEC, None)


def _write(path: str, text: str) -> None:
    with open(path, "wb", 0) as stream:
        stream.write(text.encode("ascii"))


def _name(number: int) -> str:
    return errno.errorcode.get(number, "error %d" % number)
