# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One call that goes on beside the rest of the work."""

import threading


class Aside(object):
    """Starts ``function()`` in a thread of its own: worth it where the function waits inside one system call.

    Where no thread can be had, the function runs when its result is asked for.
    """

    def __init__(self, function):
        self._function = function
        self._result = None
        self._error = None
        self._thread = threading.Thread(target=self._run)
        self._thread.daemon = True
        try:
            self._thread.start()
        except RuntimeError:
            self._thread = None

    def _run(self):
        try:
            self._result = self._function()
        except Exception as error:  # whatever it is, it belongs to whoever asks for the result
            self._error = error

    def result(self):
        """What the function returned; raises what it raised."""
        if self._thread is None:
            self._run()
        else:
            self._thread.join()
        if self._error is not None:
            raise self._error
        return self._result
