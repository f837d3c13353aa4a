# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How connect() searches for a port: what it costs, and what it passes over."""

import errno
import socket
import time
from typing import Callable, List, Optional

from . import bench
from .bench import Bench, Server
from .capacity import set_own_range
from .experiment import AGREES, DIFFERS, KERNEL, Experiment, Figures, Judgement, inconclusive, verdict_of

_LOW = 20000
_FEWEST_PORTS, _MOST_PORTS = 512, 4096
_CALIBRATION = 40
#: of which the two pools take about three quarters
_BUDGET_SECONDS = 1.5
_BELOW, _ABOVE, _MEASURED = 0.25, 0.6, 0.1
#: between these, chance could have made it
_SAME, _CLIFF = 1.5, 2.5

Prepare = Optional[Callable[[socket.socket], None]]


def measure_cost(ready: Bench) -> Figures:
    return _cost(ready, own_range=False)


def measure_cost_own_range(ready: Bench) -> Figures:
    return _cost(ready, own_range=True)


def _cost(ready: Bench, own_range: bool) -> Figures:
    """Two pools, one filled to below half of the range and one to above; then connections to one and the other in turn.

    In turn, because whatever else the machine does then slows both alike.
    """
    ready.keep_time_wait()
    ports = _affordable(ready)
    high = _LOW + ports - 1

    def prepare(client: socket.socket) -> None:
        if own_range:
            set_own_range(client, _LOW, high)

    ready.set_range(_LOW, ports)
    below, above = ready.server(), ready.server()
    ready.fill(bench.OTHER, below, int(ports * _BELOW), prepare)
    ready.fill(bench.OTHER, above, int(ports * _ABOVE), prepare)
    costs_below: List[float] = []
    costs_above: List[float] = []
    for _attempt in range(int(ports * _MEASURED)):
        costs_below.append(_timed(below, prepare))
        costs_above.append(_timed(above, prepare))
    below_us, above_us = _median(costs_below) * 1e6, _median(costs_above) * 1e6
    return {
        "ports": ports,
        "samples": len(costs_below),
        "below_half_us": round(below_us, 1),
        "above_half_us": round(above_us, 1),
        "ratio": round(above_us / below_us, 2),
    }


def _affordable(ready: Bench) -> int:
    """Ports that there is time for on this machine; even."""
    started = time.monotonic()
    ready.fill(bench.LOOPBACK_TOO, ready.server(), _CALIBRATION)
    each = (time.monotonic() - started) / _CALIBRATION
    return min(max(int(_BUDGET_SECONDS / each), _FEWEST_PORTS), _MOST_PORTS) & ~1


def _timed(server: Server, prepare: Callable[[socket.socket], None]) -> float:
    client = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    prepare(client)
    target = (bench.OTHER, server.port)
    started = time.perf_counter()
    client.connect(target)
    taken = time.perf_counter() - started
    server.end_client_first(client)
    return taken


def _median(values: List[float]) -> float:
    return sorted(values)[len(values) // 2]


def _told(figures: Figures) -> str:
    return "connect() took %.0f us below half of %d ports and %.0f us above, %.1f times as long" % (
        figures["below_half_us"],
        figures["ports"],
        figures["above_half_us"],
        figures["ratio"],
    )


def judge_cost(figures: Figures) -> Judgement:
    told = _told(figures)
    if _SAME < figures["ratio"] < _CLIFF:
        return inconclusive(told, "a ratio between %g and %g may be noise" % (_SAME, _CLIFF))
    return Judgement(AGREES if figures["ratio"] >= _CLIFF else DIFFERS, told, {})


def judge_cost_own_range(figures: Figures) -> Judgement:
    told = _told(figures)
    shows = {"local_port_range_option": True}
    if _SAME < figures["ratio"] < _CLIFF:
        return inconclusive(told, "a ratio between %g and %g may be noise" % (_SAME, _CLIFF))
    return Judgement(AGREES if figures["ratio"] <= _SAME else DIFFERS, told, shows)


def measure_pollution(ready: Bench) -> Figures:
    ready.keep_time_wait()
    ready.set_range(40000, 2)
    servers = [ready.server() for _number in range(5)]
    # these keep both ports' buckets while the explicit binds come and go
    automatic = [ready.connect(bench.LOOPBACK, servers[0]) for _port in range(2)]
    figures: Figures = {"usable_before": _connects(ready, servers[1])}
    bound = []
    for port in (40000, 40001):
        one = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        one.bind((bench.OTHER_TOO, port))
        bound.append(one)
    figures["usable_while_bound"] = _connects(ready, servers[2])
    for one in bound:
        one.close()
    figures["usable_after_binds_left"] = _connects(ready, servers[3])
    for one in automatic:
        servers[0].end_at_once(one)
    figures["usable_after_all_left"] = ready.settle(lambda: _connects(ready, servers[4]))
    return figures


def _connects(ready: Bench, server: Server) -> bool:
    """Whether an automatic connection finds a port. It leaves nothing."""
    try:
        client = ready.connect(bench.LOOPBACK, server)
    except OSError as error:
        if error.errno != errno.EADDRNOTAVAIL:
            raise
        return False
    server.end_at_once(client)
    return True


def judge_pollution(figures: Figures) -> Judgement:
    words = {True: "found a port", False: "found none"}
    told = (
        "an automatic connect() %s before two explicit binds of another address took the ports of the range, %s while"
        " they were there, %s after they had left, %s after everything had left"
    ) % tuple(
        words[figures[name]]
        for name in ("usable_before", "usable_while_bound", "usable_after_binds_left", "usable_after_all_left")
    )
    agrees = figures["usable_before"] and not figures["usable_while_bound"] and figures["usable_after_all_left"]
    return Judgement(verdict_of(agrees), told, {"connect_bucket_recovery": figures["usable_after_binds_left"]})


EXPERIMENTS = (
    Experiment(
        "search_cost",
        "Cost of connect() above half of the range",
        "connect() tries all ports of one parity first: above half of the range each one walks through all of those,"
        " and takes many times as long (__inet_hash_connect()).",
        KERNEL,
        measure_cost,
        judge_cost,
    ),
    Experiment(
        "search_cost_own_range",
        "The same with a range of the socket's own",
        "With IP_LOCAL_PORT_RANGE connect() tries every port in turn, and there is no such cliff"
        " (__inet_hash_connect()).",
        KERNEL,
        measure_cost_own_range,
        judge_cost_own_range,
    ),
    Experiment(
        "bucket_pollution",
        "Ports that explicit binds hold",
        "A port that one socket has bound, at any address, is passed over by every automatic connect(), at the latest"
        " until the last socket of that port is gone (__inet_hash_connect()).",
        KERNEL,
        measure_pollution,
        judge_pollution,
    ),
)
