# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Counts of a load, and what it says about itself while it runs."""

import collections
import json
import os
import threading
import time

MOST_SENTENCES = 40


class Tally:
    """Filled by many threads. A request is begun, and then it is answered or it has failed in some way."""

    def __init__(self):
        self._lock = threading.Lock()
        self._services = collections.defaultdict(collections.Counter)
        self._answered = collections.Counter()
        self._sentences = []

    def begun(self, target):
        """A request more."""
        with self._lock:
            self._services[target.service]["requests"] += 1

    def answered(self, target, waited):
        """It has what it asked for. ``waited``: the server did not react to the first packet of the connection."""
        with self._lock:
            self._services[target.service]["answered"] += 1
            self._services[target.service]["waited"] += waited
            self._answered[key(target)] += 1

    def failed(self, target, question, kind, error):
        """It has not. ``kind``: one word."""
        place = "%s %s %s:%d %s%s" % (
            target.host, target.service, question.address, question.port, question.name, question.path,
        )  # fmt: skip
        with self._lock:
            self._services[target.service][kind] += 1
            self._sentences.append("%.3f %s: %s: %s" % (time.time(), place, kind, error))

    def as_report(self):
        """For people, and for who waits until a port is used."""
        with self._lock:
            return {
                "services": {name: dict(counts) for name, counts in sorted(self._services.items())},
                "answered": dict(self._answered),
                "sentences": self._sentences[:MOST_SENTENCES],
            }


def key(target):
    """Name of a target in a report."""
    return "%s %s %d%s" % (target.host, target.service, target.port, " slow" if target.slow else "")


def write_whole(path, data):
    """So that a reader never sees half of it."""
    temporary = path + ".new"
    with open(temporary, "w", encoding="utf-8") as file:
        json.dump(data, file)
    os.replace(temporary, path)
