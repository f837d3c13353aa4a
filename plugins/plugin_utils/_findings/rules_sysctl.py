# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Family TW-SYS: running values of sysctls, in each namespace."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from .facts_reader import Namespace, PortRange, text
from .remedies import reserve, set_range, set_sysctls
from .rule import NAMESPACE, Match, Remedy, Rule

Thresholds = Mapping[str, float]
Check = Callable[[Namespace, Thresholds], "Match | None"]

_SHOWN_PORTS = 8
#: seconds over which the busiest rate of the last minute is taken, as long as the forecast of pools looks back
_BUSIEST_SECONDS = 10


def _recycle(namespace: Namespace, _thresholds: Thresholds) -> Match | None:
    if not namespace.sysctls["tcp_tw_recycle"]:
        return None
    evidence = [f"net.ipv4.tcp_tw_recycle = {namespace.sysctls['tcp_tw_recycle']}"]
    dropped = namespace.counter("PAWSPassive")
    if dropped:
        evidence.append(f"PAWSPassive {dropped}: SYNs dropped for their timestamp since the namespace was made")
    if namespace.sysctls.get("tcp_timestamps") == 0:
        evidence.append("net.ipv4.tcp_timestamps = 0 keeps it from acting as yet")
    remedy = set_sysctls(
        namespace, {"ipv4.tcp_tw_recycle": "0"}, "Take it out of every sysctl file too: newer kernels have no such key."
    )
    return Match("net.ipv4.tcp_tw_recycle", evidence, remedy, 1.0)


def _inert_reuse(namespace: Namespace, _thresholds: Thresholds) -> Match | None:
    reuse = namespace.sysctls["tcp_tw_reuse"]
    if reuse not in (1, 2) or namespace.sysctls["tcp_timestamps"] != 0:
        return None
    evidence = [f"net.ipv4.tcp_tw_reuse = {reuse}", "net.ipv4.tcp_timestamps = 0"]
    return Match(
        "net.ipv4.tcp_timestamps",
        evidence,
        set_sysctls(namespace, {"ipv4.tcp_timestamps": "1"}, "It acts on new connections only."),
        0.5 if reuse == 1 else 0.3,
    )


def _useless_reuse(namespace: Namespace, _thresholds: Thresholds) -> Match | None:
    if namespace.sysctls["tcp_tw_reuse"] != 1 or namespace.total("outbound", "pools") != 0:
        return None
    evidence = ["net.ipv4.tcp_tw_reuse = 1", "no outbound pool"]
    inbound = namespace.total("inbound", "time_wait")
    if inbound:
        evidence.append(f"{inbound} TIME-WAIT sockets of connections that came in, which it does not act on")
    return Match("net.ipv4.tcp_tw_reuse", evidence, Remedy(None, "It does no harm: take it out when convenient."))


def _parity(namespace: Namespace, _thresholds: Thresholds) -> Match | None:
    own = namespace.port_range
    if own is None or (own.low ^ own.high) & 1 or own.low == own.high:
        return None
    evidence = [f"{own.low} to {own.high}: both {'odd' if own.low & 1 else 'even'}, so each search leaves one port out"]
    subject = f"net.ipv4.ip_local_port_range {own.low} {own.high}"
    if own.high < 65535:
        return Match(subject, evidence, set_range(namespace, PortRange(own.low, own.high + 1)))
    if own.low > max(1024, namespace.unprivileged_from):
        return Match(subject, evidence, set_range(namespace, PortRange(own.low - 1, own.high)))
    return Match(subject, evidence, Remedy(None, "The range cannot be widened; one port is all that is lost."))


