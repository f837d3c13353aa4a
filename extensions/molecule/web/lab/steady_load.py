# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ask every target of a file again and again, at a steady rate, until SIGTERM; report all the while.

usage: steady_load.py TARGETS TRUSTED REPORT

TARGETS is read again whenever it is another file: what is new is asked from then on,
what is gone is not asked any more. TRUSTED has the certificates. REPORT is JSON, put
in place every half second. A request that fails is not sent again.
"""

import itertools
import json
import os
import random
import signal
import ssl
import sys
import threading
import time

import kernel_counters
from ask import ask, kind_of
from tally import Tally, key, write_whole
from targets import expand

PERIOD_SECONDS = 0.25
REPORT_SECONDS = 0.5
MOST_SECONDS = 1200


class Client(threading.Thread):
    """Asks one target."""

    def __init__(self, target, trusted, tally):
        super().__init__(daemon=True)
        self.target = target
        self.stop = threading.Event()
        self._trusted = trusted
        self._tally = tally

    def run(self):
        # Not all at once, and not the ports of a service in step.
        due = time.monotonic() + random.uniform(0, PERIOD_SECONDS)  # noqa: S311  # no secret
        for question in itertools.cycle(self.target.questions):
            if self.stop.wait(max(0, due - time.monotonic())):
                return
            self._tally.begun(self.target)
            try:
                waited = ask(question, self._trusted)
            except Exception as error:  # whatever it is, it is a request that failed
                self._tally.failed(self.target, question, kind_of(error), error)
            else:
                self._tally.answered(self.target, waited)
            due = max(due + PERIOD_SECONDS, time.monotonic())


class Load:
    """The clients that there are, and the targets that there should be."""

    def __init__(self, targets_path, trusted_path):
        self.tally = Tally()
        self._path = targets_path
        self._seen = None
        self._clients = {}
        self._trusted = ssl.create_default_context(cafile=trusted_path)

    def follow(self):
        """Begin and end as the file says, if it is another one."""
        found = os.path.exists(self._path) and os.stat(self._path)
        if found and found.st_ino != self._seen:
            self._seen = found.st_ino
            with open(self._path, encoding="utf-8") as file:
                wanted = {key(target): target for target in expand(json.load(file))}
            self._change(wanted)
        self._clients = {name: client for name, client in self._clients.items() if client.is_alive()}

    def _change(self, wanted):
        for name, client in self._clients.items():
            if name not in wanted:
                client.stop.set()
        for name, target in wanted.items():
            if name not in self._clients:
                self._clients[name] = Client(target, self._trusted, self.tally)
                self._clients[name].start()

    def end(self):
        """Let every request that has begun come to its end."""
        self._change({})
        for client in self._clients.values():
            client.join()

    def asked(self):
        """Names of the targets that are asked now."""
        return sorted(self._clients)


def main():
    """Run until asked to stop, or for as long as the scenario can last."""
    targets_path, trusted_path, report_path = sys.argv[1:]
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda _number, _frame: stop.set())
    began, before = time.monotonic(), kernel_counters.read()
    load = Load(targets_path, trusted_path)

    def report():
        write_whole(report_path, dict(
            load.tally.as_report(), asked=load.asked(), kernel=kernel_counters.since(before),
            seconds=round(time.monotonic() - began), asked_to_stop=stop.is_set(),
        ))  # fmt: skip

    while time.monotonic() < began + MOST_SECONDS:
        load.follow()
        report()
        if stop.wait(REPORT_SECONDS):
            break
    load.end()
    report()


if __name__ == "__main__":
    main()
