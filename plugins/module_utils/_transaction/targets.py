# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a change can be made to. A target reads its state, brings itself into one, and compares two."""

import errno
import os
import re
import stat
from functools import partial
from typing import Any, NamedTuple, Optional, Tuple

from .._kernel.errors import KernelReadError, MissingError
from .._kernel.inside import call_inside
from .._kernel.running import RunningKernel
from . import file_state, file_write
from .errors import TransactionError, why
from .file_state import FileState

_SYSCTLS = "/proc/sys/"
#: Nothing beside the network's: no other key has to do with TIME-WAIT, and none of them is undone so safely.
_KEY = re.compile(r"net(/[A-Za-z0-9_.@:+-]+)+\Z")
_INSIDE_SECONDS = 20
_OWN_NAMESPACE = "/proc/self/ns/net"

Identity = Tuple[str, ...]
Lines = Tuple[str, str]


class FileTarget(NamedTuple):
    """``path``: with links resolved. ``folders``: those that the transaction has to make for it.

    ``whole``: owner, mode and extended attributes are part of the change, since one file takes another one's place.
    """

    path: str
    folders: Tuple[str, ...] = ()
    whole: bool = False

    @property
    def identity(self) -> Identity:
        return ("file", self.path)

    @property
    def name(self) -> str:
        return self.path

    def key(self) -> Identity:
        """The same for all names of one file, as they are now."""
        try:
            found = os.lstat(self.path)
        except OSError:
            return self.identity  # reading it tells why
        if stat.S_ISREG(found.st_mode) and found.st_nlink > 1:
            return ("inode", "%d:%d" % (found.st_dev, found.st_ino))
        return self.identity

    def read(self) -> FileState:
        return file_state.read_state(self.path)

    def put(self, found: FileState, wanted: FileState) -> None:
        file_write.put(self.path, found, wanted, self.folders, self.whole)

    def objection(self, _found: FileState, _wanted: FileState) -> Optional[str]:
        """Nobody loses anything by the move."""
        return None

    def tidy(self) -> None:
        file_write.tidy(self.path, self.read(), self.folders)

    def same(self, one: FileState, other: FileState) -> bool:
        if self.whole and file_state.metadata(one) != file_state.metadata(other):
            return False
        return file_state.same(one, other)

    def torn(self, found: FileState, one: FileState, other: FileState) -> bool:
        return file_state.torn(found, one, other)

    def restarted(self, _found: FileState, _recorded: FileState) -> bool:
        """Files stay across a restart."""
        return False

    def lines(self, state: FileState) -> Lines:
        """``(header, text)`` for a diff."""
        if state.kind == "absent":
            return "%s (absent)" % self.path, ""
        if state.kind == "link":
            return "%s (symbolic link)" % self.path, "%s\n" % os.fsdecode(state.content)
        try:
            return self.path, state.content.decode("utf-8")
        except UnicodeDecodeError:
            return self.path, "(%d bytes that are not UTF-8)\n" % len(state.content)


class RunningValue(NamedTuple):
    """``value``: white space folded, None where there is no such key or namespace.

    ``epoch``: of the running kernel and of the network namespace; with either, all running values begin anew.
    """

    value: Optional[str]
    epoch: str


