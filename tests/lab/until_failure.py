# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A client that connects to each port of a server in turn, until the kernel has no port for it any more.

usage: until_failure.py CLOSER MOST ADDRESS PORT...

CLOSER: client, which closes first and so gets TIME-WAIT; server, whose end the client then keeps half closed; both: the
server first and the client at once. MOST: connections after which it gives up. Prints their number and the error.
"""

from __future__ import annotations

import errno
import resource
import socket
import sys

_REQUEST = "GET / HTTP/1.1\r\nHost: lab\r\nConnection: %s\r\n\r\n"
_SECONDS = 20


def answered(connection: socket.socket, connection_header: str) -> None:
    """A whole answer, and to the end of the connection where the server closes it."""
    connection.sendall((_REQUEST % connection_header).encode())
    data = connection.recv(65536)
    assert data.startswith(b"HTTP/1.1 200 "), data
    while connection_header == "close" and connection.recv(65536):
        pass


def connect(place: tuple[str, int], closer: str) -> socket.socket | None:
    """One connection; the socket where it is to be kept."""
    connection = socket.create_connection(place, _SECONDS)
    answered(connection, "keep-alive" if closer == "client" else "close")
    if closer == "server":
        return connection
    connection.close()
    return None


def main() -> None:
    closer, most, address, ports = sys.argv[1], int(sys.argv[2]), sys.argv[3], list(map(int, sys.argv[4:]))
    limit = min(most + 100, resource.getrlimit(resource.RLIMIT_NOFILE)[1])
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    kept = []
    for number in range(most):
        try:
            kept.append(connect((address, ports[number % len(ports)]), closer))
        except OSError as error:
            print(number, errno.errorcode.get(error.errno or 0, str(error)))
            return
    print(most, "none")


if __name__ == "__main__":
    main()
