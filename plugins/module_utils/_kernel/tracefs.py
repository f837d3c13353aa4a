# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A private instance of the kernel's event tracing: buffers of its own, gone when it is closed.

The kernel lets every directory below ``instances`` have its own events, filters and buffers
(Documentation/trace/ftrace.rst). The settings of the machine's own tracing, and those of other instances, are not
touched.
"""

import ctypes
import errno
import os
import re
import time
from types import TracebackType
from typing import Iterator, List, Optional, Type

from . import trace_records
from .errors import KernelReadError
from .running import RunningKernel

ROOT = "/sys/kernel/tracing"

_INSTANCES = ROOT + "/instances"
_NAME = re.compile(r"timewait-(\d+)-(\d+)$")
_CLONE_NEWNS = 0x00020000
_MS_NOSUID, _MS_NODEV, _MS_NOEXEC, _MS_REC, _MS_PRIVATE = 0x2, 0x4, 0x8, 0x4000, 0x40000
#: for each CPU. An event of some 80 bytes: 1600 of them wait for the reader
_BUFFER_KIB = 128
#: more than a page of the buffer on any machine: a read gives one page at most
_PAGE_BYTES = 1 << 18
_PAGES_A_ROUND = 2 * _BUFFER_KIB * 1024 // 4096
_REMOVE_TRIES = 40
_REMOVE_SECONDS = 0.05


def reach() -> None:
    """See to it that the calling process has tracefs at ``ROOT``.

    Where it is not mounted, it is mounted for this process alone: in a mount namespace of its own, out of which no
    mount reaches the host. So this is for a process that ends soon.

    :raises KernelReadError: when there is no tracefs, or it may not be used.
    """
    if os.path.isdir(_INSTANCES):
        return
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(_CLONE_NEWNS):
        raise _refused(ROOT, ctypes.get_errno())
    if libc.mount(b"none", b"/", None, ctypes.c_ulong(_MS_REC | _MS_PRIVATE), None):
        raise _refused("/", ctypes.get_errno())
    flags = ctypes.c_ulong(_MS_NOSUID | _MS_NODEV | _MS_NOEXEC)
    if libc.mount(b"tracefs", ROOT.encode("ascii"), b"tracefs", flags, None):
        raise _refused(ROOT, ctypes.get_errno())
    if not os.path.isdir(_INSTANCES):
        raise KernelReadError(ROOT, "tracing is barred, by the kernel's lockdown for example")


def sweep(kernel: RunningKernel) -> None:
    """Remove the instances of processes that are gone: killed before they could do it."""
    for name in kernel.list_names(_INSTANCES):
        match = _NAME.match(name)
        if match and _start_of(kernel, match.group(1)) != match.group(2):
            try:
                os.rmdir("%s/%s" % (_INSTANCES, name))
            except OSError as error:
                # busy: its process is alive in a namespace in which its number means nothing here. Or it has just gone
                if error.errno not in (errno.EBUSY, errno.ENOENT):
                    raise _refused("%s/%s" % (_INSTANCES, name), error.errno) from None


def _start_of(kernel: RunningKernel, pid: str) -> str:
    """When a process started, in ticks since boot (field 22 of proc_pid_stat(5)); empty when there is none."""
    try:
        return kernel.read_text("/proc/%s/stat" % pid).rpartition(")")[2].split()[19]
    except (KernelReadError, IndexError):
        return ""


class Instance:
    """An instance that listens to one event. Use it in a ``with``; its name tells the process that it belongs to."""

    def __init__(self, kernel: RunningKernel, event: str) -> None:
        """:param event: as a path below ``events``, ``sock/inet_sock_set_state`` for example."""
        pid = os.getpid()
        self._kernel = kernel
        self._path = "%s/timewait-%d-%s" % (_INSTANCES, pid, _start_of(kernel, str(pid)))
        self._event = "%s/events/%s" % (self._path, event)
        self._buffers: List[int] = []

    def __enter__(self) -> "Instance":
        try:
            os.mkdir(self._path)
        except OSError as error:
            raise _refused(self._path, error.errno) from None
        return self

    def listen(self, condition: str) -> None:
        """Record the event from now on, where the condition holds.

        :param condition: in the language of the kernel's event filters.
        """
        self._write(self._path + "/buffer_size_kb", str(_BUFFER_KIB))
        self._write(self._event + "/filter", condition)
        for cpu in _online(self._kernel):
            path = "%s/per_cpu/cpu%d/trace_pipe_raw" % (self._path, cpu)
            try:
                self._buffers.append(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC))
            except OSError as error:
                raise _refused(path, error.errno) from None
        self._write(self._path + "/tracing_on", "1")
        self._write(self._event + "/enable", "1")

    def stop(self) -> None:
        """Record nothing more. What was recorded can still be read."""
        self._write(self._event + "/enable", "0")

    def pages(self) -> Iterator[bytes]:
        """What the buffers hold now. They are not followed for ever when events come faster than they are read."""
        for buffer in self._buffers:
            for _page in range(_PAGES_A_ROUND):
                try:
                    page = os.read(buffer, _PAGE_BYTES)
                except BlockingIOError:
                    break
                except OSError as error:
                    raise _refused(self._path, error.errno) from None
                if not page:
                    break
                yield page

    def lost(self) -> int:
        """Events that were not recorded, or can no longer be read, on all CPUs. Ask after the last read."""
        folder = self._path + "/per_cpu"
        return sum(
            trace_records.lost_events(self._kernel.read_text("%s/%s/stats" % (folder, cpu)))
            for cpu in self._kernel.list_names(folder)
        )

    def __exit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        while self._buffers:
            os.close(self._buffers.pop())
        for number in range(1, _REMOVE_TRIES + 1):
            try:
                os.rmdir(self._path)
                return
            except OSError as refusal:
                # somebody looks into it
                if refusal.errno != errno.EBUSY or number == _REMOVE_TRIES:
                    raise _refused(self._path, refusal.errno) from error
            time.sleep(_REMOVE_SECONDS)

    def _write(self, path: str, text: str) -> None:
        try:
            with open(path, "wb", 0) as stream:
                stream.write(text.encode("ascii"))
        except OSError as error:
            raise _refused(path, error.errno) from None


def _online(kernel: RunningKernel) -> List[int]:
    """Numbers of the CPUs that run, out of a list such as ``0-3,5``.

    The others that could be plugged in are many on some machines, and each would take a descriptor. What is recorded on
    one that comes later counts as lost.
    """
    path = "/sys/devices/system/cpu/online"
    cpus: List[int] = []
    text = kernel.read_text(path).strip()
    try:
        for item in text.split(","):
            low, _dash, high = item.partition("-")
            cpus += range(int(low), int(high or low) + 1)
    except ValueError:
        raise KernelReadError(path, "not a list of CPUs: %.60r" % text) from None
    return cpus


def _refused(path: str, number: Optional[int]) -> KernelReadError:
    if number in (errno.EPERM, errno.EACCES):
        return KernelReadError(path, "not permitted: run as root, outside of containers, without kernel lockdown")
    if number == errno.ENODEV:
        return KernelReadError(path, "this kernel has no event tracing")
    return KernelReadError(path, os.strerror(number or 0))
