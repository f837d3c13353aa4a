# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A function called in a child process: it may change namespace, hang or be killed, and the caller stays as it was."""

import ctypes
import json
import os
import select
import signal
import time
from typing import Any, Callable, List, Optional

from .errors import KernelReadError

_PR_SET_PDEATHSIG = 1


def call_in_child(what: str, prepare: Callable[[], None], function: Callable[[], Any], timeout_seconds: float) -> Any:
    """Result of ``function()``, called after ``prepare()`` in a child process that ends with it.

    The child is killed when it is late, and by the kernel when its parent dies (PR_SET_PDEATHSIG, prctl(2)). It must
    be called from the process's first thread: the signal comes when the thread ends that forked.

    :param what: for errors, what the child works on.
    :param prepare: makes the child's surroundings, or raises ``KernelReadError``.
    :param function: returns what JSON can carry, or raises ``KernelReadError``.
    :raises KernelReadError: when either of them raised it or an OSError, died, or took longer than ``timeout_seconds``.
    """
    parent = os.getpid()
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        os.close(reader)
        _live(parent, writer, prepare, function, timeout_seconds)
    os.close(writer)
    try:
        answer = _read_all(reader, timeout_seconds)
    finally:
        os.close(reader)
        os.kill(child, signal.SIGKILL)  # it has answered, or is late: either way it has nothing more to do
        os.waitpid(child, 0)
    if answer is None:
        raise KernelReadError(what, "no answer within %g s" % timeout_seconds)
    try:
        result, complaint = json.loads(answer.decode("utf-8"))
    except ValueError:
        raise KernelReadError(what, "the process that worked on it died before it answered") from None
    if complaint:
        raise KernelReadError(what, complaint)
    return result


def _live(
    parent: int, writer: int, prepare: Callable[[], None], function: Callable[[], Any], timeout_seconds: float
) -> None:
    """The child's life. It ends here, without the clean-up of the process that it is a copy of."""
    try:
        # a parent that was stopped kills nobody
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.setitimer(signal.ITIMER_REAL, timeout_seconds + 1)
        try:
            _end_with(parent)
            prepare()
            # new credentials, such as those of a user namespace, may have cleared it (commit_creds)
            _end_with(parent)
            answer = [function(), None]
        except KernelReadError as refusal:
            answer = [None, str(refusal)]
        except OSError as error:
            answer = [None, error.strerror or str(error)]
        with os.fdopen(writer, "wb") as stream:
            stream.write(json.dumps(answer).encode("utf-8"))
    finally:
        os._exit(0)


def _end_with(parent: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG)")
    if os.getppid() != parent:
        os._exit(0)  # it died before there was a signal to send


def _read_all(reader: int, timeout_seconds: float) -> Optional[bytes]:
    """Everything up to the end, or None when that does not come in time."""
    deadline = time.monotonic() + timeout_seconds
    parts: List[bytes] = []
    while True:
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([reader], [], [], left)[0]:
            return None
        part = os.read(reader, 1 << 16)
        if not part:
            return b"".join(parts)
        parts.append(part)
