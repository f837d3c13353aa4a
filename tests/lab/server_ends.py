# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Servers of HTTP that count which connections they got, and hold their answers back where that is wanted."""

from __future__ import annotations

import contextlib
import ipaddress
import selectors
import socket
import struct
import threading
from collections import Counter
from pathlib import Path
from types import TracebackType

_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n%b\r\nyes"
_LAST = b"Connection: close\r\n"


class Ends:
    """Listens on addresses, in a thread.

    ``connections``: by the address that it came from, and address and port that it went to. ``requests``: in all.

    :param hold: answer none before ``release``.
    """

    def __init__(self, ends: tuple[tuple[str, int], ...], hold: bool = False) -> None:
        self.connections: Counter[tuple[str, str, int]] = Counter()
        self.requests = 0
        self._hold = hold
        self._waiting: list[socket.socket] = []
        self._read, self._write = socket.socketpair()
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._read, selectors.EVENT_READ)
        self._listening = []
        for address, port in ends:
            listener = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((address, port))
            listener.listen(512)
            self._listening.append(listener)
            self._selector.register(listener, selectors.EVENT_READ)
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Ends:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._write.sendall(b"end")
        self._thread.join(60)
        for key in list(self._selector.get_map().values()):
            key.fileobj.close()  # type: ignore[union-attr]
        self._selector.close()
        self._write.close()

    def release(self) -> None:
        """Answer those that wait, and from now on at once."""
        self._write.sendall(b"answer")

    def _run(self) -> None:
        while True:
            for key, _events in self._selector.select():
                if key.fileobj is self._read:
                    if b"end" in self._read.recv(64):
                        return
                    self._hold = False
                    for connection in self._waiting:
                        _answer(connection, 1, True)
                elif key.fileobj in self._listening:
                    self._accept(key.fileobj)
                else:
                    self._serve(key.fileobj)  # type: ignore[arg-type]

    def _accept(self, listener: socket.socket) -> None:
        connection, peer = listener.accept()
        own = connection.getsockname()
        self.connections[peer[0], own[0], own[1]] += 1
        self._selector.register(connection, selectors.EVENT_READ)

    def _serve(self, connection: socket.socket) -> None:
        """A request is a packet here: all of them are small."""
        try:
            data = connection.recv(65536)
        except ConnectionResetError:
            data = b""
        if not data:
            self._selector.unregister(connection)
            connection.close()
            return
        count = data.count(b"\r\n\r\n")
        self.requests += count
        if self._hold:
            self._waiting += [connection] * count
        else:
            _answer(connection, count, b"connection: close" in data.lower() or b" HTTP/1.0\r\n" in data)


def _answer(connection: socket.socket, count: int, last: bool) -> None:
    with contextlib.suppress(OSError):  # the other side may be gone, or end with a reset once it has the answer
        connection.sendall(_ANSWER % (_LAST if last else b"") * count)
        if last:
            connection.shutdown(socket.SHUT_WR)


def local_connections(address: str) -> list[tuple[int, str, int]]:
    """``(local port, remote address, remote port)`` of the connections from an address of IPv4."""
    found = []
    for line in Path("/proc/self/net/tcp").read_text().splitlines()[1:]:
        words = line.split()
        (here, port), (there, remote) = (_end(word) for word in words[1:3])
        if here == address and words[3] != "0A":
            found.append((port, there, remote))
    return found


def _end(word: str) -> tuple[str, int]:
    address, port = word.split(":")
    return str(ipaddress.ip_address(struct.pack("=I", int(address, 16)))), int(port, 16)
