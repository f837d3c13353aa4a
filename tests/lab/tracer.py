# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a function in a process that is killed after any one of the system calls with which it changes something.

ptrace(2) stops the process at each call, so that nothing in the code under test knows of it. On x86-64 only, where
the numbers of the calls and the register of a write's length are known here.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import platform
import signal
import struct
import sys
import traceback
from collections.abc import Callable
from typing import NamedTuple

_CLONE_NEWNET = 0x40000000
_WALL = 0x40000000
_TRACEME, _POKEUSER, _SYSCALL, _SETOPTIONS, _GET_SYSCALL_INFO = 0, 6, 24, 0x4200, 0x420E
# system calls marked, children followed, and all killed should this process end first
_OPTIONS = 1 | 2 | 4 | 8 | 0x100000
_SYSCALL_STOP = signal.SIGTRAP | 0x80
_ENTRY, _EXIT = 1, 2
_LENGTH_REGISTER = 12 * 8  # rdx in struct user_regs_struct
_WRITING_FLAGS = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC

#: number -> name; an open counts when it may write, and what is sent when it adds or deletes an address
_CHANGING = {
    1: "write", 2: "open", 18: "pwrite64", 20: "writev", 44: "sendto",
    73: "flock", 74: "fsync", 75: "fdatasync", 76: "truncate", 77: "ftruncate",
    82: "rename", 83: "mkdir", 84: "rmdir", 86: "link", 87: "unlink", 88: "symlink", 90: "chmod",
    91: "fchmod", 92: "chown", 93: "fchown", 94: "lchown", 188: "setxattr", 189: "lsetxattr", 190: "fsetxattr",
    197: "removexattr", 198: "lremovexattr", 199: "fremovexattr", 257: "openat", 258: "mkdirat", 260: "fchownat",
    263: "unlinkat", 264: "renameat", 265: "linkat", 266: "symlinkat", 268: "fchmodat",
    316: "renameat2", 326: "copy_file_range",
}  # fmt: skip


class Traced(NamedTuple):
    """``calls``: names of the changing calls that succeeded, in order. ``status``: exit status, None when killed."""

    calls: list[str]
    status: int | None


def supported() -> bool:
    return platform.machine() == "x86_64" and sys.maxsize > 2**32


def inside(namespace_path: str, function: Callable[[], object]) -> int:
    """Exit status of a process that runs the function in a network namespace: 0, or 1 when it raised."""
    pid = os.fork()
    if not pid:
        _live(namespace_path, function)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def told_inside(namespace_path: str, function: Callable[[], str]) -> str:
    """What the function returns, run as ``inside`` does."""
    reader, writer = os.pipe()
    status = inside(namespace_path, lambda: os.write(writer, function().encode()))
    os.close(writer)
    with open(reader, encoding="utf-8") as stream:
        text = stream.read()
    if status:
        raise RuntimeError(f"it failed inside {namespace_path}: its traceback is on standard error")
    return text


def killed_after(
    namespace_path: str, function: Callable[[], object], number: int, *, torn: bool = False
) -> Traced:
    """Run the function as ``inside`` does, and kill it, and what it started, after its changing call of that number.

    No other child process may run meanwhile: all are waited for.

    :param torn: should that call be a write to a file, half of it is written.
    """
    pid = os.fork()
    if not pid:
        _ptrace(_TRACEME, 0, 0, 0)
        os.kill(os.getpid(), signal.SIGSTOP)
        _live(namespace_path, function)
    os.waitpid(pid, 0)
    _ptrace(_SETOPTIONS, pid, 0, _OPTIONS)
    _ptrace(_SYSCALL, pid, 0, 0)
    return _Tracer(pid, number, torn).run()


class _Tracer:
    def __init__(self, pid: int, number: int, torn: bool) -> None:
        self._first = pid
        self._tracees = {pid}
        self._number = number
        self._torn = torn
        self._inside: dict[int, str] = {}
        self._calls: list[str] = []

    def run(self) -> Traced:
        status = None
        while self._tracees:
            pid, how = os.waitpid(-1, _WALL)
            if os.WIFEXITED(how) or os.WIFSIGNALED(how):
                self._tracees.discard(pid)
                if pid == self._first:
                    status = os.waitstatus_to_exitcode(how)
                continue
            new = pid not in self._tracees
            self._tracees.add(pid)
            # somebody else may kill it while it is stopped: the next wait tells
            with contextlib.suppress(ProcessLookupError):
                if os.WSTOPSIG(how) == _SYSCALL_STOP and self._at_call(pid):
                    self._kill()
                    return Traced(self._calls, None)
                # a new child stops by itself, and so do the events of fork and exec; other signals are passed on
                quiet = new or os.WSTOPSIG(how) in (_SYSCALL_STOP, signal.SIGTRAP)
                _ptrace(_SYSCALL, pid, 0, 0 if quiet else os.WSTOPSIG(how))
        return Traced(self._calls, status)

    def _at_call(self, pid: int) -> bool:
        """Whether this is the end of the call to die after."""
        information = ctypes.create_string_buffer(88)
        _ptrace(_GET_SYSCALL_INFO, pid, 88, ctypes.addressof(information))
        if information.raw[0] == _ENTRY:
            number, *arguments = struct.unpack_from("7Q", information.raw, 24)
            name = _CHANGING.get(number, "")
            flags = {"open": arguments[1], "openat": arguments[2]}
            if name == "sendto" and not _changes_addresses(pid, arguments[1]):
                name = ""
            if name and flags.get(name, _WRITING_FLAGS) & _WRITING_FLAGS:
                self._inside[pid] = name
                if self._torn and name == "write" and len(self._calls) + 1 == self._number:
                    _halve(pid, arguments[0], arguments[2])
            return False
        name = self._inside.pop(pid, "")
        if information.raw[0] != _EXIT or not name or struct.unpack_from("q", information.raw, 24)[0] < 0:
            return False
        self._calls.append(name)
        return len(self._calls) == self._number

    def _kill(self) -> None:
        for pid in self._tracees:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        while self._tracees:
            pid, how = os.waitpid(-1, _WALL)
            if os.WIFEXITED(how) or os.WIFSIGNALED(how):
                self._tracees.discard(pid)


def _changes_addresses(pid: int, message: int) -> bool:
    """Whether it is an RTM_NEWADDR or RTM_DELADDR, rtnetlink(7)."""
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        memory.seek(message)
        return int.from_bytes(memory.read(6)[4:], sys.byteorder) in (20, 21)


def _halve(pid: int, descriptor: int, length: int) -> None:
    # the kernel takes a sysctl whole
    if not os.readlink(f"/proc/{pid}/fd/{descriptor}").startswith("/proc/"):
        _ptrace(_POKEUSER, pid, _LENGTH_REGISTER, length // 2)


def _ptrace(request: int, pid: int, address: int, data: int) -> None:
    pointer = ctypes.c_void_p
    if _LIBC.ptrace(ctypes.c_long(request), ctypes.c_long(pid), pointer(address), pointer(data)) < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"ptrace({request:#x}): {os.strerror(number)}")


_LIBC = ctypes.CDLL(None, use_errno=True)
_LIBC.ptrace.restype = ctypes.c_long


def _live(namespace_path: str, function: Callable[[], object]) -> None:
    """The life of the child, which never returns to the test that it is a copy of."""
    status = 1
    try:
        descriptor = os.open(namespace_path, os.O_RDONLY)
        if _LIBC.setns(descriptor, _CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "setns")
        os.close(descriptor)
        function()
        status = 0
    except BaseException:
        os.write(2, traceback.format_exc().encode())
    finally:
        os._exit(status)
