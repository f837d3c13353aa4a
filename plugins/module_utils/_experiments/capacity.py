# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How many connections a pool holds, and what adds to it."""

import errno
import socket
import struct
from typing import Any, Callable, Dict, Tuple

from .._kernel.probes_socket import IP_BIND_ADDRESS_NO_PORT, IP_LOCAL_PORT_RANGE
from . import bench
from .bench import Bench, Filled, NotPossibleError
from .experiment import ARTICLE, KERNEL, Experiment, Figures, Judgement, verdict_of

_LOW = 40000
_PORTS = 64
#: an attempt beyond the capacity that is predicted has to be possible, or it could not be refuted
_LIMIT = 2 * _PORTS
_OWN_PORTS = 16


def _pool(ready: Bench) -> None:
    ready.set_range(_LOW, _PORTS)
    ready.keep_time_wait()


def _no_room(filled: Filled, step: str, number: int) -> bool:
    return filled.refused_by == step and filled.errno == number


def measure_pool(ready: Bench) -> Figures:
    _pool(ready)
    filled = ready.fill(bench.OTHER, ready.server(), _LIMIT)
    return {
        "ports": _PORTS,
        "connections": len(filled.ports),
        "distinct_ports": len(set(filled.ports)),
        "connect_eaddrnotavail": _no_room(filled, "connect", errno.EADDRNOTAVAIL),
    }


def judge_pool(figures: Figures) -> Judgement:
    agrees = figures["connections"] == figures["ports"] == figures["distinct_ports"]
    told = "%d connections out of a range of %d ports, then %s" % (
        figures["connections"],
        figures["ports"],
        "EADDRNOTAVAIL from connect()" if figures["connect_eaddrnotavail"] else "no EADDRNOTAVAIL from connect()",
    )
    return Judgement(verdict_of(agrees and figures["connect_eaddrnotavail"]), told, {"port_range": True})


def measure_server_port(ready: Bench) -> Figures:
    _pool(ready)
    first = ready.fill(bench.OTHER, ready.server(), _LIMIT)
    return _two_pools(first, ready.fill(bench.OTHER, ready.server(), _LIMIT))


def measure_server_address(ready: Bench) -> Figures:
    _pool(ready)
    server = ready.server()
    first = ready.fill(bench.OTHER, server, _LIMIT)
    return _two_pools(first, ready.fill(bench.OTHER_TOO, server, _LIMIT))


def _two_pools(first: Filled, second: Filled) -> Figures:
    return {"ports": _PORTS, "connections": len(first.ports), "added": len(second.ports)}


def _judge_added(what: str, shows: Dict[str, Any]) -> Callable[[Figures], Judgement]:
    def judge(figures: Figures) -> Judgement:
        agrees = figures["connections"] == figures["added"] == figures["ports"]
        told = "%d connections, and %d more by %s, out of a range of %d ports" % (
            figures["connections"],
            figures["added"],
            what,
            figures["ports"],
        )
        return Judgement(verdict_of(agrees), told, shows)

    return judge


judge_server_port = _judge_added("a second server port", {})
judge_server_address = _judge_added("a second server address", {})
judge_client_address = _judge_added(
    "a second client address with IP_BIND_ADDRESS_NO_PORT", {"bind_address_no_port": True}
)


def measure_client_address(ready: Bench) -> Figures:
    _pool(ready)
    server = ready.server()
    first = ready.fill(bench.OTHER, server, _LIMIT)
    return _two_pools(first, ready.fill(bench.OTHER, server, _LIMIT, _bind_without_port))


def _bind_without_port(client: socket.socket) -> None:
    try:
        client.setsockopt(socket.IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1)
    except OSError as error:
        raise _unknown_option("IP_BIND_ADDRESS_NO_PORT", "bind_address_no_port", error) from None
    client.bind((bench.OTHER_TOO, 0))


def _unknown_option(name: str, capability: str, error: OSError) -> Exception:
    if error.errno != errno.ENOPROTOOPT:
        return error
    return NotPossibleError("a socket of this kernel does not know %s" % name, {capability: False})


def measure_bind_first(ready: Bench) -> Figures:
    _pool(ready)
    server, other = ready.server(), ready.server()

    def bind(client: socket.socket) -> None:
        client.bind((bench.OTHER_TOO, 0))

    first = ready.fill(bench.OTHER, server, _LIMIT, bind)
    second = ready.fill(bench.OTHER, other, _LIMIT, bind)
    return {
        "ports": _PORTS,
        "connections": len(first.ports),
        "added_by_server_port": len(second.ports),
        "bind_eaddrinuse": _no_room(first, "bind", errno.EADDRINUSE),
        "automatic_connections_left": len(ready.fill(bench.OTHER, other, _LIMIT).ports),
    }


