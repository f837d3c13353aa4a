# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What experiments work with inside their namespace: addresses, settings, connections, counters.

Standard library only: no ``ip``, no ``ss``, no ``nft`` is needed on the host.
"""

import errno
import fcntl
import os
import socket
import struct
import time
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Tuple

from .._kernel import addresses, counters, proc_net_tcp, tcp_states
from .._kernel.errors import KernelReadError, MissingError
from .._kernel.running import RunningKernel

#: addresses that no setting takes for loopback; 198.18.0.0/15 is for experiments (RFC 2544)
OTHER, OTHER_TOO = "198.18.0.1", "198.18.0.2"
LOOPBACK, LOOPBACK_TOO = "127.0.0.1", "127.0.0.2"

#: where servers listen: below every range that an experiment sets
FIRST_SERVER_PORT = 5001

_SIOCSIFFLAGS, _SIOCSIFADDR = 0x8914, 0x8916
_IFF_UP, _IFF_RUNNING = 0x1, 0x40
_BACKLOG = 64
#: on, linger for 0 s: close() resets the connection
RESET_ON_CLOSE = struct.pack("@ii", 1, 0)


class NotPossibleError(Exception):
    """This kernel, or this host, lacks what the experiment needs. ``shows``: what that itself shows."""

    def __init__(self, reason: str, shows: Optional[Dict[str, Any]] = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.shows = shows or {}


class Server:
    """Listens on one port at every address. Connections are ended one at a time, in an order that is certain."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._listener.bind(("0.0.0.0", port))  # of a namespace that nobody else is in
        self._listener.listen(_BACKLOG)

    def accept(self) -> socket.socket:
        return self._listener.accept()[0]

    def end_client_first(self, client: socket.socket) -> None:
        """Leaves TIME-WAIT on the client's side: the server closes once it has seen the end."""
        accepted = self.accept()
        client.close()
        accepted.recv(1)
        accepted.close()

    def end_server_first(self, client: socket.socket) -> None:
        """Leaves TIME-WAIT on the server's side."""
        self.accept().close()
        client.recv(1)
        client.close()

    def end_at_once(self, client: socket.socket) -> None:
        """Leaves nothing on either side."""
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
        client.close()
        self.accept().close()


class Filled(NamedTuple):
    """Local ports of the connections that there was room for; what refused the next one, and with which errno."""

    ports: List[int]
    refused_by: str
    errno: int


