# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ask a place as fast as it goes until nothing is answered any more, within the minute that TIME-WAIT lasts.

usage: fill.py ADDRESS PORT

Prints {"answered": number, "failed": number, "seconds": of all of it}. Exits with 1 when the minute is over before
nothing is answered any more.
"""

import json
import sys
import threading
import time

from ask import ask

CLIENTS = 8
#: one after the other that fail: of many addresses that are drawn by lot, the last one to have ports is hit by then
FAILURES = 400
MOST_SECONDS = 55  # after a minute, the first ones are free again


class Fill:
    """What all clients know."""

    def __init__(self, place):
        self.answered = self.failed = 0
        self._place = place
        self._running_failures = 0
        self._lock = threading.Lock()
        self._end = time.monotonic() + MOST_SECONDS

    def is_full(self):
        """Whether nothing is answered any more."""
        return self._running_failures >= FAILURES

    def run(self):
        """Be one client."""
        while not self.is_full() and time.monotonic() < self._end:
            try:
                ask(self._place)
            except OSError:
                with self._lock:
                    self.failed += 1
                    self._running_failures += 1
            else:
                with self._lock:
                    self.answered += 1
                    self._running_failures = 0


def main():
    """Fill it up."""
    began = time.monotonic()
    fill = Fill((sys.argv[1], int(sys.argv[2])))
    clients = [threading.Thread(target=fill.run) for _number in range(CLIENTS)]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    seconds = round(time.monotonic() - began, 1)
    print(json.dumps({"answered": fill.answered, "failed": fill.failed, "seconds": seconds}))
    return 0 if fill.is_full() else 1


if __name__ == "__main__":
    sys.exit(main())
