# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Work done inside another network namespace.

setns(2) moves the calling thread, so a child process does it and the caller stays where it is: what Ansible
does next must not happen in somebody's container.
"""

import ctypes
import json
import os
import select
import signal
import time
from typing import Any, Callable, List, Optional

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
    try:
        reader, writer = os.pipe()
        child = os.fork()
        if not child:
            os.close(reader)
            _run(descriptor, writer, function)
        os.close(writer)
    finally:
        os.close(descriptor)
    try:
        answer = _read_all(reader, timeout_seconds)
    finally:
        os.close(reader)
        os.kill(child, signal.SIGKILL)  # it has answered, or is late: either way it has nothing more to do
        os.waitpid(child, 0)
    if answer is None:
        raise KernelReadError(what, "no answer within %d s" % timeout_seconds)
    try:
        result, complaint = json.loads(answer.decode("utf-8"))
    except ValueError:
        raise KernelReadError(what, "the process that entered it died before it answered") from None
    if complaint:
        raise KernelReadError(what, complaint)
    return result


def _run(descriptor: int, writer: int, function: Callable[[], Any]) -> None:
    """The child's life. It ends here, without the clean-up of the process that it is a copy of."""
    try:
        try:
            _enter(descriptor)
            answer = [function(), None]
        except KernelReadError as refusal:
            answer = [None, str(refusal)]
        except OSError as error:
            answer = [None, "entering it failed: %s" % os.strerror(error.errno or 0)]
        with os.fdopen(writer, "wb") as stream:
            stream.write(json.dumps(answer).encode("utf-8"))
    finally:
        os._exit(0)


def _enter(descriptor: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(descriptor, _CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "setns")


def _read_all(reader: int, timeout_seconds: int) -> Optional[bytes]:
    """Everything up to the end, or None when that does not come in time."""
    deadline = time.time() + timeout_seconds
    parts: List[bytes] = []
    while True:
        left = deadline - time.time()
        if left <= 0 or not select.select([reader], [], [], left)[0]:
            return None
        part = os.read(reader, 1 << 16)
        if not part:
            return b"".join(parts)
        parts.append(part)
