# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The process that makes connections: one JSON request a line in, one JSON answer a line out.

A socket belongs to the namespace that its maker was in, so one process holds both ends of connections between
two namespaces: it enters, makes the socket and comes back. Started by ``lab.traffic``.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import json
import os
import resource
import signal
import socket
import struct
import sys
import time
from collections.abc import Iterator
from typing import Any

_CLONE_NEWNET = 0x40000000
_LIBC = ctypes.CDLL(None, use_errno=True)
_MOST_CONNECTIONS = 70_000
_ANSWER_SECONDS = 10.0


@contextlib.contextmanager
def inside(path: str | None) -> Iterator[None]:
    """The calling thread in another network namespace for the length of the block."""
    if path is None:
        yield
        return
    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    try:
        enter(path)
        try:
            yield
        finally:
            _setns(home)
    finally:
        os.close(home)


def enter(path: str) -> None:
    """Move the calling thread into another network namespace (``os.setns`` is there from Python 3.12 only)."""
    there = os.open(path, os.O_RDONLY)
    try:
        _setns(there)
    finally:
        os.close(there)


def _setns(descriptor: int) -> None:
    if _LIBC.setns(descriptor, _CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "setns")


def family_of(address: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in address else socket.AF_INET


class Maker:
    """Each public method is a request."""

    def __init__(self) -> None:
        self._listeners: list[socket.socket] = []
        self._held: list[socket.socket] = []

    def listen(self, namespace: str, address: str, port: int, only_v6: bool = True) -> dict[str, Any]:
        with inside(namespace):
            listener = socket.socket(family_of(address), socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family_of(address) == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, int(only_v6))
        listener.bind((address, port))
        listener.listen(1024)
        listener.settimeout(_ANSWER_SECONDS)
        self._listeners.append(listener)
        return {"listener": len(self._listeners) - 1, "port": listener.getsockname()[1]}

    def stop_listening(self, listener: int) -> dict[str, Any]:
        self._listeners[listener].close()
        return {}

    def connect(
        self,
        namespace: str,
        listener: int,
        address: str,
        end: str,
        count: int = 1,
        source: str | None = None,
        source_port: int = 0,
    ) -> dict[str, Any]:
        """Connections that end as told, up to ``count`` or the first that fails.

        :param end: client, server (who closes first), held, half_closed (the client has shut down its sending
            side and keeps the socket), orphaned (it has closed the socket; the server has not answered yet).
        """
        made: list[list[Any]] = []
        server = self._listeners[listener]
        for _number in range(min(count, _MOST_CONNECTIONS)):
            with inside(namespace):
                client = socket.socket(family_of(address), socket.SOCK_STREAM)
            client.settimeout(_ANSWER_SECONDS)
            try:
                if source_port:
                    client.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                if source or source_port:
                    client.bind((source or "", source_port))
                client.connect((address, server.getsockname()[1]))
            except OSError as error:
                client.close()
                return {"made": made, "errno": error.errno}
            accepted, _peer = server.accept()
            accepted.settimeout(_ANSWER_SECONDS)
            quadruplet = [*client.getsockname()[:2], *client.getpeername()[:2]]
            self._finish(end, client, accepted)
            made.append([*quadruplet, time.time()])
        return {"made": made, "errno": 0}

    def _finish(self, end: str, client: socket.socket, accepted: socket.socket) -> None:
        if end in ("client", "server"):
            first, second = (client, accepted) if end == "client" else (accepted, client)
            first.close()
            second.recv(1)
            second.close()
        elif end == "held":
            self._held += [client, accepted]
        elif end == "half_closed":
            client.shutdown(socket.SHUT_WR)
            accepted.recv(1)
            self._held += [client, accepted]
        elif end == "orphaned":
            client.close()
            accepted.recv(1)
            self._held.append(accepted)
        else:
            raise ValueError(f"no such end: {end}")

    def syn_sent(self, namespace: str, address: str, port: int) -> dict[str, Any]:
        """A connection request that nobody answers."""
        with inside(namespace):
            client = socket.socket(family_of(address), socket.SOCK_STREAM)
        client.setblocking(False)
        answer = client.connect_ex((address, port))
        self._held.append(client)
        if answer != errno.EINPROGRESS:
            return {"made": [], "errno": answer}
        return {"made": [[*client.getsockname()[:2], address, port, time.time()]], "errno": 0}

    def syn_received(
        self, namespace: str, source: str, source_port: int, address: str, port: int
    ) -> dict[str, Any]:
        """A connection request whose sender never acknowledges: SYN from an address that nobody has."""
        addresses = socket.inet_aton(source) + socket.inet_aton(address)
        tcp = struct.pack("!HHIIBBHHH", source_port, port, 1, 0, 5 << 4, 2, 65535, 0, 0)
        checked = addresses + struct.pack("!BBH", 0, socket.IPPROTO_TCP, len(tcp)) + tcp
        tcp = tcp[:16] + struct.pack("!H", _checksum(checked)) + tcp[18:]
        header = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(tcp), 0, 0, 64, socket.IPPROTO_TCP, 0) + addresses
        with inside(namespace), socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW) as raw:
            raw.sendto(header + tcp, (address, 0))
        return {"made": [[source, source_port, address, port, time.time()]], "errno": 0}

    def bind(self, namespace: str, address: str, port: int) -> dict[str, Any]:
        """A socket that is bound to a port and does nothing else."""
        with inside(namespace):
            bound = socket.socket(family_of(address), socket.SOCK_STREAM)
        bound.bind((address, port))
        self._held.append(bound)
        return {"port": bound.getsockname()[1]}


def _checksum(data: bytes) -> int:
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def main() -> None:
    signal.alarm(int(sys.argv[1]))  # a parent that was killed without its clean-up must not leave this behind
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    maker = Maker()
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer = getattr(maker, request.pop("do"))(**request)
        except OSError as error:
            answer = {"failed": str(error)}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
