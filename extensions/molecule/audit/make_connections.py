# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Make a known number of connections to port 80 of a host, and end.

usage: make_connections.py ADDRESS CLIENT_CLOSES SERVER_CLOSES
"""

import socket
import sys

# Outside of every port range of the scenario: what the server keeps in TIME-WAIT
# must not meet a port that the kernel chooses here.
FIRST_OWN_PORT = 20001

REQUEST = b"GET / HTTP/1.1\r\nHost: lab\r\nConnection: %s\r\n\r\n"


def closed_by_client(address):
    """Ask to keep the connection, and close it after the answer."""
    with socket.create_connection((address, 80), timeout=10) as connection:
        connection.sendall(REQUEST % b"keep-alive")
        answer = b""
        while not answer.endswith(b"ok\n"):
            answer += connection.recv(4096)


def closed_by_server(address, port):
    """Ask to close, and wait until the server has done so."""
    with socket.create_connection((address, 80), timeout=10, source_address=("", port)) as connection:
        connection.sendall(REQUEST % b"close")
        while connection.recv(4096):
            pass


def main():
    """Both kinds, one after the other."""
    address, client_closes, server_closes = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    for _number in range(client_closes):
        closed_by_client(address)
    for number in range(server_closes):
        closed_by_server(address, FIRST_OWN_PORT + number)


if __name__ == "__main__":
    main()
