# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Keep some connections to an echo server, open new ones now and then, and report on SIGTERM.

usage: live_traffic.py ADDRESS PORT REPORT

The report is JSON: connections kept, lines that came back over them, connections
opened besides, and a sentence for each that was lost or could not be opened. A
connection that was lost is not opened again.
"""

import json
import signal
import socket
import sys
import threading
import time

KEPT = 5
# Two new connections a second: far too few to fill a pool, and each stays in TIME-WAIT.
PAUSE_SECONDS = 0.5
ANSWER_SECONDS = 10
MOST_ROUNDS = 2400


def exchange(connection):
    """One line there and back."""
    connection.sendall(b"still there?\n")
    answer = b""
    while not answer.endswith(b"\n"):
        part = connection.recv(100)
        if not part:
            raise ConnectionError("the other side has closed it")
        answer += part


def ask(connection, what, troubles):
    """Whether the line came back; else there is a sentence more in ``troubles``."""
    try:
        exchange(connection)
    except OSError as error:
        troubles.append("%s: %s" % (what, error))
        return False
    return True


def main():
    """Run until asked to stop, or for as many rounds as the scenario can last."""
    address, port, path = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda _number, _frame: stop.set())
    kept = [socket.create_connection((address, port), timeout=ANSWER_SECONDS) for _number in range(KEPT)]
    report = {"kept": KEPT, "lost": [], "answered": 0, "opened": 0, "refused": [], "rounds": 0}
    while not stop.wait(PAUSE_SECONDS) and report["rounds"] < MOST_ROUNDS:
        report["rounds"] += 1
        when = time.strftime("%H:%M:%S")
        for connection in list(kept):
            if ask(connection, "%s, port %d" % (when, connection.getsockname()[1]), report["lost"]):
                report["answered"] += 1
            else:
                kept.remove(connection)
        try:
            with socket.create_connection((address, port), timeout=ANSWER_SECONDS) as connection:
                if ask(connection, when, report["refused"]):
                    report["opened"] += 1
        except OSError as error:
            report["refused"].append("%s: %s" % (when, error))
    report["asked_to_stop"] = stop.is_set()
    with open(path, "w", encoding="utf-8") as file:
        json.dump(report, file)


if __name__ == "__main__":
    main()