class Bench:
    """The inside of a sandbox. It may only be made in one.

    :param kernel: reads the namespace that the process is in.
    :param host: settings as they are outside, where a kernel has one for all namespaces; None: there is no such file.
    """

    def __init__(self, kernel: RunningKernel, host: Dict[str, Optional[str]]) -> None:
        self._kernel = kernel
        self.host = host
        self._servers = 0
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
            request = struct.pack("@16sH14x", b"lo", _IFF_UP | _IFF_RUNNING)
            fcntl.ioctl(control, _SIOCSIFFLAGS, request)
            # netdevice(7); the class of the address makes it a /24, all of which is local on this interface
            request = struct.pack("@16sHH4s8x", b"lo:1", socket.AF_INET, 0, socket.inet_aton(OTHER))
            fcntl.ioctl(control, _SIOCSIFADDR, request)

    # settings

    def has(self, key: str) -> bool:
        """Whether net.ipv4 has such a setting for this namespace."""
        return os.path.exists(_path(key))

    def read(self, key: str) -> str:
        return " ".join(self._kernel.read_text(_path(key)).split())

    def set(self, key: str, value: object) -> None:
        """:raises NotPossibleError: where there is no such setting for a namespace alone, or it may not be set."""
        try:
            with open(_path(key), "wb", 0) as stream:
                stream.write(("%s\n" % value).encode("ascii"))
        except OSError as error:
            raise NotPossibleError(_why_not(key, value, error)) from None

    def takes(self, key: str, value: object) -> bool:
        """Whether the kernel takes a value; it is set then."""
        self._need(key)
        try:
            with open(_path(key), "wb", 0) as stream:
                stream.write(("%s\n" % value).encode("ascii"))
        except OSError as error:
            if error.errno == errno.EINVAL:
                return False
            raise NotPossibleError(_why_not(key, value, error)) from None
        return True

    def _need(self, key: str) -> None:
        if not self.has(key):
            raise NotPossibleError(_why_not(key, "", OSError(errno.ENOENT, "")))

    def set_range(self, low: int, ports: int) -> None:
        """Sets where automatic choices come from. An even number of ports: the kernel logs a warning about others."""
        self.set("ip_local_port_range", "%d %d" % (low, low + ports - 1))

    def keep_time_wait(self) -> None:
        """Sees to it that no connection takes the place of a TIME-WAIT entry.

        :raises NotPossibleError: where the kernel has one tcp_tw_reuse for all namespaces, and it is on.
        """
        if self.has("tcp_tw_reuse"):
            self.set("tcp_tw_reuse", 0)
        elif self.host.get("tcp_tw_reuse") not in (None, "0"):
            raise NotPossibleError("this kernel has one net.ipv4.tcp_tw_reuse for all namespaces, and it is on")

    # connections

    def server(self) -> Server:
        """Listens on the next port."""
        self._servers += 1
        return Server(FIRST_SERVER_PORT + self._servers - 1)

    def connect(self, address: str, server: Server) -> socket.socket:
        """A connection from an automatic address and port."""
        client = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            client.connect((address, server.port))
        except OSError:
            client.close()
            raise
        return client

    def fill(
        self, address: str, server: Server, limit: int, prepare: Optional[Callable[[socket.socket], None]] = None
    ) -> Filled:
        """Connections that the client closes first, one after the other, until one is refused or there are enough.

        :param prepare: what is done to each socket before it connects, bind() for example.
        """
        ports: List[int] = []
        for _attempt in range(limit):
            client = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            step = "bind"
            try:
                if prepare:
                    prepare(client)
                step = "connect"
                client.connect((address, server.port))
            except OSError as error:
                client.close()
                if error.errno not in (errno.EADDRNOTAVAIL, errno.EADDRINUSE):
                    raise
                return Filled(ports, step, error.errno)
            ports.append(client.getsockname()[1])
            server.end_client_first(client)
        return Filled(ports, "", 0)

    # what is to be seen

    def counter(self, name: str) -> Optional[int]:
        """None where this kernel does not count it."""
        return counters.read_counters(self._kernel).get(name)

    def states(self) -> Dict[Tuple[int, int], int]:
        """``{(local port, remote port): TCP state}`` of everything that is no listener.

        The kernel walks a table that all namespaces share: tens of milliseconds on a large machine.
        """
        path = "/proc/net/tcp"
        found = proc_net_tcp.sockets(self._kernel.read_lines(path), addresses.AF_INET, path)
        return {
            (one.local_port, one.remote_port): one.state for one in found if one.state != tcp_states.LISTEN
        }

    def count(self, state: int) -> int:
        """Sockets in a state."""
        return sum(1 for found in self.states().values() if found == state)

    def in_use(self) -> Optional[int]:
        """Sockets that are more than an entry in TIME-WAIT. Unlike the states it costs no walk over all connections."""
        return counters.read_sockstat(self._kernel)["tcp_inuse"]

    def settle(self, wanted: Callable[[], bool], seconds: float = 0.5) -> bool:
        """Whether it comes true: the last segment of a connection may still be on its way."""
        deadline = time.monotonic() + seconds
        while not wanted():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.002)
        return True


def host_settings(kernel: RunningKernel) -> Dict[str, Optional[str]]:
    """What ``Bench`` is told of the world outside; to be called there."""
    found: Dict[str, Optional[str]] = {}
    for key in ("tcp_tw_recycle", "tcp_tw_reuse"):
        try:
            found[key] = kernel.read_text(_path(key)).strip()
        except MissingError:
            found[key] = None
        except KernelReadError as error:
            found[key] = error.reason
    return found


def _path(key: str) -> str:
    return "/proc/sys/net/ipv4/%s" % key


def _why_not(key: str, value: object, error: OSError) -> str:
    if error.errno == errno.ENOENT:
        return "a network namespace of this kernel has no net.ipv4.%s of its own" % key
    if error.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
        return "net.ipv4.%s may not be set here: %s" % (key, os.strerror(error.errno))
    return "net.ipv4.%s does not take %s: %s" % (key, value, os.strerror(error.errno or 0))
