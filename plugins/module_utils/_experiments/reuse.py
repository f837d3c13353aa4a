# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When connect() takes over a TIME-WAIT entry, as ``tcp_twsk_unique()`` decides."""

import errno
import socket
import time
from typing import Dict, List, NamedTuple, Optional, Tuple

from . import bench
from .bench import Bench, NotPossibleError, Server
from .experiment import ARTICLE, DIFFERS, KERNEL, Experiment, Figures, Judgement, inconclusive, verdict_of

#: two ports, both of them in TIME-WAIT: an odd range would make the kernel log a warning
_LOW, _PORTS = 40000, 2
_SHORT_DELAY_MS = 100
#: get_seconds() - tw_ts_recent_stamp > 1 takes up to two seconds; newer kernels compare seconds without the 1
_LONGEST_DELAY_MS = 2000
#: between what a clock of the kernel and one of this process call the same instant, on a slow machine too
_SLACK_MS = 50
#: tried on after the first takeover, to see that the others are not merely late
_AFTERWARDS_MS = 150
_PAUSE_SECONDS = 0.002


class Case(NamedTuple):
    """Entries to one server, and the mode under which connect() tries to take one of them over."""

    name: str
    mode: int
    address: str


class Seen(NamedTuple):
    """Milliseconds after the entries were made: the last refusal, and the takeover, None when there was none."""

    refused_until_ms: float
    reused_ms: Optional[float]


def watch(ready: Bench, cases: List[Case], longest_ms: float, timestamps: int = 1) -> Dict[str, Seen]:
    """Tries each case again and again until all are taken over, or the first was and the others had time enough.

    :param longest_ms: after which there is no hope for the first either.
    :param timestamps: net.ipv4.tcp_timestamps of the connections that leave the entries.
    """
    ready.set_range(_LOW, _PORTS)
    ready.set("tcp_tw_reuse", 0)
    if timestamps != 1 or ready.has("tcp_timestamps"):
        ready.set("tcp_timestamps", timestamps)
    servers = {case.name: ready.server() for case in cases}
    for case in cases:
        filled = ready.fill(case.address, servers[case.name], _PORTS)
        if len(filled.ports) != _PORTS:
            raise NotPossibleError("the entries that should be reused could not be made")
    if ready.has("tcp_timestamps"):
        ready.set("tcp_timestamps", 1)
    made = time.monotonic()
    seen = {case.name: Seen(0.0, None) for case in cases}
    end_ms = longest_ms
    while True:
        waiting = [case for case in cases if seen[case.name].reused_ms is None]
        for case in waiting:
            ready.set("tcp_tw_reuse", case.mode)
            tried_ms = (time.monotonic() - made) * 1000
            if _takes_over(ready, case.address, servers[case.name]):
                seen[case.name] = seen[case.name]._replace(reused_ms=(time.monotonic() - made) * 1000)
                end_ms = min(end_ms, tried_ms + _AFTERWARDS_MS)
            else:
                seen[case.name] = Seen(tried_ms, None)
        if not waiting or (time.monotonic() - made) * 1000 > end_ms:
            return seen
        time.sleep(_PAUSE_SECONDS)


def _takes_over(ready: Bench, address: str, server: Server) -> bool:
    try:
        client = ready.connect(address, server)
    except OSError as error:
        if error.errno != errno.EADDRNOTAVAIL:
            raise
        return False
    server.end_at_once(client)
    return True


def _figures(seen: Dict[str, Seen]) -> Figures:
    figures: Figures = {}
    for name, one in sorted(seen.items()):
        figures[name + "_reused"] = one.reused_ms is not None
        figures[name + "_refused_until_ms"] = round(one.refused_until_ms, 1)
        if one.reused_ms is not None:
            figures[name + "_ms"] = round(one.reused_ms, 1)
    return figures


def _told(figures: Figures, names: List[Tuple[str, str]]) -> str:
    parts = []
    for name, words in names:
        if figures[name + "_reused"]:
            parts.append("%s after %.0f ms" % (words, figures[name + "_ms"]))
        else:
            parts.append("%s not within %.0f ms" % (words, figures[name + "_refused_until_ms"]))
    return ", ".join(parts)


def _shorten_delay(ready: Bench) -> float:
    """Milliseconds within which a takeover has to come."""
    if ready.has("tcp_tw_reuse_delay"):
        ready.set("tcp_tw_reuse_delay", _SHORT_DELAY_MS)
        return 20 * _SHORT_DELAY_MS
    return _LONGEST_DELAY_MS + 500


def measure_modes(ready: Bench) -> Figures:
    figures: Figures = {"default": int(ready.read("tcp_tw_reuse")) if ready.has("tcp_tw_reuse") else -1}
    for mode in (0, 1, 2, 3):
        figures["takes_%d" % mode] = ready.takes("tcp_tw_reuse", mode)
    return figures


