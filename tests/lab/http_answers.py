# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a web server answers on each of its ports, so that ports can be compared."""

from __future__ import annotations

import contextlib
import re
import socket
import ssl
from collections.abc import Iterable

from ansible_collections.tcpops.timewait.plugins.module_utils._listeners.plan import Listener

_SECONDS = 10
_LOOPBACK = {"*": "127.0.0.1", "::": "::1", "localhost": "127.0.0.1"}
#: what differs from one answer to the next, or tells the port
_VOLATILE = re.compile(rb"(?im)^(?:date|last-modified|etag):.*\r\n")


def answer(listener: Listener, name: str) -> str:
    """The whole answer to one request for a host, as text, without what tells the time or the port."""
    address = _LOOPBACK.get(listener.address, listener.address)
    with contextlib.ExitStack() as stack:
        connection = stack.enter_context(socket.create_connection((address, listener.port), _SECONDS))
        if "proxy_protocol" in listener.options:
            connection.sendall(b"PROXY TCP4 192.0.2.1 192.0.2.2 1024 80\r\n")
        if "ssl" in listener.options:
            context = ssl.create_default_context()
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
            connection = stack.enter_context(context.wrap_socket(connection, server_hostname=name))
        connection.sendall(b"GET / HTTP/1.0\r\nHost: %s\r\nConnection: close\r\n\r\n" % name.encode())
        data = b""
        with contextlib.suppress(ConnectionResetError, ssl.SSLEOFError):  # a server may answer by closing
            while True:
                piece = connection.recv(65536)
                if not piece:
                    break
                data += piece
    location = re.compile(rb"(?im)^(location: *[a-z]+://[^/\r\n]*):%d(?=[/\r])" % listener.port)
    return location.sub(rb"\1", _VOLATILE.sub(b"", data)).decode("latin-1")


def by_port(listeners: Iterable[Listener], names: Iterable[str]) -> dict[int, list[list[str]]]:
    """``[address, name, answer]`` of every address that a port is listened on at, in one order."""
    answers: dict[int, list[list[str]]] = {}
    every = {(one.port, one.address): one for one in listeners}
    # one server of several at an address may have the options that say what is spoken there
    for one in listeners:
        if {"ssl", "proxy_protocol"} & set(one.options):
            every[one.port, one.address] = one
    for (port, address), one in sorted(every.items()):
        for name in names:
            answers.setdefault(port, []).append([address, name, answer(one, name)])
    return answers
