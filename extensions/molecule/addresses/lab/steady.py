# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ask all of some places at a steady rate, until SIGTERM but for ten seconds at least, and then report. A request that
fails is not sent again.

usage: steady.py REPORT REQUESTS_PER_SECOND ADDRESS:PORT...

REPORT is JSON: for each place {"answered": number, "failed": [time and reason]}.
"""

import json
import os
import signal
import sys
import threading
import time

from ask import ask

LEAST_SECONDS = 10
MOST_SECONDS = 300


class Client(threading.Thread):
    """Asks one place."""

    def __init__(self, place, rate, ending):
        super().__init__()
        self.place = place
        self.answered = 0
        self.failed = []
        self._address, _colon, port = place.rpartition(":")
        self._port = int(port)
        self._rate = rate
        self._ending = ending

    def run(self):
        began = due = time.monotonic()
        while due < began + LEAST_SECONDS or (not self._ending.is_set() and due < began + MOST_SECONDS):
            time.sleep(max(0, due - time.monotonic()))
            due += 1 / self._rate
            try:
                ask((self._address, self._port))
                self.answered += 1
            except OSError as error:
                self.failed.append("%s %r" % (time.strftime("%H:%M:%S"), error))


def main():
    """Ask, and report."""
    report, rate, places = sys.argv[1], float(sys.argv[2]), sys.argv[3:]
    ending = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_arguments: ending.set())
    clients = [Client(place, rate, ending) for place in places]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    found = {client.place: {"answered": client.answered, "failed": client.failed} for client in clients}
    with open(report + ".new", "w", encoding="utf-8") as file:
        json.dump(found, file)
    os.replace(report + ".new", report)


if __name__ == "__main__":
    main()