def _exposed_listeners(namespace: Namespace, _thresholds: Thresholds) -> Match | None:
    own, listening, reserved = namespace.port_range, namespace.listening, namespace.reserved
    if own is None or listening is None or reserved is None:
        return None
    exposed = {port for port in listening if own.low <= port <= own.high} - reserved
    if not exposed:
        return None
    shown = [f"{text(listening[port])} port {port}" for port in sorted(exposed)[:_SHOWN_PORTS]]
    if len(exposed) > _SHOWN_PORTS:
        shown.append(f"and {len(exposed) - _SHOWN_PORTS} more")
    evidence = [f"range {own.low} to {own.high}, listening inside it: {', '.join(shown)}"]
    note = "Leave out ports that a service lets the kernel choose: it gets another one when it restarts."
    return Match(
        f"net.ipv4.ip_local_port_range {own.low} {own.high}",
        evidence,
        reserve(namespace, exposed, note),
        min(1.0, len(exposed) / 100),
    )


def _raise_buckets(namespace: Namespace, wanted: int) -> Remedy:
    note = "An entry costs 256 to 512 bytes, and only while it is there."
    return set_sysctls(namespace, {"ipv4.tcp_max_tw_buckets": str(wanted)}, note)


def _next_power(number: int) -> int:
    return 1 << max(0, number - 1).bit_length()


#: the largest value that the kernel takes: an int
_LARGEST_BUCKETS = 2**31 - 1


def _overflow(namespace: Namespace, _thresholds: Thresholds) -> Match | None:
    limit = namespace.sysctls["tcp_max_tw_buckets"]
    skipped = namespace.counter("TCPTimeWaitOverflow")
    if limit is None or not skipped:
        return None
    entered = namespace.counter("TW") or 0
    evidence = [
        f"net.ipv4.tcp_max_tw_buckets = {limit}",
        f"TCPTimeWaitOverflow {skipped}, TW {entered}, since the namespace was made",
    ]
    wanted = min(_LARGEST_BUCKETS, max(_next_power(2 * max(0, limit)), _default_buckets(namespace) or 0))
    return Match(
        "net.ipv4.tcp_max_tw_buckets", evidence, _raise_buckets(namespace, wanted), skipped / (skipped + entered)
    )


def _close_to_limit(namespace: Namespace, thresholds: Thresholds) -> Match | None:
    limit = namespace.sysctls["tcp_max_tw_buckets"]
    if limit is None or limit <= 0:
        return None
    threshold = thresholds["bucket_share"] * limit
    now = sum(namespace.total(direction, "time_wait") or 0 for direction in ("outbound", "inbound"))
    if now >= threshold:
        evidence = [f"net.ipv4.tcp_max_tw_buckets = {limit}", f"{now} TIME-WAIT sockets now"]
        wanted = min(_LARGEST_BUCKETS, _next_power(2 * max(now, limit)))
        return Match("net.ipv4.tcp_max_tw_buckets", evidence, _raise_buckets(namespace, wanted), min(1.0, now / limit))
    length = namespace.facts.timewait_seconds
    # the busiest ten seconds hold no more than the whole minute does: spare reading the histories of quiet hosts
    minute = 60 * sum(pool.close_rate or 0 for pool in namespace.pools)
    if minute / _BUSIEST_SECONDS * length < threshold:
        return None
    rate = _busiest_rate(namespace)
    expected = int(rate * length)
    if expected < threshold:
        return None
    evidence = [
        f"net.ipv4.tcp_max_tw_buckets = {limit}",
        f"{rate:.4g} closes/s in the busiest {_BUSIEST_SECONDS} s of the last minute, in the pools of the facts alone",
        f"that makes {expected} entries if it goes on for the {length:g} s of TIME-WAIT",
    ]
    wanted = min(_LARGEST_BUCKETS, _next_power(2 * max(expected, limit)))
    return Match(
        "net.ipv4.tcp_max_tw_buckets", evidence, _raise_buckets(namespace, wanted), min(1.0, expected / limit)
    )


