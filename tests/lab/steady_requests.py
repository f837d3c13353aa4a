# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests over HTTP at a steady rate, each on a connection of its own that the client closes first.

usage: python3 -m tests.lab.steady_requests REQUESTS_PER_SECOND [ADDRESS:]PORT...

They are asked in turn until standard input ends. A port without an address is of loopback.

Prints {"answered": number, "failed": [reasons]}. One that fails is not sent again.
"""

from __future__ import annotations

import http.client
import json
import select
import socket
import sys
import time

_MOST_SECONDS = 120
_SECONDS = 10


def ask(place: tuple[str, int]) -> None:
    """One request, answered with 200, and to the end of the connection.

    :raises OSError: when there is none.
    """
    connection = http.client.HTTPConnection(*place, timeout=_SECONDS)
    try:
        connection.request("GET", "/")
        response = connection.getresponse()
        response.read()
        if response.status != http.client.OK:
            raise OSError(f"status {response.status}")
        # a worker that is about to end closes first, and says so
        if connection.sock:
            connection.sock.shutdown(socket.SHUT_WR)
            while connection.sock.recv(4096):
                pass
    finally:
        connection.close()


def parse(word: str) -> tuple[str, int]:
    address, _colon, port = word.rpartition(":")
    return address or "127.0.0.1", int(port)


def main() -> None:
    rate, places = float(sys.argv[1]), list(map(parse, sys.argv[2:]))
    answered, failed = 0, []
    began = due = time.monotonic()
    while time.monotonic() < began + _MOST_SECONDS:
        ready, _writable, _exceptional = select.select([sys.stdin], [], [], max(0.0, due - time.monotonic()))
        if ready:
            break
        due += 1 / rate
        try:
            ask(places[answered % len(places)])
            answered += 1
        except (OSError, http.client.HTTPException) as error:
            failed.append(repr(error))
    print(json.dumps({"answered": answered, "failed": failed[:20]}))


if __name__ == "__main__":
    main()
