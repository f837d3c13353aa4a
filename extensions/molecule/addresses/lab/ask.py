# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One request on a connection of its own, which this side closes first: so does a proxy in between, then."""

import socket

SECONDS = 10
REQUEST = b"GET / HTTP/1.1\r\nHost: app.lab\r\n\r\n"
ANSWER = b"HTTP/1.1 200 "


def ask(place):
    """Have it answered, to the end of the connection.

    :param place: address and port.
    :raises OSError: with the reason when it is not.
    """
    with socket.create_connection(place, SECONDS) as connection:
        connection.sendall(REQUEST)
        # headers and body are as short as one segment
        answer = connection.recv(65536)
        if not answer.startswith(ANSWER):
            raise OSError("answered %r" % answer[:60])
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(65536):
            pass
