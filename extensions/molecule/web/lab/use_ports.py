# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tell the load what to ask from now on, and wait until it does so: new targets answer, others are left.

usage: use_ports.py TARGETS REPORT < NEW_TARGETS

Prints how many targets there are. Fails when one of them has not answered for a minute.
"""

import json
import sys
import time

from tally import key, write_whole
from targets import expand

ANSWERS = 3
SECONDS = 60


def read(path):
    """A report; an empty one before the first."""
    try:
        with open(path, encoding="utf-8") as file:
            return json.load(file)
    except FileNotFoundError:
        return {"asked": [], "answered": {}}


def missing(report, before, wanted):
    """What is not yet as it should be."""
    for name in set(report["asked"]) ^ wanted:
        yield "%s is %s" % (name, "still asked" if name in report["asked"] else "not asked")
    for name in wanted:
        count = report["answered"].get(name, 0) - before["answered"].get(name, 0)
        # A slow one takes seconds for each.
        if count < (1 if name.endswith("slow") else ANSWERS):
            yield "%s has answered %d times" % (name, count)


def main():
    """Switch, and wait."""
    targets_path, report_path = sys.argv[1:]
    described = json.load(sys.stdin)
    wanted = {key(target) for target in expand(described)}
    before = read(report_path)
    write_whole(targets_path, described)
    deadline = time.monotonic() + SECONDS
    while True:
        report = read(report_path)
        left = sorted(missing(report, before, wanted))
        if not left:
            print("%d targets" % len(wanted))
            return
        if time.monotonic() > deadline:
            sys.exit("\n".join(left + report.get("sentences", [])))
        time.sleep(0.2)


if __name__ == "__main__":
    main()
