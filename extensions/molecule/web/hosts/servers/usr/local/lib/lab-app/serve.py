# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Serve HTTP on every socket that systemd hands over, until asked to end, and then what has begun."""

import os
import selectors
import signal
import socket
import threading
import time

# sd_listen_fds(3)
FIRST_DESCRIPTOR = 3
REQUEST_SECONDS = 10
SLOW_SECONDS = 2
HEAD = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\nConnection: close\r\n\r\n"


def answer(connection):
    """One request."""
    with connection:
        connection.settimeout(REQUEST_SECONDS)
        request = b""
        while not request.endswith(b"\r\n\r\n"):
            part = connection.recv(4096)
            if not part:
                return
            request += part
        slow = request.split()[1] == b"/slow"
        with open("/var/www/app/slow" if slow else "/var/www/app/index.html", "rb") as file:
            body = file.read()
        connection.sendall((HEAD % len(body)).encode("ascii"))
        if slow:
            time.sleep(SLOW_SECONDS)
        connection.sendall(body)


def main():
    """Accept until SIGTERM. What is not accepted then stays with systemd, which has the sockets too."""
    ended, end = os.pipe()
    signal.signal(signal.SIGTERM, lambda _number, _frame: os.write(end, b"."))
    heard = selectors.DefaultSelector()
    heard.register(ended, selectors.EVENT_READ)
    for number in range(int(os.environ["LISTEN_FDS"])):
        server = socket.socket(fileno=FIRST_DESCRIPTOR + number)
        server.setblocking(False)
        heard.register(server, selectors.EVENT_READ)
    while True:
        for key, _events in heard.select():
            if key.fileobj == ended:
                # Threads that answer keep the process until they are done.
                return
            try:
                connection, _address = key.fileobj.accept()
            except BlockingIOError:
                continue
            connection.setblocking(True)
            threading.Thread(target=answer, args=(connection,)).start()


if __name__ == "__main__":
    main()