def _busiest_rate(namespace: Namespace) -> float:
    """Closes per second, mean of the busiest ten seconds in a row, all pools of the facts together."""
    histories = [history for history in (pool.history for pool in namespace.pools) if history]
    seconds = list(map(sum, zip(*histories, strict=True)))
    windows = [sum(seconds[end - _BUSIEST_SECONDS : end]) for end in range(_BUSIEST_SECONDS, len(seconds) + 1)]
    return max(windows, default=0) / _BUSIEST_SECONDS


def _default_buckets(namespace: Namespace) -> int | None:
    """Half of the table of connections (``tcp_set_hashinfo``); negative: the table is shared with the first one."""
    entries = namespace.sysctls.get("tcp_ehash_entries")
    return abs(entries) // 2 or None if entries else None


def _lowered_buckets(namespace: Namespace, _thresholds: Thresholds) -> Match | None:
    limit, default = namespace.sysctls["tcp_max_tw_buckets"], _default_buckets(namespace)
    if limit is None or default is None or limit >= default:
        return None
    evidence = [
        f"net.ipv4.tcp_max_tw_buckets = {limit}; this kernel's own: {default}, half of tcp_ehash_entries",
    ]
    return Match(
        "net.ipv4.tcp_max_tw_buckets",
        evidence,
        set_sysctls(namespace, {"ipv4.tcp_max_tw_buckets": str(default)}),
        1 - max(0, limit) / default,
    )


class _Placebo(NamedTuple):
    """A sysctl believed to help against TIME-WAIT, and the value that the kernel gives it."""

    #: below ``net.``
    key: str
    default: Callable[[Namespace], int | None]
    note: str

    def check(self, namespace: Namespace, _thresholds: Thresholds) -> Match | None:
        """Set to something else than the kernel's own value, where that is known."""
        value, default = namespace.sysctls[self.key.rpartition(".")[2]], self.default(namespace)
        if value is None or default is None or value == default:
            return None
        return Match(
            f"net.{self.key}",
            [f"net.{self.key} = {value}; this kernel's own: {default}"],
            set_sysctls(namespace, {self.key: str(default)}, self.note),
        )


def _value(number: int) -> Callable[[Namespace], int | None]:
    return lambda _namespace: number


_FIN_TIMEOUT = _Placebo(
    "ipv4.tcp_fin_timeout", _value(60), "Keep it where it is meant for FIN-WAIT-2: it does act on that."
)
_RFC1337 = _Placebo("ipv4.tcp_rfc1337", _value(0), "")
_CONNTRACK = _Placebo(
    "netfilter.nf_conntrack_tcp_timeout_time_wait", _value(120),
    "Keep it where it is meant to relieve the table of connection tracking: it does act on that.",
)
_ORPHANS = _Placebo(
    "ipv4.tcp_max_orphans", _default_buckets, "Keep it where it is meant for sockets that no process holds any more."
)


def _no_timestamps(namespace: Namespace, _thresholds: Thresholds) -> Match | None:
    if namespace.sysctls["tcp_timestamps"] != 0:
        return None
    return Match(
        "net.ipv4.tcp_timestamps",
        ["net.ipv4.tcp_timestamps = 0; this kernel's own: 1"],
        set_sysctls(namespace, {"ipv4.tcp_timestamps": "1"}, "It acts on new connections only."),
    )


def _keys(*names: str) -> frozenset[str]:
    return frozenset(names)


_MYTH_REFERENCE = "Bernat, Coping with the TCP TIME-WAIT state on busy Linux servers"

