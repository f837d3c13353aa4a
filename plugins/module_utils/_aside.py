# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One call that goes on beside the rest of the work."""

import threading
from typing import Callable, Generic, List, Optional, TypeVar

Result = TypeVar("Result")


class Aside(Generic[Result]):
    """Starts ``function()`` in a thread of its own: worth it where the function waits inside one system call.

    Where no thread can be had, the function runs when its result is asked for.
    """

    def __init__(self, function: Callable[[], Result]) -> None:
        self._function = function
        self._results: List[Result] = []
        self._error: Optional[Exception] = None
        self._thread: Optional[threading.Thread] = None
        thread = threading.Thread(target=self._run, daemon=True)
        try:
            thread.start()
            self._thread = thread
        except RuntimeError:
            pass  # result() will run it

    def _run(self) -> None:
        try:
            self._results.append(self._function())
        except Exception as error:  # whatever it is, it belongs to whoever asks for the result
            self._error = error

    def result(self) -> Result:
        """What the function returned; raises what it raised."""
        if self._thread is None:
            self._run()
        else:
            self._thread.join()
        if self._error is not None:
            raise self._error
        return self._results[0]