def judge_modes(figures: Figures) -> Judgement:
    taken = [mode for mode in (0, 1, 2, 3) if figures["takes_%d" % mode]]
    told = "tcp_tw_reuse takes %s; a new namespace has %d" % (", ".join(map(str, taken)), figures["default"])
    # a kernel that refuses nothing takes 2 without knowing a mode 2
    modes = taken if 3 not in taken else [0, 1]
    return Judgement(verdict_of(taken == [0, 1, 2]), told, {"tw_reuse": True, "tw_reuse.modes": modes})


def measure_delay(ready: Bench) -> Figures:
    cases = [Case("loopback", 1, bench.LOOPBACK), Case("other_address", 1, bench.OTHER)]
    if not ready.has("tcp_tw_reuse_delay"):
        return _figures(watch(ready, cases, _LONGEST_DELAY_MS + 500))
    delay_ms = int(ready.read("tcp_tw_reuse_delay"))
    figures = _figures(watch(ready, cases, delay_ms + 1000))
    ready.set("tcp_tw_reuse_delay", _SHORT_DELAY_MS)
    figures.update(_figures(watch(ready, [Case("short_delay", 1, bench.OTHER)], 10 * _SHORT_DELAY_MS)))
    figures.update({"delay_ms": delay_ms, "short_delay_setting_ms": _SHORT_DELAY_MS})
    return figures


def judge_delay(figures: Figures) -> Judgement:
    names = [("loopback", "reused on loopback"), ("other_address", "on another address")]
    if "delay_ms" not in figures:
        agrees = all(_in_time(figures, name, 0, _LONGEST_DELAY_MS) for name, _words in names)
        return Judgement(verdict_of(agrees), _told(figures, names), {"tw_reuse_delay": False})
    delay_ms, short_ms = figures["delay_ms"], figures["short_delay_setting_ms"]
    short = _in_time(figures, "short_delay", short_ms, short_ms)
    agrees = short and all(_in_time(figures, name, delay_ms, delay_ms) for name, _words in names)
    told = "with tcp_tw_reuse_delay at %d ms %s; at %d ms %s" % (
        delay_ms,
        _told(figures, names),
        short_ms,
        _told(figures, [("short_delay", "reused")]),
    )
    return Judgement(verdict_of(agrees), told, {"tw_reuse_delay": short})


def _in_time(figures: Figures, name: str, earliest_ms: float, latest_ms: float) -> bool:
    """Whether the first takeover fits a delay: not before it, and nothing refused after it."""
    return bool(
        figures[name + "_reused"]
        and figures[name + "_ms"] >= earliest_ms - _SLACK_MS
        and figures[name + "_refused_until_ms"] <= latest_ms + _SLACK_MS
    )


_SCOPE = (
    Case("mode_1_loopback", 1, bench.LOOPBACK),
    Case("mode_1_other_address", 1, bench.OTHER),
    Case("mode_2_loopback", 2, bench.LOOPBACK),
    Case("mode_2_other_address", 2, bench.OTHER),
    Case("mode_0_loopback", 0, bench.LOOPBACK),
    Case("mode_0_other_address", 0, bench.OTHER),
)
_SCOPE_WORDS = [
    ("mode_1_loopback", "mode 1 reuses on loopback"),
    ("mode_1_other_address", "on another address"),
    ("mode_2_loopback", "mode 2 on loopback"),
    ("mode_2_other_address", "on another address"),
    ("mode_0_loopback", "mode 0 on loopback"),
    ("mode_0_other_address", "on another address"),
]


def measure_scope(ready: Bench) -> Figures:
    longest_ms = _shorten_delay(ready)
    if not ready.takes("tcp_tw_reuse", 2):
        raise NotPossibleError("tcp_tw_reuse of this kernel has no mode 2", {"tw_reuse.modes": [0, 1]})
    return _figures(watch(ready, list(_SCOPE), longest_ms))


def judge_scope(figures: Figures) -> Judgement:
    reused = {case.name: figures[case.name + "_reused"] for case in _SCOPE}
    told = _told(figures, _SCOPE_WORDS)
    if not reused["mode_1_loopback"]:
        return inconclusive(told, "nothing was reused in mode 1 either, with which the others are compared")
    wanted = {case.name: case.mode == 1 or (case.mode == 2 and case.address == bench.LOOPBACK) for case in _SCOPE}
    loopback_only = reused["mode_2_loopback"] and not reused["mode_2_other_address"]
    # mode 2 that reuses everywhere is a kernel that takes it for 1
    shows = {"tw_reuse": True, "tw_reuse.modes": [0, 1, 2] if loopback_only else [0, 1]}
    return Judgement(verdict_of(reused == wanted), told, shows)


