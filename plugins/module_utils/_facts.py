# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Puts the facts of one host together: which collectors run, and what is said of those that could not."""

import time
from functools import partial
from typing import Any, Dict, FrozenSet, List, NamedTuple, Optional, Set, Tuple

from . import _capacity, _census, _listening, _memory, _ports, _proxies_there, _sockets
from ._files import Files as ServiceFiles
from ._kernel import capabilities, counters, inside, namespaces, sysctls
from ._kernel.errors import KernelReadError, MissingError
from ._kernel.running import RunningKernel
from ._kernel.symbols import Symbols
from ._sysctl import describe
from ._sysctl.files import Files
from ._tally import Tally

SCHEMA = 1
CONNECTION_REUSE = "connection_reuse"
SUBSETS = (
    "census", CONNECTION_REUSE, "counters", "kernel", "listeners", "memory", "namespaces", "sysctl_files", "sysctls",
)  # fmt: skip
#: takes as long as it is told to: not one of ``all``
CONNECT_FAILURES = "connect_failures"

#: TCP_TIMEWAIT_LEN, include/net/tcp.h
_TIMEWAIT_MS = 60000

Facts = Dict[str, Any]
Problem = Dict[str, str]
Values = Dict[str, sysctls.Value]


class Options(NamedTuple):
    """``top``: pools per namespace and direction, and destinations. ``client_ports``: assumed ports of a client.
    Time-out in seconds, and seconds to listen for failed connections when those are among the subsets."""

    subsets: FrozenSet[str]
    top: int
    client_ports: int
    namespace_timeout: int
    connect_failures_seconds: int = 0


class _Ports(NamedTuple):
    """What automatic choices of a namespace come from: the range, None when unknown, and the reserved ports in it."""

    range: Optional[_ports.PortRange]
    reserved: Set[int]


def gather(kernel: RunningKernel, options: Options) -> Facts:
    """The facts, as docs/schema.md describes them."""
    if CONNECT_FAILURES not in options.subsets:
        return _gather(kernel, options)
    with _listening.Listening(kernel, options.connect_failures_seconds, options.top) as listening:
        facts = _gather(kernel, options)
        try:
            facts[CONNECT_FAILURES] = listening.facts()
        except KernelReadError as error:
            facts["unavailable"].append(_problem(error.what, error.reason))
        return facts


def _gather(kernel: RunningKernel, options: Options) -> Facts:
    timewait_ms, evidence = _timewait_length(kernel)
    first, others, unavailable = _find_namespaces(kernel, options)
    described, problems = _describe(kernel, options, timewait_ms, first)
    unavailable += problems
    facts: Facts = {
        "schema": SCHEMA,
        "collected_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "gather_subset": sorted(options.subsets),
        "kernel": {
            "release": _release(kernel),
            "uptime_seconds": _uptime(kernel),
            "timewait_seconds": timewait_ms // 1000,
            "timewait_evidence": evidence,
        },
        "namespaces": [described],
    }
    if "source" in described:
        facts["source"] = described["source"]
    symbols = Symbols(kernel)
    if "kernel" in options.subsets:
        unavailable += _add_kernel(kernel, symbols, facts["kernel"])
    for namespace, path in others:
        try:
            described, problems = inside.call_inside(
                path, partial(_describe, kernel, options, timewait_ms, namespace), options.namespace_timeout
            )
        except KernelReadError as error:
            unavailable.append(_problem("namespace %s" % namespace.label, error.reason))
            continue
        facts["namespaces"].append(described)
        unavailable += [
            _problem("namespace %s: %s" % (namespace.label, problem["what"]), problem["reason"]) for problem in problems
        ]
    if "memory" in options.subsets:
        totals = [namespace["totals"] for namespace in facts["namespaces"] if "totals" in namespace]
        facts["memory"], problem = _memory.describe(kernel, symbols, totals)
        if problem:
            unavailable.append(
                _problem("slab sizes", "%s; the memory figures are estimates of Linux 6.18 on x86-64" % problem)
            )
    if "sysctl_files" in options.subsets:
        # its own namespace's values: files are loaded there
        persisted, problems = describe.describe(Files(), sysctls.read_sysctls(kernel)[0])
        facts.update(persisted)
        unavailable += problems
    if CONNECTION_REUSE in options.subsets:
        facts[CONNECTION_REUSE], problems = _connections_reused(ServiceFiles())
        unavailable += problems
    facts["unavailable"] = unavailable
    return facts


def _connections_reused(files: ServiceFiles) -> Tuple[List[Facts], List[Problem]]:
    if not _proxies_there.may_be_there(files):
        return [], []
    from . import _connection_reuse  # noqa: PLC0415  # only here, see _proxies_there

    return _connection_reuse.describe(files)


def _problem(what: str, reason: str) -> Problem:
    return {"what": what, "reason": reason}


def _add_kernel(kernel: RunningKernel, symbols: Symbols, facts: Facts) -> List[Problem]:
    facts["capabilities"] = capabilities.read_capabilities(kernel, symbols)
    sizes, problem = capabilities.read_structure_bytes(symbols)
    if problem:
        return [_problem("structure sizes", str(problem))]
    facts["structure_bytes"] = sizes
    return []


