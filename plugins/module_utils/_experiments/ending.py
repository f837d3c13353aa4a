# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How connections end: what leaves TIME-WAIT, for how long, and what it is there for."""

import ctypes
import errno
import socket
import struct
import time
from typing import Optional

from .._kernel import tcp_states
from . import bench
from .bench import Bench
from .experiment import ARTICLE, DIFFERS, KERNEL, Experiment, Figures, Judgement, inconclusive, verdict_of

#: include/uapi/asm-generic/socket.h, include/uapi/linux/tcp.h
_SO_ATTACH_FILTER, _SO_DETACH_FILTER = 26, 27
_TCP_USER_TIMEOUT = 18
_LIMIT, _CLOSES = 8, 20
_SHORT_FIN_SECONDS = 2
_TIME_WAIT_SECONDS = 60
_FIN_LIMIT_SECONDS = 90


def measure_linger(ready: Bench) -> Figures:
    ready.keep_time_wait()
    server = ready.server()
    resets = ready.counter("EstabResets")
    client = ready.connect(bench.OTHER, server)
    accepted = server.accept()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, bench.RESET_ON_CLOSE)
    client.close()
    try:
        peer_reset = accepted.recv(1) is None
    except OSError as error:
        peer_reset = error.errno == errno.ECONNRESET
    accepted.close()
    figures: Figures = {"peer_econnreset": peer_reset, "time_wait_after_linger": ready.count(tcp_states.TIME_WAIT)}
    after = ready.counter("EstabResets")
    if resets is not None and after is not None:
        figures["resets"] = after - resets
    server.end_client_first(ready.connect(bench.OTHER, server))
    ready.settle(lambda: ready.count(tcp_states.TIME_WAIT) > 0)
    figures["time_wait_after_close"] = ready.count(tcp_states.TIME_WAIT)
    return figures


def judge_linger(figures: Figures) -> Judgement:
    told = "close() with linger 0 left %d TIME-WAIT and the peer %s; without linger it left %d" % (
        figures["time_wait_after_linger"],
        "got ECONNRESET" if figures["peer_econnreset"] else "got no ECONNRESET",
        figures["time_wait_after_close"],
    )
    agrees = (figures["time_wait_after_linger"], figures["time_wait_after_close"]) == (0, 1)
    return Judgement(verdict_of(agrees and figures["peer_econnreset"]), told, {})


def measure_buckets(ready: Bench) -> Figures:
    ready.keep_time_wait()
    ready.set("tcp_max_tw_buckets", _LIMIT)
    before = ready.counter("TCPTimeWaitOverflow")
    server = ready.server()
    ready.fill(bench.OTHER, server, _CLOSES)
    ready.settle(lambda: ready.count(tcp_states.FIN_WAIT_2) == 0)
    figures: Figures = {"limit": _LIMIT, "closes": _CLOSES, "time_wait": ready.count(tcp_states.TIME_WAIT)}
    after = ready.counter("TCPTimeWaitOverflow")
    if before is not None and after is not None:
        figures["overflows"] = after - before
    ready.set("tcp_max_tw_buckets", 0)
    ready.fill(bench.OTHER, server, 1)
    figures["time_wait_at_limit_0"] = ready.count(tcp_states.TIME_WAIT)
    return figures


def judge_buckets(figures: Figures) -> Judgement:
    told = "of %d closes under a limit of %d, %d left TIME-WAIT" % (
        figures["closes"],
        figures["limit"],
        figures["time_wait"],
    )
    skipped = figures["closes"] - figures["limit"]
    agrees = figures["time_wait"] == figures["limit"] == figures["time_wait_at_limit_0"]
    if "overflows" in figures:
        told += " and TCPTimeWaitOverflow counted %d" % figures["overflows"]
        agrees = agrees and figures["overflows"] == skipped
    told += "; a limit of 0 afterwards left %d of them" % figures["time_wait_at_limit_0"]
    limited = figures["time_wait"] < figures["closes"]
    shows = {"max_tw_buckets": True, "max_tw_buckets.per_namespace": limited}
    return Judgement(verdict_of(agrees), told, shows)


def measure_fin_timeout(ready: Bench) -> Figures:
    ready.keep_time_wait()
    ready.set("tcp_fin_timeout", _SHORT_FIN_SECONDS)
    server, silent = ready.server(), ready.server()
    ready.fill(bench.OTHER, server, 4)
    ready.connect(bench.OTHER, silent).close()
    made = time.monotonic()
    figures: Figures = {
        "fin_timeout_seconds": _SHORT_FIN_SECONDS,
        "time_wait_expected_seconds": _expected_seconds(ready),
        "time_wait": ready.count(tcp_states.TIME_WAIT),
        "fin_wait_2": ready.count(tcp_states.FIN_WAIT_2),
    }
    gone = {"fin_wait_2_seconds": tcp_states.FIN_WAIT_2, "time_wait_seconds": tcp_states.TIME_WAIT}
    first = {tcp_states.TIME_WAIT: figures["time_wait"], tcp_states.FIN_WAIT_2: figures["fin_wait_2"]}
    while gone:
        time.sleep(0.25)
        left = list(ready.states().values())
        for name, state in list(gone.items()):
            # the shortest life counts: one that goes early would be enough to refute
            if left.count(state) < first[state]:
                figures[name] = round(time.monotonic() - made, 1)
                del gone[name]
    return figures


