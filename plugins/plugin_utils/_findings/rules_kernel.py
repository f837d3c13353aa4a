# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Family TW-KERN: what the kernel itself can and cannot do, found by asking it and not by its version.

Where the host could not tell (``available`` is null) a rule says nothing: it is not known to apply.
"""

from __future__ import annotations

from collections.abc import Mapping

from ansible_collections.tcpops.timewait.plugins.module_utils import _ports

from .facts_reader import Facts, Namespace
from .rule import HOST, NAMESPACE, Match, Remedy, Rule

Thresholds = Mapping[str, float]

_SHOWN_CHARACTERS = 60


def _recycle(facts: Facts, _thresholds: Thresholds) -> Match | None:
    recycle = facts.capability("tw_recycle")
    if not recycle.available:
        return None
    works = recycle.detail("works")
    if works is True:
        kind = "timestamps have one offset for each pair of hosts: it acts, on every client behind one NAT alike"
    elif works is False:
        kind = "timestamps begin at a random offset for each connection: it is broken, and drops SYNs at random"
    else:
        kind = "whether it acts as it was meant to could not be told"
    return Match(
        "net.ipv4.tcp_tw_recycle",
        [recycle.evidence, kind],
        Remedy(None, "Leave it at 0, and keep it out of every sysctl file: newer kernels have no such key."),
    )


def _refused_behind_nat(namespace: Namespace, _thresholds: Thresholds) -> Match | None:
    offset = namespace.facts.capability("timestamp_offset")
    refused = namespace.counter("PAWSTimewait")
    if not offset.available or offset.value != "per_4_tuple" or not refused:
        return None
    accepted = namespace.counter("PassiveOpens") or 0
    evidence = [
        f"PAWSTimewait {refused}: segments older than the TIME-WAIT that they met, since the namespace was made",
        f"PassiveOpens {accepted}",
        f"timestamp offset by 4-tuple: {offset.evidence}",
        "that the clients' kernels do the same is likely, and cannot be seen from here",
    ]
    skipped = namespace.counter("TCPACKSkippedTimeWait")
    if skipped:
        evidence.append(f"TCPACKSkippedTimeWait {skipped}: such a segment was not even answered")
    note = (
        "On the clients: sysctl -w net.ipv4.tcp_timestamps=2, which keeps timestamps and leaves out the offset."
        " Not tcp_rfc1337=1 here: it takes away the RST by which such a client frees the quadruplet."
        " Fewer connections (keep-alive) and more addresses behind the NAT make it rarer."
    )
    return Match("PAWSTimewait", evidence, Remedy(None, note), refused / (refused + accepted))


def _poisoned(namespace: Namespace, _thresholds: Thresholds) -> Match | None:
    recovery = namespace.facts.capability("connect_bucket_recovery")
    listening, held = namespace.listening, namespace.held
    if recovery.available is not False or listening is None or held is None or namespace.port_range is None:
        return None
    bound = held - set(listening)
    if not bound:
        return None
    shown = _ports.format_list(bound)
    if len(shown) > _SHOWN_CHARACTERS:
        shown = shown[:_SHOWN_CHARACTERS].rpartition(",")[0] + ", and more"
    evidence = [
        f"{len(bound)} of {namespace.port_range.size} ports held by explicit binds that do not listen: {shown}",
        recovery.evidence,
    ]
    note = "Let the kernel choose the port of outgoing connections, or take ports outside of the range."
    if namespace.facts.capability("bind_address_no_port").available:
        note = (
            "A client that binds an address before connect() should set IP_BIND_ADDRESS_NO_PORT (nginx and HAProxy do"
            " where they know it). One that must have a certain port should take it outside of the range, or have it"
            " reserved."
        )
    subject = f"net.ipv4.ip_local_port_range {namespace.port_range.low} {namespace.port_range.high}"
    return Match(subject, evidence, Remedy(None, note), min(1.0, len(bound) / namespace.port_range.size))


def _no_deferred_bind(facts: Facts, _thresholds: Thresholds) -> Match | None:
    option = facts.capability("bind_address_no_port")
    if option.available is not False:
        return None
    note = "Give such a client more addresses, or let it not bind at all. A newer kernel has the option."
    return Match("IP_BIND_ADDRESS_NO_PORT", [option.evidence], Remedy(None, note))


def _small_table(facts: Facts, thresholds: Thresholds) -> Match | None:
    memory = facts.memory
    if memory is None or not memory.ehash_entries:
        return None
    sockets = sum(
        namespace.time_wait
        for namespace in facts.namespaces
        # a positive number in another namespace is a table of its own (``proc_tcp_ehash_entries``)
        if namespace.is_first or (namespace.sysctls.get("tcp_ehash_entries") or -1) < 0
    )
    load = sockets / memory.ehash_entries
    if load < thresholds["ehash_load"]:
        return None
    wanted = 1 << (sockets - 1).bit_length()
    evidence = [f"{sockets} TIME-WAIT sockets in {memory.ehash_entries} buckets: {load:.3g} each"]
    note = (
        f"Boot with thash_entries={wanted} ({wanted * 8 // 2**20} MiB), which needs a restart; fewer connections do"
        " without one."
    )
    return Match("table of connections", evidence, Remedy(None, note), min(1.0, load / 100))


RULES = (
    Rule(
        id="TW-KERN-001",
        severity="LOW",
        title="The kernel still has tcp_tw_recycle",
        scope=HOST,
        when="There is a sysctl `net.ipv4.tcp_tw_recycle`, whatever it is set to; TW-SYS-001 tells when it is on.",
        why=(
            "A sysctl file copied from an old guide would turn it on, and clients behind NAT could not connect any"
            " more. It relies on one clock for each address, which neither NAT nor random timestamp offsets of the"
            " peers give it."
        ),
        reference="tcp_tw_recycle: 95a22caee396 (4.10), 28ee1b746f49, removed by 4396e46187ca (4.12)",
        check=_recycle,
        needs=frozenset({"capabilities"}),
    ),
    Rule(
        id="TW-KERN-002",
        severity="MEDIUM",
        title="TIME-WAIT refuses connections for their timestamps",
        scope=NAMESPACE,
        when="The timestamp offset of the kernel depends on the 4-tuple, and `PAWSTimewait` is above 0.",
        why=(
            "Where the offset depends on the 4-tuple, a NAT that gives a client the port of an earlier connection"
            " gives it an older timestamp as well. TIME-WAIT takes its SYN for a late segment and drops it; the"
            " client tries again a second or more later."
        ),
        reference="tcp_timewait_state_process(), net/ipv4/tcp_minisocks.c; 165573e41f2f, CVE-2026-23247",
        check=_refused_behind_nat,
        needs=frozenset({"capabilities", "counters"}),
    ),
    Rule(
        id="TW-KERN-003",
        severity="LOW",
        title="Explicit binds keep ports from all other connections",
        scope=NAMESPACE,
        when=(
            "Sockets that do not listen hold ports of the range by an explicit bind, and the kernel is known not to"
            " give such ports back before their last socket has gone."
        ),
        why=(
            "connect() passes over a port that any socket was bound to explicitly, whatever the addresses. On this"
            " kernel it stays so until the last socket of the port has gone, TIME-WAIT included, also of connections"
            " that were there before."
        ),
        reference="__inet_hash_connect(), net/ipv4/inet_hashtables.c; mended by d57f4b874946",
        check=_poisoned,
        needs=frozenset({"capabilities", "port_range", "listeners"}),
    ),
    Rule(
        id="TW-KERN-004",
        severity="LOW",
        title="The kernel has no IP_BIND_ADDRESS_NO_PORT",
        scope=HOST,
        when="A socket does not know the option IP_BIND_ADDRESS_NO_PORT.",
        why=(
            "A client that binds an address gets its port before the kernel knows the destination, so that each port"
            " serves one connection to anywhere: more server ports or addresses do not help it."
        ),
        reference="inet_csk_get_port(), net/ipv4/inet_connection_sock.c; 90c337da1524 (4.2)",
        check=_no_deferred_bind,
        needs=frozenset({"capabilities"}),
    ),
    Rule(
        id="TW-KERN-005",
        severity="LOW",
        title="The table of connections is small for its TIME-WAIT",
        scope=HOST,
        when=(
            "The TIME-WAIT sockets of all namespaces that share the table are at least `ehash_load` for each of its"
            " buckets."
        ),
        why=(
            "Every segment that comes in, and every port that connect() tries, walks the chain of one bucket. The"
            " table is made at boot, and `tcp_max_tw_buckets` was raised beyond what it was made for."
        ),
        reference="__inet_lookup_established(), net/ipv4/inet_hashtables.c; thash_entries, kernel-parameters.txt",
        check=_small_table,
        needs=frozenset({"memory"}),
        thresholds=("ehash_load",),
    ),
)
