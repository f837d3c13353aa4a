# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What new connections meet on the side of the server, and what their timestamps look like."""

import socket
import struct
import time
from typing import Optional

from .._kernel import tcp_states
from . import bench
from .bench import Bench, NotPossibleError, Server
from .experiment import KERNEL, Experiment, Figures, Judgement, inconclusive, verdict_of

_ATTEMPTS = 20
_CLIENT_PORT = 41000
#: a SYN that is dropped is repeated after a second
_AT_ONCE_SECONDS = 0.8
_GIVE_UP_AFTER = 2

#: include/uapi/linux/tcp.h; what the socket would send now, as tcp_getsockopt() tells since Linux 3.9
_TCP_TIMESTAMP = 24
#: clocks of 1 ms, or of one tick, read within the length of an experiment; offsets are random numbers of 32 bits
_SAME_CLOCK = 20000


def measure_syn(ready: Bench) -> Figures:
    ready.keep_time_wait()
    figures: Figures = {"attempts": _ATTEMPTS}
    for name, timestamps in (("with_timestamps", 1), ("without_timestamps", 0)):
        if ready.has("tcp_timestamps"):
            ready.set("tcp_timestamps", timestamps)
        elif not timestamps:
            continue
        server = ready.server()
        alone = ready.in_use()
        server.end_server_first(_connect_again(server) or _refused_at_first())
        ready.settle(lambda alone=alone: ready.in_use() == alone)
        if ready.states().get((server.port, _CLIENT_PORT)) != tcp_states.TIME_WAIT:
            raise NotPossibleError("the server's side left no TIME-WAIT to connect to")
        accepted, slowest = 0, 0.0
        for attempt in range(_ATTEMPTS):
            # once the client's end is gone, the server's is in TIME-WAIT
            ready.settle(lambda alone=alone: ready.in_use() == alone)
            started = time.monotonic()
            client = _connect_again(server)
            slowest = max(slowest, time.monotonic() - started)
            if client:
                accepted += 1
                server.end_server_first(client)
            elif attempt + 1 - accepted >= _GIVE_UP_AFTER:
                break
        figures["accepted_" + name] = accepted
        figures["slowest_%s_ms" % name] = round(slowest * 1000, 1)
    return figures


def _connect_again(server: Server) -> Optional[socket.socket]:
    """A connection from the same port as all the others; None when it does not come about at once."""
    client = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    client.settimeout(_AT_ONCE_SECONDS)
    client.bind((bench.OTHER, _CLIENT_PORT))
    try:
        client.connect((bench.OTHER, server.port))
    except socket.timeout:
        client.close()
        return None
    return client


def _refused_at_first() -> socket.socket:
    raise NotPossibleError("not even the first connection came about at once")


def judge_syn(figures: Figures) -> Judgement:
    told = "of %d SYNs that met TIME-WAIT %d were accepted at once with timestamps (slowest %.1f ms)" % (
        figures["attempts"],
        figures["accepted_with_timestamps"],
        figures["slowest_with_timestamps_ms"],
    )
    agrees = figures["accepted_with_timestamps"] == figures["attempts"]
    if "accepted_without_timestamps" in figures:
        told += " and %d without (slowest %.1f ms)" % (
            figures["accepted_without_timestamps"],
            figures["slowest_without_timestamps_ms"],
        )
        agrees = agrees and figures["accepted_without_timestamps"] == figures["attempts"]
    return Judgement(verdict_of(agrees), told, {})


def measure_offset(ready: Bench) -> Figures:
    ready.keep_time_wait()
    if ready.has("tcp_timestamps"):
        ready.set("tcp_timestamps", 1)
    server = ready.server()
    first, again = (_clock_of_one(server) for _attempt in range(2))
    same_hosts = _clock(server, bench.LOOPBACK, bench.LOOPBACK)
    other_hosts = _clock(server, bench.LOOPBACK_TOO, bench.OTHER)
    return {
        "same_for_one_quadruplet": _same(first, again),
        "same_for_one_pair_of_hosts": _same(first, same_hosts),
        "same_for_all_hosts": _same(first, other_hosts),
    }


def _clock_of_one(server: Server) -> int:
    return _clock(server, bench.LOOPBACK, bench.LOOPBACK, _CLIENT_PORT)


def _clock(server: Server, source: str, destination: str, port: int = 0) -> int:
    client = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    client.bind((source, port))
    client.connect((destination, server.port))
    shown = client.getsockopt(socket.IPPROTO_TCP, _TCP_TIMESTAMP, 4)
    server.end_at_once(client)
    return int(struct.unpack("@I", shown)[0])


def _same(one: int, other: int) -> bool:
    apart = (one - other) % (1 << 32)
    return min(apart, (1 << 32) - apart) < _SAME_CLOCK


def judge_offset(figures: Figures) -> Judgement:
    if figures["same_for_all_hosts"]:
        value, told = "none", "all connections share one clock for timestamps"
    elif figures["same_for_one_pair_of_hosts"]:
        value, told = "per_host_pair", "each pair of hosts has a clock for timestamps"
    elif figures["same_for_one_quadruplet"]:
        value, told = "per_4_tuple", "each quadruplet has a clock for timestamps: behind NAT, a server sees them go back"
    else:
        value, told = "per_connection", "each connection has a clock for timestamps, even on the same quadruplet"
    if not figures["same_for_one_quadruplet"] and value != "per_connection":
        return inconclusive(told, "one quadruplet had two clocks and its hosts had one, which no kernel does")
    shows = {"timestamp_offset": value != "none", "timestamp_offset.value": value}
    return Judgement(verdict_of(value != "per_connection"), told, shows)


EXPERIMENTS = (
    Experiment(
        "syn_on_time_wait",
        "A SYN that meets TIME-WAIT on the server",
        "A client that comes back from the same port is accepted at once, with timestamps and without: its sequence"
        " numbers have grown meanwhile (tcp_timewait_state_process()).",
        KERNEL,
        measure_syn,
        judge_syn,
    ),
    Experiment(
        "timestamp_offset",
        "Where timestamps begin",
        "Connections of one quadruplet, one after the other, share a clock for timestamps, so that TIME-WAIT may"
        " compare them (secure_tcp_ts_off(), secure_tcp_seq_and_ts_off()).",
        KERNEL,
        measure_offset,
        judge_offset,
    ),
)