def judge_bind_first(figures: Figures) -> Judgement:
    agrees = figures["connections"] == figures["ports"] and figures["bind_eaddrinuse"]
    told = (
        "%d connections out of a range of %d ports, then %s; a second server port adds %d; automatic connections of"
        " other addresses then find %d ports"
    ) % (
        figures["connections"],
        figures["ports"],
        "EADDRINUSE from bind()" if figures["bind_eaddrinuse"] else "no EADDRINUSE from bind()",
        figures["added_by_server_port"],
        figures["automatic_connections_left"],
    )
    return Judgement(verdict_of(agrees and not figures["added_by_server_port"]), told, {})


def measure_own_range(ready: Bench) -> Figures:
    _pool(ready)
    low, high = _LOW + 8, _LOW + 8 + _OWN_PORTS - 1
    filled = ready.fill(bench.OTHER, ready.server(), _LIMIT, lambda client: set_own_range(client, low, high))
    return {
        "ports": _PORTS,
        "own_ports": _OWN_PORTS,
        "connections": len(filled.ports),
        "outside": sum(1 for port in filled.ports if not low <= port <= high),
        "connect_eaddrnotavail": _no_room(filled, "connect", errno.EADDRNOTAVAIL),
    }


def set_own_range(client: socket.socket, low: int, high: int) -> None:
    """Gives a socket its own range.

    :raises NotPossibleError: where the kernel has no such option.
    """
    try:
        client.setsockopt(socket.IPPROTO_IP, IP_LOCAL_PORT_RANGE, struct.pack("@I", high << 16 | low))
    except OSError as error:
        raise _unknown_option("IP_LOCAL_PORT_RANGE", "local_port_range_option", error) from None


def judge_own_range(figures: Figures) -> Judgement:
    agrees = figures["connections"] == figures["own_ports"] and not figures["outside"]
    told = "%d connections with a range of %d ports of the socket's own, %d of them outside of it" % (
        figures["connections"],
        figures["own_ports"],
        figures["outside"],
    )
    shows = {"local_port_range_option": True}
    return Judgement(verdict_of(agrees and figures["connect_eaddrnotavail"]), told, shows)


def _reserved() -> Tuple[int, int]:
    """A quarter from each parity, so that both searches of connect() meet them."""
    return _LOW + _PORTS // 2, _LOW + _PORTS - 1


def measure_reserved(ready: Bench) -> Figures:
    _pool(ready)
    low, high = _reserved()
    ready.set("ip_local_reserved_ports", "%d-%d" % (low, high))
    filled = ready.fill(bench.OTHER, ready.server(), _LIMIT)
    return {
        "ports": _PORTS,
        "reserved_ports": high - low + 1,
        "connections": len(filled.ports),
        "on_reserved_ports": sum(1 for port in filled.ports if low <= port <= high),
    }


def judge_reserved(figures: Figures) -> Judgement:
    agrees = figures["connections"] == figures["ports"] - figures["reserved_ports"]
    told = "%d connections out of a range of %d ports of which %d are reserved, %d of them on reserved ones" % (
        figures["connections"],
        figures["ports"],
        figures["reserved_ports"],
        figures["on_reserved_ports"],
    )
    return Judgement(verdict_of(agrees and not figures["on_reserved_ports"]), told, {"reserved_ports": True})


EXPERIMENTS = (
    Experiment(
        "pool_capacity",
        "Capacity of one pool",
        "From one address to one address and port there are as many connections as the range has ports, TIME-WAIT"
        " included; then connect() fails with EADDRNOTAVAIL.",
        ARTICLE,
        measure_pool,
        judge_pool,
    ),
    Experiment(
        "server_port",
        "A second server port",
        "Another server port is another pool: it adds as many connections as the range has ports.",
        ARTICLE,
        measure_server_port,
        judge_server_port,
    ),
    Experiment(
        "server_address",
        "A second server address",
        "Another server address is another pool: it adds as many connections as the range has ports.",
        ARTICLE,
        measure_server_address,
        judge_server_address,
    ),
    Experiment(
        "client_address",
        "A second client address, its port left to connect()",
        "Another client address is another pool, where bind() leaves the port to connect() with"
        " IP_BIND_ADDRESS_NO_PORT: it adds as many connections as the range has ports.",
        ARTICLE,
        measure_client_address,
        judge_client_address,
    ),
    Experiment(
        "bind_before_connect",
        "A client address bound with port 0",
        "bind() with port 0 takes a port for the whole address, whoever is connected to: as many connections as the"
        " range has ports, a second server port adds none, and bind() fails with EADDRINUSE"
        " (inet_csk_get_port()).",
        KERNEL,
        measure_bind_first,
        judge_bind_first,
    ),
    Experiment(
        "own_port_range",
        "A range of the socket's own",
        "With IP_LOCAL_PORT_RANGE a socket takes ports from its own range only (inet_sk_get_local_port_range()).",
        KERNEL,
        measure_own_range,
        judge_own_range,
    ),
    Experiment(
        "reserved_ports",
        "Reserved ports",
        "connect() leaves out the ports in ip_local_reserved_ports (inet_is_local_reserved_port()).",
        KERNEL,
        measure_reserved,
        judge_reserved,
    ),
)