def _find_namespaces(
    kernel: RunningKernel, options: Options
) -> Tuple[namespaces.Namespace, List[Tuple[namespaces.Namespace, str]], List[Problem]]:
    """``(own namespace, the others with what opens them, problems)``."""
    problems = []
    if "namespaces" in options.subsets:
        try:
            found, hidden = namespaces.discover(kernel)
            if hidden:
                problems.append(
                    _problem(
                        "namespaces",
                        "%d %s may not be asked for theirs: root may, unless a security policy bars it"
                        % (hidden, "process" if hidden == 1 else "processes"),
                    )
                )
            return found[0], [(one, one.path) for one in found[1:] if one.path], problems
        except KernelReadError as error:
            problems.append(_problem("namespaces", str(error)))
    try:
        return namespaces.own(kernel), [], problems
    except KernelReadError:
        # a kernel or a container without /proc/self/ns: there is one namespace as far as anybody can tell
        return namespaces.Namespace(None, "host", "host", None, 0), [], problems


def _timewait_length(kernel: RunningKernel) -> Tuple[int, str]:
    """Milliseconds, and how that is known. Some vendors' kernels made the constant a sysctl."""
    try:
        value = sysctls.read_value(kernel, "/proc/sys/net/ipv4/tcp_tw_timeout")
    except MissingError:
        return _TIMEWAIT_MS, "constant TCP_TIMEWAIT_LEN; no sysctl net.ipv4.tcp_tw_timeout"
    except KernelReadError as error:
        return _TIMEWAIT_MS, "assumed: %s" % error
    if isinstance(value, int) and 1 <= value <= 600:
        return value * 1000, "sysctl net.ipv4.tcp_tw_timeout"
    return _TIMEWAIT_MS, "assumed: net.ipv4.tcp_tw_timeout is %.20r, not 1 to 600 s" % (value,)


def _release(kernel: RunningKernel) -> Optional[str]:
    try:
        return kernel.read_text("/proc/sys/kernel/osrelease").strip() or None
    except KernelReadError:
        return None


def _uptime(kernel: RunningKernel) -> Optional[float]:
    try:
        return float(kernel.read_text("/proc/uptime").split()[0])
    except (KernelReadError, ValueError, IndexError):
        return None


def _describe(
    kernel: RunningKernel, options: Options, timewait_ms: int, namespace: namespaces.Namespace
) -> Tuple[Facts, List[Problem]]:
    """``(facts of the namespace that this process is in, problems)``."""
    subsets = options.subsets
    facts: Facts = dict(namespace._asdict())
    values, unreadable = sysctls.read_sysctls(kernel)
    problems = [_problem(error.what, error.reason) for error in unreadable]
    if "sysctls" in subsets:
        facts["sysctls"] = values
    if "counters" in subsets:
        problems += _add_counters(kernel, facts)
    try:
        if "census" in subsets:
            ports, range_problems = _choosable(values)
            problems += range_problems
            found = _sockets.read_sockets(kernel, lambda listening: Tally(listening, ports.range, timewait_ms))
            if found.tally:
                facts.update(_census_facts(found, found.tally, values, ports, options))
        elif "listeners" in subsets:
            found = _sockets.read_listeners(kernel)
        else:
            return facts, problems
    except KernelReadError as error:
        problems.append(_problem("census" if "census" in subsets else "listeners", str(error)))
        return facts, problems
    facts["source"] = found.source
    problems += [_problem(error.what, error.reason) for error in found.problems]
    if "listeners" in subsets:
        facts["listeners"] = [{"address": address, "port": port} for address, port in found.listeners]
    return facts, problems


def _add_counters(kernel: RunningKernel, facts: Facts) -> List[Problem]:
    problems = []
    try:
        facts["counters"] = counters.read_counters(kernel)
    except KernelReadError as error:
        problems.append(_problem(error.what, error.reason))
    try:
        facts["sockets"] = counters.read_sockstat(kernel)
    except KernelReadError as error:
        problems.append(_problem(error.what, error.reason))
    return problems


def _choosable(values: Values) -> Tuple[_Ports, List[Problem]]:
    port_range = None
    reserved: Set[int] = set()
    problems = []
    text = values.get("ip_local_port_range")
    try:
        if text is None:
            raise _ports.PortListError("there is no such sysctl")
        port_range = _ports.parse_range(str(text))
    except _ports.PortListError as error:
        problems.append(_problem("net.ipv4.ip_local_port_range", "%s; capacity is unknown" % error))
    try:
        # one port alone was read as a number, none at all as an empty text
        reserved = _ports.parse_list(str(values.get("ip_local_reserved_ports") or ""))
    except _ports.PortListError as error:
        problems.append(_problem("net.ipv4.ip_local_reserved_ports", "%s; none is taken to be reserved" % error))
    return _Ports(port_range, reserved), problems


def _census_facts(
    found: _sockets.Sockets, tally: Tally, values: Values, ports: _Ports, options: Options
) -> Facts:
    facts: Facts = {}
    capacity = None
    if ports.range:
        explicit = found.bound | {port for _address, port in found.listeners}
        capacity = _capacity.outbound_capacity(ports.range, ports.reserved, explicit)
        facts["port_range"] = {
            "low": ports.range.low,
            "high": ports.range.high,
            "reserved": _ports.format_list(ports.reserved),
            "usable": capacity.usable,
            "held": len(capacity.held),
        }
        facts["held_ports"] = _ports.format_list(capacity.held)
    reuse = _census.Reuse(
        _number(values.get("tcp_tw_reuse")),
        _number(values.get("tcp_timestamps")),
        _number(values.get("tcp_tw_reuse_delay")),
    )
    settings = _census.Settings(capacity, options.client_ports, tally.timewait_ms, reuse, options.top)
    census = _census.take(tally, settings)
    facts["states"] = tally.states
    facts["totals"] = census.totals
    facts["pools"] = census.pools
    facts["pools_total"] = sum(total["pools"] for total in census.totals.values())
    facts["pools_omitted"] = census.omitted
    return facts


def _number(value: sysctls.Value) -> Optional[int]:
    return value if isinstance(value, int) else None
