# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One request over a connection of its own."""

import http.client
import socket
import ssl
import struct

ANSWER_SECONDS = 20
# tcpi_total_retrans of struct tcp_info, include/uapi/linux/tcp.h
TOTAL_RETRANSMITTED = struct.Struct("=100xI")
REQUEST = "GET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n"
PROXY = "PROXY TCP%d %s %s 40000 %d\r\n"


class WrongAnswerError(Exception):
    """It is not what it should be."""


def ask(question, trusted):
    """Connect, ask, compare, and wait until the server has closed.

    ``trusted``: an SSLContext; the certificate has to be good for the name that is asked for.
    Returns whether the kernel had to knock more than once.
    """
    with socket.create_connection((question.address, question.port), timeout=ANSWER_SECONDS) as connection:
        waited = retransmitted(connection) > 0
        client = question.proxied or connection.getsockname()[0]
        if question.proxied:
            family = 6 if ":" in question.address else 4
            header = PROXY % (family, question.proxied, question.address, question.port)
            connection.sendall(header.encode("ascii"))
        if question.tls:
            with trusted.wrap_socket(connection, server_hostname=question.name) as secured:
                exchange(secured, question, client)
        else:
            exchange(connection, question, client)
    return waited


def retransmitted(connection):
    """Packets that were sent again; of a connection just opened, its SYN."""
    info = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, TOTAL_RETRANSMITTED.size)
    return TOTAL_RETRANSMITTED.unpack(info)[0]


def exchange(connection, question, client):
    """Request, answer, end."""
    connection.sendall((REQUEST % (question.path, question.name)).encode("ascii"))
    with http.client.HTTPResponse(connection) as response:
        response.begin()
        body = response.read().decode("utf-8", "replace")
    wanted = question.body.replace("{client}", client)
    if response.status != http.client.OK or body != wanted:
        raise WrongAnswerError("%d %r" % (response.status, body[:80]))
    if connection.recv(1):
        raise WrongAnswerError("there is more than an answer")


def kind_of(error):
    """What a failure is counted as."""
    if isinstance(error, ConnectionRefusedError):
        return "refused"
    if isinstance(error, (ConnectionResetError, BrokenPipeError)):
        return "reset"
    if isinstance(error, socket.timeout):
        return "timeout"
    if isinstance(error, WrongAnswerError):
        return "wrong"
    if isinstance(error, ssl.SSLError):
        return "tls"
    return "other"
