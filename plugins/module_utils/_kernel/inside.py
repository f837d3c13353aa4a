# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Work done inside another network namespace.

setns(2) moves the calling thread, so a child process does it and the caller stays where it is: what Ansible
does next must not happen in somebody's container.
"""

import ctypes
import os
from typing import Any, Callable

from .child import call_in_child
from .errors import KernelReadError

_CLONE_NEWNET = 0x40000000


def call_inside(path: str, function: Callable[[], Any], timeout_seconds: int) -> Any:
    """Result of ``function()``, run in another network namespace.

    :param path: file of the namespace.
    :param function: takes nothing, returns what JSON can carry, or raises ``KernelReadError``.
    :raises KernelReadError: when the namespace is gone or may not be entered, when the function raised, died or
        took longer than ``timeout_seconds``.
    """
    what = "network namespace %s" % path
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError as error:
        raise KernelReadError(what, "gone, or not to be opened: %s" % error.strerror) from None

    def enter() -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.setns(descriptor, _CLONE_NEWNET):
            raise KernelReadError("setns", "entering it failed: %s" % os.strerror(ctypes.get_errno()))

    try:
        return call_in_child(what, enter, function, timeout_seconds)
    finally:
        os.close(descriptor)