RULES = (
    Rule(
        id="TW-SYS-001",
        severity="CRITICAL",
        title="tcp_tw_recycle is on",
        scope=NAMESPACE,
        when="The kernel has `net.ipv4.tcp_tw_recycle` and it is not 0.",
        why=(
            "It drops SYNs whose timestamp is behind the last one seen from the same address. Clients behind"
            " one NAT share an address and not a clock, so some of them cannot connect, and nothing tells"
            " them why."
        ),
        reference="RFC 1323, appendix B.2; removed by commit 4396e46187ca (Linux 4.12)",
        check=_recycle,
        needs=_keys("tcp_tw_recycle"),
    ),
    Rule(
        id="TW-SYS-002",
        severity="MEDIUM",
        title="tcp_tw_reuse has no effect without timestamps",
        scope=NAMESPACE,
        when="`tcp_tw_reuse` is 1 or 2 and `tcp_timestamps` is 0.",
        why=(
            "connect() takes a TIME-WAIT over only if its connection used timestamps: they tell late"
            " segments of the old one from the new one. Without them every quadruplet stays held for the"
            " whole length."
        ),
        reference="tcp_twsk_unique(), net/ipv4/tcp_ipv4.c; RFC 6191",
        check=_inert_reuse,
        needs=_keys("tcp_tw_reuse", "tcp_timestamps"),
        group="timestamps",
    ),
    Rule(
        id="TW-SYS-003",
        severity="INFO",
        title="tcp_tw_reuse does nothing for incoming connections",
        scope=NAMESPACE,
        when="`tcp_tw_reuse` is 1 and the namespace has no outbound pool.",
        why=(
            "Only connect() reads it. A server accepts a SYN over its own TIME-WAIT without it, if sequence"
            " number or timestamp went up."
        ),
        reference="tcp_twsk_unique(), net/ipv4/tcp_ipv4.c; tcp_timewait_state_process(), net/ipv4/tcp_minisocks.c",
        check=_useless_reuse,
        needs=_keys("tcp_tw_reuse", "totals"),
    ),
    Rule(
        id="TW-SYS-004",
        severity="LOW",
        title="Both ends of the port range have the same parity",
        scope=NAMESPACE,
        when="Both ends of `ip_local_port_range` are even, or both are odd.",
        why=(
            "connect() searches one parity and then the other, in halves of equal size: a range of odd size"
            " has one port that the search leaves out. The kernel logs that it prefers different parity."
        ),
        reference="__inet_hash_connect(), net/ipv4/inet_hashtables.c; set_local_port_range(), sysctl_net_ipv4.c",
        check=_parity,
        needs=_keys("port_range"),
    ),
    Rule(
        id="TW-SYS-005",
        severity="LOW",
        title="Services listen inside the port range without being reserved",
        scope=NAMESPACE,
        when="A port in `ip_local_port_range` is listened on and not in `ip_local_reserved_ports`.",
        why=(
            "connect() passes over a port that is listened on. While the service restarts it does not, and a"
            " connection that took the port keeps the service from starting (EADDRINUSE), for the length of"
            " TIME-WAIT and longer."
        ),
        reference="inet_csk_get_port(), net/ipv4/inet_connection_sock.c; ip_local_reserved_ports, ip-sysctl.rst",
        check=_exposed_listeners,
        needs=_keys("port_range", "listeners", "ip_local_reserved_ports"),
    ),
    Rule(
        id="TW-SYS-006",
        severity="MEDIUM",
        title="TIME-WAIT was skipped for want of buckets",
        scope=NAMESPACE,
        when="`TCPTimeWaitOverflow` is above 0.",
        why=(
            "Above `tcp_max_tw_buckets` a connection closes without TIME-WAIT: its quadruplet is free at"
            " once, and a late segment may end up in the next connection. Nothing is logged."
        ),
        reference="inet_twsk_alloc(), net/ipv4/inet_timewait_sock.c; RFC 9293, section 3.6.1",
        check=_overflow,
        needs=_keys("tcp_max_tw_buckets", "counters"),
        group="buckets",
    ),
    Rule(
        id="TW-SYS-007",
        severity="LOW",
        title="TIME-WAIT comes near to the limit of buckets",
        scope=NAMESPACE,
        when=(
            "The TIME-WAIT sockets of the namespace are at least `bucket_share` of `tcp_max_tw_buckets`, or would be"
            " if the busiest 10 s of the last minute, in the pools of the facts, were carried on for the length of"
            " TIME-WAIT."
        ),
        why="Above the limit connections close without TIME-WAIT, and without its protection from late segments.",
        reference="inet_twsk_alloc(), net/ipv4/inet_timewait_sock.c",
        check=_close_to_limit,
        needs=_keys("tcp_max_tw_buckets", "pools", "totals"),
        thresholds=("bucket_share",),
        group="buckets",
    ),
    Rule(
        id="TW-SYS-008",
        severity="LOW",
        title="tcp_max_tw_buckets was lowered",
        scope=NAMESPACE,
        when="`tcp_max_tw_buckets` is less than half of `tcp_ehash_entries`, where the kernel shows that.",
        why=(
            "It does not make TIME-WAIT shorter: it takes away the protection of the connections above the"
            " limit, to save 256 to 512 bytes each."
        ),
        reference="tcp_set_hashinfo(), net/ipv4/tcp_ipv4.c; " + _MYTH_REFERENCE,
        check=_lowered_buckets,
        needs=_keys("tcp_max_tw_buckets", "tcp_ehash_entries"),
        group="buckets",
    ),
    Rule(
        id="TW-SYS-009",
        severity="INFO",
        title="tcp_fin_timeout does not shorten TIME-WAIT",
        scope=NAMESPACE,
        when="`tcp_fin_timeout` is not 60.",
        why="TIME-WAIT is a constant of 60 s. This is how long a closed socket waits in FIN-WAIT-2 for its peer's FIN.",
        reference="TCP_TIMEWAIT_LEN, include/net/tcp.h; " + _MYTH_REFERENCE,
        check=_FIN_TIMEOUT.check,
        needs=_keys("tcp_fin_timeout"),
    ),
    Rule(
        id="TW-SYS-010",
        severity="LOW",
        title="tcp_rfc1337 keeps TIME-WAIT from ending early",
        scope=NAMESPACE,
        when="`tcp_rfc1337` is not 0.",
        why=(
            "It makes TIME-WAIT ignore a RST. A client whose SYN was not accepted answers with a RST to"
            " clear the way for the next SYN: with this set the way is not cleared."
        ),
        reference="RFC 1337; tcp_timewait_state_process(), net/ipv4/tcp_minisocks.c",
        check=_RFC1337.check,
        needs=_keys("tcp_rfc1337"),
    ),
    Rule(
        id="TW-SYS-011",
        severity="LOW",
        title="TCP timestamps are off",
        scope=NAMESPACE,
        when="`tcp_timestamps` is 0, and TW-SYS-002 does not say so already.",
        why=(
            "Without them no TIME-WAIT can be taken over by connect(), and a SYN over TIME-WAIT is accepted"
            " by its sequence number alone."
        ),
        reference="RFC 7323; RFC 6191",
        check=_no_timestamps,
        needs=_keys("tcp_timestamps"),
        group="timestamps",
    ),
    Rule(
        id="TW-SYS-012",
        severity="INFO",
        title="The time-out of connection tracking does not shorten TIME-WAIT",
        scope=NAMESPACE,
        when="`nf_conntrack_tcp_timeout_time_wait` is there and not 120.",
        why="Connection tracking has a table of its own. Sockets in TIME-WAIT know nothing of it, nor it of them.",
        reference="tcp_timeouts, net/netfilter/nf_conntrack_proto_tcp.c",
        check=_CONNTRACK.check,
        needs=_keys("nf_conntrack_tcp_timeout_time_wait"),
    ),
    Rule(
        id="TW-SYS-013",
        severity="INFO",
        title="tcp_max_orphans does not limit TIME-WAIT",
        scope=NAMESPACE,
        when="`tcp_max_orphans` is not half of `tcp_ehash_entries`, where the kernel shows that.",
        why="Orphans are whole sockets that no process holds any more. TIME-WAIT is not counted among them.",
        reference="tcp_too_many_orphans(), net/ipv4/tcp.c",
        check=_ORPHANS.check,
        needs=_keys("tcp_max_orphans", "tcp_ehash_entries"),
    ),
)
