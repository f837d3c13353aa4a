# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A process that listens for failed connections while the rest of the facts is gathered, and cleans up after itself.

The kernel removes no trace instance whose maker is gone. So a process of its own makes it: it notices within a moment
when its parent is killed, removes the instance and ends. It has left the session of its parent, so that what is sent to
the whole group does not reach it.
"""

import json
import os
import select
import signal
import time
from contextlib import suppress
from functools import partial
from types import TracebackType
from typing import Any, Callable, Dict, List, Optional, Type

from ._connect_failures import CONDITION, EVENT, FIELDS, Failures
from ._kernel import trace_records, tracefs
from ._kernel.errors import KernelReadError
from ._kernel.running import RunningKernel

WHAT = "connect_failures"

_ROUND_SECONDS = 0.05
#: to make an instance, and to remove it, on a machine with many CPUs
_SPARE_SECONDS = 30.0


class Listening:
    """Listens from the beginning of the ``with`` on, for so many seconds; ``facts`` waits for the end of that."""

    def __init__(self, kernel: RunningKernel, seconds: int, top: int) -> None:
        self._kernel = kernel
        self._seconds = seconds
        self._top = top

    def __enter__(self) -> "Listening":
        self._child = _Child(partial(_listen, self._kernel, self._seconds, self._top))
        return self

    def facts(self) -> Dict[str, Any]:
        """What was heard.

        :raises KernelReadError: when nothing could be listened to.
        """
        return self._child.answer(self._seconds + _SPARE_SECONDS)

    def __exit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        if self._child.end():
            return
        # it was killed, and could not remove its instance
        sweeper = _Child(partial(_sweep, self._kernel))
        try:
            with suppress(KernelReadError):  # the next run sweeps as well
                sweeper.answer(_SPARE_SECONDS)
        finally:
            sweeper.end()


def _listen(kernel: RunningKernel, seconds: int, top: int, goes_on: Callable[[], bool]) -> Dict[str, Any]:
    tracefs.reach()
    tracefs.sweep(kernel)
    what = "%s/events/%s" % (tracefs.ROOT, EVENT)
    event = trace_records.parse_event(what, kernel.read_text(what + "/format"), FIELDS)
    what = tracefs.ROOT + "/events/header_page"
    layout = trace_records.parse_page_layout(what, kernel.read_text(what))
    failures = Failures(event)

    def count() -> None:
        for page in instance.pages():
            for record in trace_records.records(page, layout):
                failures.add(record)

    with tracefs.Instance(kernel, EVENT) as instance:
        started = time.monotonic()
        instance.listen(CONDITION)
        while goes_on() and time.monotonic() < started + seconds:
            time.sleep(_ROUND_SECONDS)
            count()
        instance.stop()
        heard = time.monotonic() - started
        count()
        return failures.describe(heard, instance.lost(), top)


def _sweep(kernel: RunningKernel, _goes_on: Callable[[], bool]) -> Dict[str, Any]:
    tracefs.reach()
    tracefs.sweep(kernel)
    return {}


class _Child:
    """A process that calls a function and answers once; unlike ``inside.call_inside`` it outlives its parent's end.

    The function is given another one, which tells whether to go on.
    """

    def __init__(self, function: Callable[[Callable[[], bool]], Dict[str, Any]]) -> None:
        parent = os.getpid()
        self._reader, writer = os.pipe()
        self._pid = os.fork()
        if not self._pid:
            os.close(self._reader)
            _live(parent, writer, function)
        os.close(writer)

    def answer(self, timeout_seconds: float) -> Dict[str, Any]:
        """What the function returned.

        :raises KernelReadError: what it raised, or that it did not answer.
        """
        if not select.select([self._reader], [], [], timeout_seconds)[0]:
            raise KernelReadError(WHAT, "no answer within %d s" % timeout_seconds)
        with os.fdopen(os.dup(self._reader), "rb") as stream:
            text = stream.read().decode("utf-8")
        try:
            facts, complaint = json.loads(text)
        except ValueError:
            raise KernelReadError(WHAT, "the process that listened died before it answered") from None
        if complaint:
            raise KernelReadError(WHAT, complaint)
        answer: Dict[str, Any] = facts
        return answer

    def end(self) -> bool:
        """Let it clean up, and see it go. Whether it went by itself: it is killed when it does not within a while."""
        os.close(self._reader)
        os.kill(self._pid, signal.SIGTERM)
        deadline = time.monotonic() + _SPARE_SECONDS
        while time.monotonic() < deadline:
            pid, status = os.waitpid(self._pid, os.WNOHANG)
            if pid:
                return os.WIFEXITED(status)
            time.sleep(_ROUND_SECONDS / 10)
        os.kill(self._pid, signal.SIGKILL)
        os.waitpid(self._pid, 0)
        return False


def _live(parent: int, writer: int, function: Callable[[Callable[[], bool]], Dict[str, Any]]) -> None:
    """The child's life. It ends here, without the clean-up of the process that it is a copy of."""
    asked_to_end = []
    try:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, lambda _number, _frame: asked_to_end.append(True))
        os.setsid()
        _let_go_of_standard_streams()
        try:
            answer: List[Any] = [function(lambda: not asked_to_end and os.getppid() == parent), None]
        except KernelReadError as refusal:
            answer = [None, str(refusal)]
        with suppress(OSError), os.fdopen(writer, "wb") as stream:  # nobody may be there to read it
            stream.write(json.dumps(answer).encode("utf-8"))
    finally:
        os._exit(0)


def _let_go_of_standard_streams() -> None:
    """Whoever reads the module's output waits for the last process that holds it."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nothing, descriptor)
