# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Puts the facts of one host together: which collectors run, and what is said of those that could not."""

import time
from collections import namedtuple

from . import _capacity, _census, _ports
from ._aside import Aside
from ._kernel import counters, inside, namespaces, proc_net_tcp, slab, sock_diag, sysctls
from ._kernel.errors import KernelReadError
from ._kernel.running import MissingError
from ._kernel.tcp_states import BOUND_ONLY, CONNECTED, LISTEN, LISTENING
from ._tally import INBOUND, OUTBOUND, Tally

SCHEMA = 1
SUBSETS = ("census", "counters", "listeners", "memory", "namespaces", "sysctls")

#: TCP_TIMEWAIT_LEN, include/net/tcp.h
_TIMEWAIT_SECONDS = 60
_EHASH_BUCKET_BYTES = 8


class Options(namedtuple("Options", "subsets top client_ports namespace_timeout")):
    """``top``: pools per namespace and direction. ``client_ports``: assumed ports of a client. Time-out in seconds."""

    __slots__ = ()


class _Sockets(namedtuple("_Sockets", "source listeners tally bound")):
    """What a namespace's sockets gave.

    ``source``: sock_diag or procfs. ``listeners``: sorted (address, port). ``tally``: None where only those were asked
    for. ``bound``: ports that sockets which do not listen are bound to explicitly.
    """

    __slots__ = ()


def gather(kernel, options):
    """The facts: a dictionary as docs/schema.md says.

    :param kernel: the seam, ``RunningKernel`` or a captured one.
    :raises KernelReadError: when not even the host's own namespace can be told.
    """
    subsets = options.subsets
    unavailable = []
    timewait_ms, evidence = _timewait_length(kernel)
    facts = {
        "schema": SCHEMA,
        "collected_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "gather_subset": sorted(subsets),
        "kernel": {
            "release": _release(kernel),
            "uptime_seconds": _uptime(kernel),
            "timewait_seconds": timewait_ms / 1000.0 if timewait_ms % 1000 else timewait_ms // 1000,
            "timewait_evidence": evidence,
        },
    }
    first, others = _namespaces(kernel, subsets, unavailable)
    described, problems = _describe(kernel, first, options, timewait_ms)
    unavailable.extend(problems)
    facts["namespaces"] = [described]
    if "source" in described:
        facts["source"] = described["source"]
    for namespace in others:
        try:
            described, problems = inside.call_inside(
                namespace.path,
                lambda namespace=namespace: _describe(kernel, namespace, options, timewait_ms),
                options.namespace_timeout,
            )
        except KernelReadError as error:
            unavailable.append(_problem("namespace %s" % namespace.label, error.reason))
            continue
        facts["namespaces"].append(described)
        for problem in problems:
            unavailable.append(_problem("namespace %s: %s" % (namespace.label, problem["what"]), problem["reason"]))
    if "memory" in subsets:
        facts["memory"] = _memory(kernel, facts["namespaces"], unavailable)
    facts["unavailable"] = unavailable
    return facts


def _problem(what, reason):
    return {"what": what, "reason": reason}


def _namespaces(kernel, subsets, unavailable):
    """``(own namespace, the others)``."""
    if "namespaces" in subsets:
        try:
            found, hidden = namespaces.discover(kernel)
            if hidden:
                unavailable.append(
                    _problem(
                        "namespaces",
                        "those of %d processes may not be read: root may, unless a security policy bars it" % hidden,
                    )
                )
            return found[0], found[1:]
        except KernelReadError as error:
            unavailable.append(_problem("namespaces", str(error)))
    try:
        return namespaces.own(kernel), []
    except KernelReadError:
        return namespaces.Namespace(None, "host", "host", None, 0), []


