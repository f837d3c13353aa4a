# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hundreds of thousands of TIME-WAIT sockets in a namespace, before the first of them expires.

Both ends of each connection are in the namespace, and only the one that closes first is left in TIME-WAIT. Clients
bind their source port: left to itself, connect() comes back to the same ports, and on the side of the server
a new connection takes the place of the TIME-WAIT socket of its quadruplet.
"""

from __future__ import annotations

import gc
import resource
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from .maker import enter
from .namespaces import Lab, Namespace

_ROOT = Path(__file__).resolve().parents[2]
_LOWEST_PORT = 1024
_PORTS = 65536 - _LOWEST_PORT
SERVER_PORT = 80  # of the first maker, the next one has 81
#: what else listens on a machine with so many connections, two of them inside the widened range
OTHER_LISTENERS = (22, 443, 8080, 9100)
SECONDS = 55
_LIFE_SECONDS = 180
_MAKERS = 2
_LIVE_CONNECTIONS = 10
_DONE = "done\n"


class Share(NamedTuple):
    """What one process makes: ``pools`` pools of ``size`` sockets each, numbered from ``first``."""

    end: str  # outbound: the client closes first; inbound: the server; live: nobody
    first: int
    pools: int
    size: int


class Mix(NamedTuple):
    """A load: so many sockets in each direction, in pools of one pair of addresses each."""

    name: str
    outbound: int
    outbound_pools: int
    inbound: int
    inbound_pools: int
    #: connections that stay, both ends of which are here
    live: int = 0
    live_pools: int = 0

    @property
    def total(self) -> int:
        """Sockets in TIME-WAIT."""
        return self.outbound + self.inbound

    def scaled(self, part: float) -> Mix:
        """The same load with ``part`` of the sockets."""
        return self._replace(
            outbound=int(self.outbound * part), inbound=int(self.inbound * part), live=int(self.live * part)
        )

    def shares(self) -> list[list[Share]]:
        """Work for each process."""
        work: list[list[Share]] = [[] for _maker in range(_MAKERS)]
        for end, sockets, pools in (
            ("live", self.live, self.live_pools),  # first, because only TIME-WAIT expires
            ("outbound", self.outbound, self.outbound_pools),
            ("inbound", self.inbound, self.inbound_pools),
        ):
            if not sockets:
                continue
            each = pools // _MAKERS
            size = sockets // pools
            if each * _MAKERS != pools or size * pools != sockets or size > _PORTS:
                raise ValueError(f"{sockets} sockets do not go evenly into {pools} pools of at most {_PORTS}")
            for number in range(_MAKERS):
                work[number].append(Share(end, number * each, each, size))
        return work


OUTBOUND = Mix("outbound", 600_000, 24, 0, 0)
INBOUND = Mix("inbound", 0, 0, 600_000, 12)
INBOUND_MANY_CLIENTS = Mix("inbound, 300 clients", 0, 0, 600_000, 300)
HALF_AND_HALF = Mix("half and half", 300_000, 12, 300_000, 12)
#: as a proxy's: each datagram of the dump has both kinds, because the kernel's table is in no order
MANY_LIVE = Mix("beside 30 000 live", 50_000, 2, 50_000, 2, 15_000, 10)


def flood(lab: Lab, mix: Mix) -> Namespace:
    """A namespace that holds the load.

    :raises RuntimeError: when it could not be made before the first sockets expire.
    """
    namespace = lab.namespace(
        ip_local_port_range=f"{_LOWEST_PORT} 65535",
        tcp_max_tw_buckets=mix.total + 10_000,
        tcp_tw_reuse=0,
    )
    makers = []
    for number, shares in enumerate(mix.shares()):
        words = [f"{share.end}:{share.first}:{share.pools}:{share.size}" for share in shares]
        argv = [sys.executable, "-m", "tests.lab.flood", namespace.path, str(SERVER_PORT + number), *words]
        makers.append(lab.start(argv, cwd=_ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE))
    for maker in makers:
        assert maker.stdout and maker.stderr
        if maker.stdout.readline() != _DONE:
            maker.wait(timeout=SECONDS)
            raise RuntimeError(f"making {mix.name} failed: {maker.stderr.read()[-500:] or maker.returncode}")
    return namespace


def time_wait_count(namespace: Namespace) -> int:
    for line in namespace.run("cat", "/proc/net/sockstat").splitlines():
        if line.startswith("TCP:"):
            fields = line.split()
            return int(fields[fields.index("tw") + 1])
    raise RuntimeError("no TCP line in /proc/net/sockstat")


def _hold(share: Share, listener: socket.socket, port: int) -> list[socket.socket]:
    """Connections that stay: both ends of each, for the caller to keep."""
    held = []
    for pool in range(share.first, share.first + share.pools):
        # addresses of their own: what closes its connections binds ports that these would have
        target, source = (f"127.3.{pool >> 8}.{pool & 255}", port), ("127.4.0.1", 0)
        for _number in range(share.size):
            held.append(socket.create_connection(target, source_address=source))
            held.append(listener.accept()[0])
    return held


def _make(share: Share, listener: socket.socket, port: int) -> None:
    for pool in range(share.first, share.first + share.pools):
        # one end of a pool's pair of addresses differs from pool to pool: servers outbound, clients inbound
        own = f"127.2.{pool >> 8}.{pool & 255}"
        source, destination = ("127.0.0.1", own) if share.end == "outbound" else (own, "127.0.0.1")
        target = (destination, port)
        server_first = share.end == "inbound"
        for source_port in _source_ports(share.size):
            client = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            client.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            client.bind((source, source_port))
            client.connect(target)
            descriptor, _address = listener._accept()  # type: ignore[attr-defined]  # accept() makes an object of it
            if server_first:
                socket.close(descriptor)
                client.close()
            else:
                client.close()
                socket.close(descriptor)


def _source_ports(count: int) -> list[int]:
    """Ports spread over the whole range, as a busy client's are, without those that something listens on."""
    ports = [port for port in range(_LOWEST_PORT, 65536) if port not in OTHER_LISTENERS]
    return ports[:: len(ports) // count][:count]


def main() -> None:
    signal.alarm(SECONDS)
    gc.disable()
    path, port = sys.argv[1], int(sys.argv[2])
    enter(path)
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    listener = socket.create_server(("0.0.0.0", port), backlog=16, reuse_port=True)
    others = (
        [] if port != SERVER_PORT else [socket.create_server(("0.0.0.0", other)) for other in OTHER_LISTENERS]
    )
    live = []
    for word in sys.argv[3:]:
        end, first, pools, size = word.split(":")
        share = Share(end, int(first), int(pools), int(size))
        if end == "live":
            live += _hold(share, listener, port)
        else:
            _make(share, listener, port)
    live += [socket.create_connection(("127.0.0.1", port)) for _number in range(_LIVE_CONNECTIONS)]
    live += [listener.accept()[0] for _number in range(_LIVE_CONNECTIONS)]
    # Some connections are open on any machine, and what listened goes on listening meanwhile.
    signal.alarm(_LIFE_SECONDS)
    print(_DONE, end="", flush=True)
    signal.pause()
    del others, live


if __name__ == "__main__":
    main()
