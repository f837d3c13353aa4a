# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""See that the interface has its own address and one more, which no other traffic comes from and which will be there
after a boot, too. Waits for that, because whatever manages the interface takes its time.

usage: addresses.py OWN MORE FILE PLACE...

OWN: its own address; MORE: a regular expression of the other; FILE: where it is written down; PLACE: an address that
connections to which come from its own. Prints what is not as it should be, and then exits with 1.
"""

import json
import re
import subprocess
import sys
import time

SECONDS = 20


def ip(*arguments):
    """What ``ip`` prints."""
    done = subprocess.run(["ip", *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    return done.stdout.decode()


def wrong(own, more, file, places):
    """A line for each thing."""
    shown = json.loads(ip("-json", "-4", "address", "show", "dev", "eth0"))[0]["addr_info"]
    found = ["%s/%d" % (one["local"], one["prefixlen"]) for one in sorted(shown, key=lambda one: one["prefixlen"])]
    if len(found) != 2 or found[0] != own + "/24" or not re.fullmatch(more + "/32", found[1]):
        yield "addresses: %s" % " ".join(found)
    for place in places:
        got = ip("route", "get", place)
        if " src %s " % own not in got:
            yield "route to %s: %s" % (place, got.strip())
    try:
        with open(file, encoding="utf-8") as written:
            if not re.search(more + "/32", written.read()):
                yield "%s does not say it" % file
    except OSError as error:
        yield str(error)


def main():
    """Wait and tell."""
    own, more, file, *places = sys.argv[1:]
    end = time.monotonic() + SECONDS
    while True:
        lines = list(wrong(own, more, file, places))
        if not lines or time.monotonic() > end:
            print("\n".join(lines))
            return 1 if lines else 0
        time.sleep(0.5)


if __name__ == "__main__":
    sys.exit(main())
