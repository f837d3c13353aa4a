# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Family TW-POOL: pools that run out of quadruplets.

Outbound pools are judged by what connect() cannot have: quadruplets held, less the TIME-WAIT that it may take over
(``tcp_twsk_unique``). The number of TIME-WAIT sockets is not judged.
"""

from __future__ import annotations

from collections.abc import Mapping

from . import rules_app
from .connect_failures import Destination
from .facts_reader import Facts, Namespace, Pool
from .remedies import set_range, wide_range
from .rule import HOST, INBOUND_POOL, NAMESPACE, OUTBOUND_POOL, Match, Remedy, Rule

Thresholds = Mapping[str, float]

_SHOWN_DESTINATIONS = 5

_FEWER_CONNECTIONS = "First of all open fewer connections: keep-alive, or a connection pool in the client."
_MORE_QUADRUPLETS = (
    "Then more quadruplets: more ports on the server (no help to a client that binds an address without"
    " IP_BIND_ADDRESS_NO_PORT), more client addresses, more server addresses."
)
_ANY_RANGE = (
    "Then a wider net.ipv4.ip_local_port_range in the namespace that connects there, which the facts do not show; more"
    " ports on the server, more client addresses, more server addresses."
)
_REUSE = "net.ipv4.tcp_tw_reuse=1 lets connect() take over TIME-WAIT of this side, almost safely; it comes last."


def _percent(share: float) -> str:
    return f"{share * 100:.0f} %" if share < 10 else "more than 1000 %"


def _rates(pool: Pool) -> list[str]:
    if pool.close_rate is None or pool.sustainable_rate is None:
        return []
    return [f"{pool.close_rate:.4g} closes/s, sustainable {pool.sustainable_rate:.4g}/s"]


def _occupancy(pool: Pool) -> list[str]:
    used = f"used {pool.used} of {pool.capacity}"
    if pool.capacity:
        used += f" ({_percent(pool.used / pool.capacity)})"
    lines = [used]
    if pool.reusable:
        lines.append(
            f"{pool.reusable} of them are TIME-WAIT that connect() may take over, if those connections used"
            f" timestamps: that leaves {_percent(pool.effective)}"
        )
    return lines + _rates(pool)


def _more_quadruplets(pool: Pool, thresholds: Thresholds) -> Remedy:
    """The cures in the order of effort; the command is the wider range, where there is one to be had."""
    namespace = pool.namespace
    lines = rules_app.reuse_of(pool)
    advice = [f"First of all use connections again. {rules_app.edits(lines)}." if lines else _FEWER_CONNECTIONS]
    wanted = wide_range(namespace, thresholds)
    if wanted:
        advice.append("The command widens the range of ports of this side.")
    advice.append(_MORE_QUADRUPLETS)
    if namespace.sysctls.get("tcp_tw_reuse") != 1 and namespace.sysctls.get("tcp_timestamps"):
        advice.append(_REUSE)
    note = " ".join(advice)
    return set_range(namespace, wanted, note) if wanted else Remedy(None, note)


def _outbound(pool: Pool, thresholds: Thresholds, name: str) -> Match | None:
    if pool.effective < thresholds[name]:
        return None
    return Match(pool.subject, _occupancy(pool), _more_quadruplets(pool, thresholds), min(1.0, pool.effective))


def _critical(pool: Pool, thresholds: Thresholds) -> Match | None:
    return _outbound(pool, thresholds, "pool_critical")


def _high(pool: Pool, thresholds: Thresholds) -> Match | None:
    return _outbound(pool, thresholds, "pool_high")


def _cliff(pool: Pool, thresholds: Thresholds) -> Match | None:
    return _outbound(pool, thresholds, "pool_cliff")


def _forecast(pool: Pool, thresholds: Thresholds) -> Match | None:
    left = pool.seconds_to_exhaustion
    if left is None or left >= thresholds["exhaustion_seconds"] or pool.effective >= thresholds["pool_critical"]:
        return None
    # the forecast takes TIME-WAIT to last its whole length, which is not so where connect() takes it over
    if pool.reusable * 2 > pool.time_wait:
        return None
    evidence = [f"exhausted in {left:.0f} s if the mean rate of the last 10 s goes on", *_occupancy(pool)]
    return Match(pool.subject, evidence, _more_quadruplets(pool, thresholds), min(1.0, pool.effective))


def _inbound(pool: Pool, thresholds: Thresholds) -> Match | None:
    if not pool.capacity or pool.used < thresholds["inbound_pool"] * pool.capacity:
        return None
    share = pool.used / pool.capacity
    evidence = [
        f"used {pool.used} of {pool.capacity} ({_percent(share)})",
        "the capacity is an assumption: the client's range cannot be seen from here",
        *_rates(pool),
    ]
    note = (
        "Keep-alive first; or let the client close first, so that TIME-WAIT is on its side. Then listen on"
        " more ports or addresses, and let the client use them; or give the client more addresses. No sysctl"
        " of this host helps."
    )
    role = "add_listen_ports" if pool.namespace.is_first else ""
    return Match(pool.subject, evidence, Remedy(None, note, role), min(1.0, share))


def _narrow(namespace: Namespace, _thresholds: Thresholds) -> Match | None:
    reference, own = namespace.facts.namespaces[0].port_range, namespace.port_range
    if namespace.is_first or reference is None or own is None or own.size >= reference.size:
        return None
    if not namespace.total("outbound", "pools"):
        return None
    first = namespace.facts.namespaces[0].label
    evidence = [
        f"range {own.low} to {own.high}: {own.size} ports",
        f"range of {first} {reference.low} to {reference.high}: {reference.size} ports",
    ]
    fullest = max((pool for pool in namespace.pools if pool.direction == "outbound"), key=_effective, default=None)
    if fullest:
        evidence.append(f"fullest outbound pool: {fullest.subject}, used {fullest.used} of {fullest.capacity}")
    wanted = wide_range(namespace, {"wide_range_low": reference.low, "wide_range_high": reference.high})
    note = "Only worth it where an outbound pool of that namespace gets full."
    return Match(
        f"net.ipv4.ip_local_port_range {own.low} {own.high}",
        evidence,
        set_range(namespace, wanted, note) if wanted else Remedy(None, note),
        min(1.0, fullest.effective) if fullest else 0.0,
    )


def _effective(pool: Pool) -> float:
    return pool.effective


def _failing(facts: Facts, thresholds: Thresholds) -> Match | None:
    failures = facts.connect_failures
    if failures is None or not failures.total:
        return None
    shown = failures.destinations[:_SHOWN_DESTINATIONS]
    evidence = [f"{failures.total} connects failed in {failures.seconds:.3g} s, in all namespaces of the host"]
    evidence += [f"{one.failures} of them to {one.subject}" for one in shown]
    elsewhere = failures.total - sum(one.failures for one in shown)
    if elsewhere > 0:
        evidence.append(f"{elsewhere} of them to other destinations")
    if failures.lost:
        evidence.append(f"{failures.lost} more came too fast to be read")
    # the event does not tell the namespace, the census does
    pools = sorted((pool for one in shown for pool in _pools_to(facts, one)), key=_effective, reverse=True)
    for pool in pools[:1]:
        evidence += [f"fullest outbound pool to there: {pool.subject}, in namespace {pool.namespace.label}"]
        evidence += _occupancy(pool)
    remedy = _more_quadruplets(pools[0], thresholds) if pools else Remedy(None, f"{_FEWER_CONNECTIONS} {_ANY_RANGE}")
    return Match(shown[0].subject if shown else "connect()", evidence, remedy, 1.0)


def _pools_to(facts: Facts, destination: Destination) -> list[Pool]:
    return [
        pool
        for namespace in facts.namespaces
        for pool in namespace.pools
        if pool.direction == "outbound" and pool.remote == destination.subject
    ]


_POOLS = frozenset({"pools"})
_SCARCE = (
    "Each connection from one address to one address and port needs a port of its own, and TIME-WAIT keeps"
    " it for a minute. When none is left, connect() fails with EADDRNOTAVAIL, and no counter of the kernel"
    " shows it."
)

RULES = (
    Rule(
        id="TW-POOL-003",
        severity="CRITICAL",
        title="Outbound pool is nearly exhausted",
        scope=OUTBOUND_POOL,
        when="Quadruplets held, less reusable TIME-WAIT, are at least `pool_critical` of the capacity.",
        why=_SCARCE,
        reference="__inet_hash_connect(), net/ipv4/inet_hashtables.c",
        check=_critical,
        needs=_POOLS,
        thresholds=("pool_critical", "wide_range_low", "wide_range_high"),
        group="occupancy",
    ),
    Rule(
        id="TW-POOL-002",
        severity="HIGH",
        title="Outbound pool is filling up",
        scope=OUTBOUND_POOL,
        when="Quadruplets held, less reusable TIME-WAIT, are at least `pool_high` of the capacity.",
        why=_SCARCE,
        reference="__inet_hash_connect(), net/ipv4/inet_hashtables.c",
        check=_high,
        needs=_POOLS,
        thresholds=("pool_high", "wide_range_low", "wide_range_high"),
        group="occupancy",
    ),
    Rule(
        id="TW-POOL-001",
        severity="MEDIUM",
        title="Outbound pool is past the port-search cliff",
        scope=OUTBOUND_POOL,
        when="Quadruplets held, less reusable TIME-WAIT, are at least `pool_cliff` of the capacity.",
        why=(
            "connect() tries every port of the parity of the range's low end before any other. From half of"
            " the range on these are all taken, and each connect() walks through all of them first: measured"
            " 3 to 4 ms instead of 14 to 20 us with the default range."
        ),
        reference="__inet_hash_connect(), net/ipv4/inet_hashtables.c; commits 07f4c90062f8, 1580ab63fc9a",
        check=_cliff,
        needs=_POOLS,
        thresholds=("pool_cliff", "wide_range_low", "wide_range_high"),
        group="occupancy",
    ),
    Rule(
        id="TW-POOL-004",
        severity="HIGH",
        title="Outbound pool is about to be exhausted",
        scope=OUTBOUND_POOL,
        when=(
            "At the mean rate of the last 10 s the pool is full in less than `exhaustion_seconds`, it is"
            " below `pool_critical` as yet, and not more than half of its TIME-WAIT is reusable."
        ),
        why="A pool sustains capacity / length of TIME-WAIT connections per second. This one is asked for more.",
        reference="Bernat, Coping with the TCP TIME-WAIT state on busy Linux servers; RFC 9293, section 3.6.1",
        check=_forecast,
        needs=_POOLS,
        thresholds=("exhaustion_seconds", "pool_critical", "wide_range_low", "wide_range_high"),
    ),
    Rule(
        id="TW-POOL-005",
        severity="LOW",
        title="One client may be running out of ports towards this service",
        scope=INBOUND_POOL,
        when="Quadruplets held are at least `inbound_pool` of the capacity assumed for one client.",
        why=(
            "The client chooses the port, so the shortage is the client's, or that of the NAT in front of"
            " it. This side normally accepts a SYN over TIME-WAIT; behind NAT it may not, because timestamps"
            " go backwards, and the client then waits for a second SYN."
        ),
        reference="tcp_timewait_state_process(), net/ipv4/tcp_minisocks.c; RFC 6191; commit 165573e41f2f",
        check=_inbound,
        needs=_POOLS,
        thresholds=("inbound_pool",),
    ),
    Rule(
        id="TW-POOL-006",
        severity="LOW",
        title="A namespace has a narrower port range than the host",
        scope=NAMESPACE,
        when=(
            "`ip_local_port_range` of a namespace that has outbound pools is smaller than that of the first"
            " one. Namespaces with the same range share one finding."
        ),
        why=(
            "A namespace begins with the range that is compiled in and inherits nothing: a range that was"
            " widened on the host does not reach containers."
        ),
        reference="ipv4_sysctl_init_net(), net/ipv4/sysctl_net_ipv4.c; https://github.com/kubernetes/kops/issues/9385",
        check=_narrow,
        needs=frozenset({"port_range", "totals", "pools", "namespaces"}),
    ),
    Rule(
        id="TW-POOL-007",
        severity="CRITICAL",
        title="Connections fail for want of a port",
        scope=HOST,
        when=(
            "The host was listened to (`connect_failures_seconds`), and a connect() without a port of its own failed"
            " before it had one."
        ),
        why=(
            "connect() found every port of the range reserved, bound explicitly, or taken in a connection to the same"
            " destination, TIME-WAIT included, and failed with EADDRNOTAVAIL. The application has an error now, and no"
            " counter of the kernel shows it."
        ),
        reference="tcp_v4_connect(), net/ipv4/tcp_ipv4.c; __inet_hash_connect(), net/ipv4/inet_hashtables.c",
        check=_failing,
        needs=frozenset({"connect_failures"}),
        thresholds=("wide_range_low", "wide_range_high"),
    ),
)