def _timewait_length(kernel):
    """Milliseconds, and how that is known. Some vendors' kernels made the constant a sysctl."""
    key = "/proc/sys/net/ipv4/tcp_tw_timeout"
    try:
        value = sysctls.read_value(kernel, key)
    except MissingError:
        return _TIMEWAIT_SECONDS * 1000, "constant TCP_TIMEWAIT_LEN; no sysctl net.ipv4.tcp_tw_timeout"
    except KernelReadError as error:
        return _TIMEWAIT_SECONDS * 1000, "assumed: %s" % error
    if isinstance(value, int) and 1 <= value <= 600:
        return value * 1000, "sysctl net.ipv4.tcp_tw_timeout"
    return _TIMEWAIT_SECONDS * 1000, "assumed: net.ipv4.tcp_tw_timeout is %.20r, not 1 to 600 s" % (value,)


def _release(kernel):
    try:
        return kernel.read_text("/proc/sys/kernel/osrelease").strip() or None
    except KernelReadError:
        return None


def _uptime(kernel):
    try:
        return float(kernel.read_text("/proc/uptime").split()[0])
    except (KernelReadError, ValueError, IndexError):
        return None


def _describe(kernel, namespace, options, timewait_ms):
    """``(facts of the namespace that this process is in, problems)``."""
    subsets = options.subsets
    problems = []
    facts = namespace._asdict()
    facts = {key: facts[key] for key in ("inode", "label", "kind", "path", "pids")}
    values, unreadable = sysctls.read_sysctls(kernel)
    problems.extend(_problem(error.what, error.reason) for error in unreadable)
    if "sysctls" in subsets:
        facts["sysctls"] = values
    if "counters" in subsets:
        for key, read in (("counters", counters.read_counters), ("sockets", counters.read_sockstat)):
            try:
                facts[key] = read(kernel)
            except KernelReadError as error:
                problems.append(_problem(error.what, error.reason))
    if "census" not in subsets and "listeners" not in subsets:
        return facts, problems
    port_range, reserved = _range(values, problems)
    try:
        found = _read_sockets(kernel, port_range, timewait_ms, "census" in subsets, problems)
    except KernelReadError as error:
        problems.append(_problem("census" if "census" in subsets else "listeners", str(error)))
        return facts, problems
    facts["source"] = found.source
    if "listeners" in subsets:
        facts["listeners"] = [{"address": address, "port": port} for address, port in found.listeners]
    if "census" in subsets:
        facts.update(_census_facts(kernel, found, values, port_range, reserved, options, timewait_ms))
    return facts, problems


def _range(values, problems):
    """``(PortRange or None, reserved ports)``."""
    port_range = None
    reserved = set()
    text = values.get("ip_local_port_range")
    try:
        if text is None:
            raise _ports.PortListError("there is no such sysctl")
        port_range = _ports.parse_range(str(text))
    except _ports.PortListError as error:
        problems.append(_problem("net.ipv4.ip_local_port_range", "%s; capacity is unknown" % error))
    try:
        # one port alone is a number, none at all an empty text
        reserved = _ports.parse_list(str(values.get("ip_local_reserved_ports") or ""))
    except _ports.PortListError as error:
        problems.append(_problem("net.ipv4.ip_local_reserved_ports", "%s; none is taken to be reserved" % error))
    return port_range, reserved


def _read_sockets(kernel, port_range, timewait_ms, all_states, problems):
    """Sockets by sock_diag, or by procfs where the kernel will not dump."""
    try:
        listening = list(sock_diag.sockets(kernel.dump(LISTENING)))
        if not all_states:
            return _Sockets("sock_diag", _addresses(listening), None, set())
        # a walk over the table of bound ports, in which time-wait entries stand too: it takes a third of a dump
        bound_only = Aside(lambda: {one.local_port for one in sock_diag.sockets(kernel.dump(BOUND_ONLY))})
        tally = _tally(listening, port_range, timewait_ms)
        for datagram in kernel.dump(CONNECTED):
            tally.add_datagram(datagram)
        tally.finish()
        bound = bound_only.result()
        if tally.live_outbound:
            # one more walk over the table of connections, only where there are sockets that it can tell about
            explicit = sock_diag.sockets(kernel.dump(CONNECTED, sock_diag.EXPLICITLY_BOUND))
            bound.update(one.local_port for one in explicit if not one.mini)
        return _Sockets("sock_diag", _addresses(listening), tally, bound)
    except sock_diag.DumpRefused as refusal:
        problems.append(
            _problem(
                refusal.what,
                "%s; read from /proc/net/tcp instead, which shows no sockets that are only bound" % refusal.reason,
            )
        )
    # direction needs every listening socket first, so the files are read twice
    listening = [found for found in _proc_sockets(kernel) if found.state == LISTEN]
    if not all_states:
        return _Sockets("procfs", _addresses(listening), None, set())
    tally = _tally(listening, port_range, timewait_ms)
    for found in _proc_sockets(kernel):
        tally.add(found)
    tally.finish()
    return _Sockets("procfs", _addresses(listening), tally, set())


