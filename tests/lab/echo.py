# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A server that answers on many ports, and a client that goes on talking to it while something is changed.

usage: echo serve PORT... | talk ADDRESS PORT | reach [[ADDRESS,PORT,SOURCE],...]
"""

from __future__ import annotations

import concurrent.futures
import json
import selectors
import socket
import sys
import threading
import time

_LASTING = 5
_TIMEOUT = 10


def serve(ports: list[int]) -> None:
    """Sends back what it gets, to both families, until it is killed. A line goes out once all ports are open."""
    waiting = selectors.DefaultSelector()
    for port in ports:
        heard = socket.create_server(("", port), family=socket.AF_INET6, dualstack_ipv6=True, backlog=1024)
        waiting.register(heard, selectors.EVENT_READ, True)
    print("ready", flush=True)
    while True:
        for key, _events in waiting.select():
            ready = key.fileobj
            assert isinstance(ready, socket.socket)
            if key.data:
                waiting.register(ready.accept()[0], selectors.EVENT_READ, False)
                continue
            try:
                data = ready.recv(4096)
                ready.sendall(data)
            except OSError:
                data = b""
            if not data:
                waiting.unregister(ready)
                ready.close()


def reach(address: str, port: int, source: str = "", timeout: float = 1) -> str:
    """``open``, or why not."""
    try:
        with socket.create_connection((address, port), timeout, (source, 0) if source else None) as connection:
            connection.sendall(b"?")
            return "open" if connection.recv(1) == b"?" else "closed"
    except OSError as error:
        return error.strerror or "timed out"


def talk(address: str, port: int) -> dict[str, object]:
    """New connections one after the other, and some that last, until its input ends; what came of them."""
    ended = threading.Event()

    def wait() -> None:
        sys.stdin.read()
        ended.set()

    threading.Thread(target=wait, daemon=True).start()
    lasting = [socket.create_connection((address, port), _TIMEOUT) for _number in range(_LASTING)]
    print("ready", flush=True)
    made, refused, lost = 0, [], []
    while not ended.is_set() and made < 200_000:
        said = reach(address, port, timeout=_TIMEOUT)
        made += 1
        time.sleep(0.002)  # leaves others some of the machine
        if said != "open":
            refused.append(said)
        if made % 20 == 0:
            for connection in lasting:
                try:
                    connection.sendall(b"!")
                    if connection.recv(1) != b"!":
                        lost.append("closed")
                except OSError as error:
                    lost.append(str(error))
    return {"made": made, "refused": refused, "lost": lost}


def main() -> None:
    if sys.argv[1] == "serve":
        serve([int(port) for port in sys.argv[2:]])
    elif sys.argv[1] == "talk":
        print(json.dumps(talk(sys.argv[2], int(sys.argv[3]))))
    else:
        wanted = json.loads(sys.argv[2])
        with concurrent.futures.ThreadPoolExecutor(len(wanted)) as pool:
            print(json.dumps(list(pool.map(lambda one: reach(*one), wanted))))


if __name__ == "__main__":
    main()