def measure_without_timestamps(ready: Bench) -> Figures:
    longest_ms = _shorten_delay(ready)
    control = watch(ready, [Case("with_timestamps", 1, bench.LOOPBACK)], longest_ms)
    reused_ms = control["with_timestamps"].reused_ms
    if reused_ms is None:
        return _figures(control)
    cases = [
        Case("mode_1_loopback", 1, bench.LOOPBACK),
        Case("mode_1_other_address", 1, bench.OTHER),
        Case("mode_2_loopback", 2, bench.LOOPBACK),
    ]
    # without the setting for a delay, the turn of the second decides: as long as it may take, not as it took
    enough_ms = reused_ms + _AFTERWARDS_MS if ready.has("tcp_tw_reuse_delay") else _LONGEST_DELAY_MS + _SLACK_MS
    seen = watch(ready, cases, enough_ms, timestamps=0)
    seen.update(control)
    return _figures(seen)


def judge_without_timestamps(figures: Figures) -> Judgement:
    words = [("with_timestamps", "with timestamps reused")]
    if not figures["with_timestamps_reused"]:
        told = _told(figures, words)
        return inconclusive(told, "nothing was reused with timestamps either, with which this is compared")
    names = ["mode_1_loopback", "mode_1_other_address", "mode_2_loopback"]
    words += [
        ("mode_1_loopback", "without them in mode 1 on loopback"),
        ("mode_1_other_address", "on another address"),
        ("mode_2_loopback", "in mode 2 on loopback"),
    ]
    agrees = not any(figures[name + "_reused"] for name in names)
    return Judgement(verdict_of(agrees), _told(figures, words), {})


def measure_recycle(ready: Bench) -> Figures:
    return {"there": ready.host.get("tcp_tw_recycle") is not None or ready.has("tcp_tw_recycle")}


def judge_recycle(figures: Figures) -> Judgement:
    if figures["there"]:
        return Judgement(DIFFERS, "this kernel still has net.ipv4.tcp_tw_recycle", {"tw_recycle": True})
    return Judgement(verdict_of(True), "there is no net.ipv4.tcp_tw_recycle", {"tw_recycle": False})


def measure_bound(ready: Bench) -> Figures:
    """An entry whose client bound its port, met by another client that binds the same one."""
    ready.keep_time_wait()
    figures: Figures = {}
    for name, timestamps in (("with_timestamps", 1), ("without_timestamps", 0)):
        if ready.has("tcp_timestamps"):
            ready.set("tcp_timestamps", timestamps)
        elif not timestamps:
            continue
        server = ready.server()
        figures[name + "_reused"] = len(ready.fill(bench.OTHER, server, 2, _bind_one_port).ports) == 2
    return figures


def _bind_one_port(client: socket.socket) -> None:
    client.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    client.bind((bench.OTHER, _LOW))


def judge_bound(figures: Figures) -> Judgement:
    words = {True: "reused at once", False: "refused"}
    told = "with tcp_tw_reuse=0 the entry of a bound port is %s with timestamps" % (
        words[figures["with_timestamps_reused"]]
    )
    agrees = figures["with_timestamps_reused"]
    if "without_timestamps_reused" in figures:
        told += ", %s without" % words[figures["without_timestamps_reused"]]
        agrees = agrees and not figures["without_timestamps_reused"]
    return Judgement(verdict_of(agrees), told, {})


EXPERIMENTS = (
    Experiment(
        "reuse_modes",
        "Modes of tcp_tw_reuse",
        "tcp_tw_reuse takes 0, 1 and 2, of which 2 is for loopback only, and nothing else (ipv4_net_table).",
        KERNEL,
        measure_modes,
        judge_modes,
    ),
    Experiment(
        "reuse_delay",
        "How long until TIME-WAIT is reused",
        "With tcp_tw_reuse=1 connect() takes over an entry that is older than tcp_tw_reuse_delay, 1000 ms by default;"
        " where there is no such setting, on a turn of the second, after 2 s at the latest (tcp_twsk_unique()).",
        KERNEL,
        measure_delay,
        judge_delay,
    ),
    Experiment(
        "reuse_scope",
        "What each mode of tcp_tw_reuse reuses",
        "Mode 0 reuses nothing, 1 every address, 2 only those of 127.0.0.0/8: another address of the same host is no"
        " loopback to it (tcp_twsk_unique()).",
        KERNEL,
        measure_scope,
        judge_scope,
    ),
    Experiment(
        "reuse_without_timestamps",
        "tcp_tw_reuse without timestamps",
        "tcp_tw_reuse needs timestamps: an entry of a connection without them is never reused.",
        ARTICLE,
        measure_without_timestamps,
        judge_without_timestamps,
    ),
    Experiment(
        "reuse_bound_port",
        "A port that the client binds itself",
        "Whatever tcp_tw_reuse says, a client that binds the port of its last connection takes over the entry, if that"
        " connection had timestamps (__inet_check_established()).",
        KERNEL,
        measure_bound,
        judge_bound,
    ),
    Experiment(
        "recycle",
        "tcp_tw_recycle",
        "tcp_tw_recycle is gone, since Linux 4.12.",
        ARTICLE,
        measure_recycle,
        judge_recycle,
    ),
)