def _proc_sockets(kernel):
    for path, family in proc_net_tcp.FILES:
        try:
            for found in proc_net_tcp.sockets(kernel.read_lines(path), family, path):
                yield found
        except MissingError:
            if family == sock_diag.AF_INET:
                raise
            # a kernel without IPv6


def _tally(listening, port_range, timewait_ms):
    return Tally({one.local_port for one in listening}, port_range, timewait_ms)


def _addresses(listening):
    """SO_REUSEPORT makes many sockets of one address and port: each pair once."""
    return sorted({(_census.format_address(one.local_address), one.local_port) for one in listening})


def _census_facts(kernel, found, values, port_range, reserved, options, timewait_ms):
    capacity = None
    facts = {}
    if port_range:
        explicit = found.bound | {port for _address, port in found.listeners}
        capacity = _capacity.outbound_capacity(port_range, reserved, explicit)
        facts["port_range"] = {
            "low": port_range.low,
            "high": port_range.high,
            "reserved": _ports.format_list(reserved),
            "usable": capacity.usable,
            "held": len(capacity.held),
        }
        facts["held_ports"] = _ports.format_list(capacity.held)
    census = _census.take(
        found.tally,
        _census.Settings(
            capacity,
            options.client_ports,
            timewait_ms,
            _census.Reuse(values.get("tcp_tw_reuse"), values.get("tcp_timestamps"), values.get("tcp_tw_reuse_delay")),
            options.top,
        ),
    )
    facts["states"] = found.tally.states
    facts["totals"] = census.totals
    facts["pools"] = census.pools
    facts["pools_total"] = sum(total["pools"] for total in census.totals.values())
    facts["pools_omitted"] = census.omitted
    return facts


def _memory(kernel, described, unavailable):
    size, problem = slab.read_entry_size(kernel)
    if problem:
        unavailable.append(
            _problem("slab sizes", "%s; the memory figures are estimates of Linux 6.18 on x86-64" % problem)
        )
    entries, source = _ehash(kernel)
    totals = [namespace["totals"] for namespace in described if "totals" in namespace]
    time_wait_bytes = None
    if totals:
        time_wait_bytes = sum(
            total[INBOUND]["time_wait"] * size.inbound + total[OUTBOUND]["time_wait"] * size.outbound for total in totals
        )
    return {
        "per_inbound_bytes": size.inbound,
        "per_outbound_bytes": size.outbound,
        "time_wait_bytes": time_wait_bytes,
        "source": size.source,
        "ehash_entries": entries,
        "ehash_bytes": entries * _EHASH_BUCKET_BYTES if entries else None,
        "ehash_source": source,
    }


def _ehash(kernel):
    """Buckets of the table of connections, and how that is known."""
    for name, factor, source in (("tcp_ehash_entries", 1, "sysctl"), ("tcp_max_tw_buckets", 2, "estimate")):
        try:
            value = sysctls.read_value(kernel, "/proc/sys/net/ipv4/" + name)
        except KernelReadError:
            continue
        if isinstance(value, int) and value:
            # negative: the namespace shares the table of the first one (proc_tcp_ehash_entries)
            return abs(value) * factor, source
    return None, None