def _expected_seconds(ready: Bench) -> int:
    """Some vendors' kernels have a setting for what is a constant elsewhere."""
    value: Optional[str] = ready.read("tcp_tw_timeout") if ready.has("tcp_tw_timeout") else None
    return int(value) if value else _TIME_WAIT_SECONDS


def judge_fin_timeout(figures: Figures) -> Judgement:
    told = "with tcp_fin_timeout=%d TIME-WAIT went after %.1f s and an orphan in FIN-WAIT-2 after %.1f s" % (
        figures["fin_timeout_seconds"],
        figures["time_wait_seconds"],
        figures["fin_wait_2_seconds"],
    )
    agrees = figures["time_wait_seconds"] >= figures["time_wait_expected_seconds"] - 1
    shortened = figures["fin_wait_2_seconds"] < figures["time_wait_expected_seconds"] / 2
    return Judgement(verdict_of(agrees and shortened), told, {})


def measure_last_ack(ready: Bench) -> Figures:
    """The last ACK is dropped by a filter on the socket that it is for: no firewall is needed, nor loaded."""
    ready.keep_time_wait()
    server = ready.server()
    client = ready.connect(bench.OTHER, server)
    accepted = server.accept()
    # a socket in LAST-ACK outlives its process, and with it the namespace: not for long
    accepted.setsockopt(socket.IPPROTO_TCP, _TCP_USER_TIMEOUT, 1500)
    quadruplet = (client.getsockname()[1], server.port)
    client.close()
    accepted.recv(1)
    _drop_everything(accepted)
    accepted.shutdown(socket.SHUT_WR)
    closed = time.monotonic()
    time.sleep(0.1)
    figures: Figures = {
        "time_wait": ready.states().get(quadruplet) == tcp_states.TIME_WAIT,
        "peer_last_ack": _state(accepted) == tcp_states.LAST_ACK,
        "lost_for_ms": round((time.monotonic() - closed) * 1000, 1),
    }
    accepted.setsockopt(socket.SOL_SOCKET, _SO_DETACH_FILTER, 0)
    # the FIN is repeated after 200 ms, and every double of that
    figures["peer_closed"] = ready.settle(lambda: _state(accepted) == tcp_states.CLOSE, seconds=1.2)
    figures["peer_closed_ms"] = round((time.monotonic() - closed) * 1000, 1)
    figures["time_wait_still"] = ready.states().get(quadruplet) == tcp_states.TIME_WAIT
    accepted.close()
    return figures


def _state(one: socket.socket) -> int:
    """tcp_info.tcpi_state, the first byte."""
    return one.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0]


def _drop_everything(one: socket.socket) -> None:
    """socket(7), SO_ATTACH_FILTER: a program of one instruction, BPF_RET, that keeps 0 bytes."""
    program = ctypes.create_string_buffer(struct.pack("@HBBI", 0x06, 0, 0, 0))
    one.setsockopt(
        socket.SOL_SOCKET, _SO_ATTACH_FILTER, struct.pack("@HP", 1, ctypes.addressof(program))
    )


def judge_last_ack(figures: Figures) -> Judgement:
    if not figures["peer_last_ack"] and figures["peer_closed"]:
        return Judgement(DIFFERS, "the peer was closed although the last ACK was dropped", {})
    told = "without the last ACK the peer was %sin LAST-ACK after %.0f ms and %s; TIME-WAIT %s" % (
        "" if figures["peer_last_ack"] else "not ",
        figures["lost_for_ms"],
        "closed after %.0f ms, once it repeated its FIN" % figures["peer_closed_ms"]
        if figures["peer_closed"]
        else "did not close within %.0f ms" % figures["peer_closed_ms"],
        "answered it and stayed" if figures["time_wait_still"] else "was gone",
    )
    if figures["lost_for_ms"] > 1000:
        return inconclusive(told, "this process was held up for longer than the peer waits")
    agrees = figures["peer_last_ack"] and figures["time_wait"] and figures["peer_closed"]
    return Judgement(verdict_of(agrees and figures["time_wait_still"]), told, {})


EXPERIMENTS = (
    Experiment(
        "linger_zero",
        "close() with linger 0",
        "close() with SO_LINGER of 0 seconds resets the connection: it leaves no TIME-WAIT, and the peer gets"
        " ECONNRESET.",
        ARTICLE,
        measure_linger,
        judge_linger,
    ),
    Experiment(
        "bucket_limit",
        "Overflow of tcp_max_tw_buckets",
        "Beyond tcp_max_tw_buckets a close leaves no TIME-WAIT and TCPTimeWaitOverflow counts it; what is there stays"
        " (inet_twsk_alloc()).",
        KERNEL,
        measure_buckets,
        judge_buckets,
    ),
    Experiment(
        "last_ack",
        "The lost last ACK",
        "When the last ACK is lost the peer stays in LAST-ACK, and TIME-WAIT is there to answer the FIN that it"
        " repeats.",
        ARTICLE,
        measure_last_ack,
        judge_last_ack,
    ),
    Experiment(
        "fin_timeout",
        "tcp_fin_timeout",
        "tcp_fin_timeout does not shorten TIME-WAIT, only the FIN-WAIT-2 of a connection that no process holds.",
        ARTICLE,
        measure_fin_timeout,
        judge_fin_timeout,
        _FIN_LIMIT_SECONDS,
    ),
)