class SysctlTarget(NamedTuple):
    """``key_path``: below ``/proc/sys``. ``namespace``: file of the network namespace, None for the caller's own."""

    key_path: str
    namespace: Optional[str] = None

    @property
    def identity(self) -> Identity:
        return ("sysctl", self.namespace or "", self.key_path)

    @property
    def name(self) -> str:
        # the first separator decides, sysctl(8): an interface's name may have dots
        dotted = self.key_path.translate(str.maketrans("/.", "./"))
        return "%s in network namespace %s" % (dotted, self.namespace) if self.namespace else dotted

    def key(self) -> Identity:
        """The same for all paths of one namespace, as they are now."""
        try:
            inode = RunningKernel().inode(self.namespace or _OWN_NAMESPACE)
        except KernelReadError:
            return self.identity  # a namespace that is gone
        return ("sysctl", "net:[%d]" % inode, self.key_path)

    def check(self) -> None:
        """:raises TransactionError: when the key is none that this collection may write."""
        if not _KEY.match(self.key_path) or {".", ".."} & set(self.key_path.split("/")):
            raise TransactionError("%s%s: only keys below /proc/sys/net are written" % (_SYSCTLS, self.key_path))

    def check_writable(self, value: str) -> None:
        """Whether the value could be written, as far as that shows without a write.

        :raises TransactionError: when ``/proc/sys`` is mounted read-only there, as in most containers.
        """
        try:
            flags = os.statvfs(_SYSCTLS + self.key_path).f_flag
        except OSError:
            return  # a key that only the other namespace has: writing it tells
        if flags & os.ST_RDONLY:
            problem = why(OSError(errno.EROFS, os.strerror(errno.EROFS)))
            raise TransactionError("%s cannot be set to %r: %s; nothing was changed" % (self.name, value, problem))

    def read(self) -> RunningValue:
        """:raises TransactionError: when the value cannot be read; a namespace that is gone has none."""
        kernel = RunningKernel()
        try:
            if self.namespace is None:
                return RunningValue(*_read(kernel, self.key_path))
            if not os.path.exists(self.namespace):
                return RunningValue(None, "")
            return RunningValue(*call_inside(self.namespace, partial(_read, kernel, self.key_path), _INSIDE_SECONDS))
        except KernelReadError as error:
            raise TransactionError("%s cannot be read: %s" % (self.name, error)) from None

    def put(self, _found: RunningValue, wanted: RunningValue) -> None:
        """Write the value and see whether the kernel took it.

        :raises TransactionError: when it did not.
        """
        value = wanted.value or ""
        self.check()
        try:
            if self.namespace is None:
                problem = _write_value(self.key_path, value)
            else:
                problem = call_inside(self.namespace, partial(_write_value, self.key_path, value), _INSIDE_SECONDS)
        except KernelReadError as error:
            raise TransactionError("%s cannot be written: %s" % (self.name, error)) from None
        if problem:
            raise TransactionError("%s cannot be set to %r: %s" % (self.name, value, problem))
        now = self.read()
        if now.value != value:
            raise TransactionError("%s is %r after %r was written" % (self.name, now.value, value))

    def objection(self, _found: RunningValue, _wanted: RunningValue) -> Optional[str]:
        """Nobody loses anything by the move."""
        return None

    def tidy(self) -> None:
        """A value is written at once: nothing is left over."""

    def same(self, one: RunningValue, other: RunningValue) -> bool:
        return one.value == other.value

    def torn(self, _found: RunningValue, _one: RunningValue, _other: RunningValue) -> bool:
        return False

    def restarted(self, found: RunningValue, recorded: RunningValue) -> bool:
        """Whether the running values have begun anew since."""
        return found.value is None or found.epoch != recorded.epoch

    def lines(self, state: RunningValue) -> Lines:
        """``(header, text)`` for a diff."""
        return "%s (running value)" % self.name, "" if state.value is None else "%s\n" % state.value


def folded(value: str) -> str:
    """As values are compared: the kernel shows tabs where people write spaces."""
    return " ".join(value.split())


def _read(kernel: RunningKernel, key: str) -> Tuple[Optional[str], str]:
    """``(value, epoch)`` in the namespace that the process is in."""
    boot = kernel.read_text(_SYSCTLS + "kernel/random/boot_id").strip()
    epoch = "%s net:[%d] %s" % (boot, kernel.inode(_OWN_NAMESPACE), kernel.namespace_cookie())
    try:
        return folded(kernel.read_text(_SYSCTLS + key)), epoch
    except MissingError:
        return None, epoch


def _write_value(key: str, value: str) -> Optional[str]:
    """What the kernel says against it, None when it takes the value. An empty write would be no write at all.

    Of a long list of ports the kernel takes a page at a time, and adds what comes next (``proc_do_large_bitmap``).
    """
    left = ("%s\n" % value).encode("utf-8")
    try:
        descriptor = os.open(_SYSCTLS + key, os.O_WRONLY | os.O_CLOEXEC)
        try:
            while left:
                taken = os.write(descriptor, left)
                if not taken:
                    return "the kernel takes no more than %d bytes of it" % (len(value) + 1 - len(left))
                left = left[taken:]
        finally:
            os.close(descriptor)
    except OSError as error:
        return why(error)
    return None


# FileTarget, SysctlTarget or AddressTarget, with the state of its own kind: what they share has no name in Python 3.6
Target = Any
State = Any
