# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Puts it together: which ports of a range to reserve, why, and what the range is then worth."""

from typing import Any, Dict, FrozenSet, List, NamedTuple, Optional, Set, Tuple

from .. import _capacity, _ports
from .._files import Files
from .._kernel.errors import KernelReadError, MissingError
from .._kernel.running import RunningKernel
from . import configuration, held, listening, node_ports, service_units, services_file, socket_units
from .claim import Claim, Problem

_RANGE = "/proc/sys/net/ipv4/ip_local_port_range"
_RESERVED = "/proc/sys/net/ipv4/ip_local_reserved_ports"
_UNPRIVILEGED = "/proc/sys/net/ipv4/ip_unprivileged_port_start"
#: kernels before 5.2 cut what is written there, amid a number, and do not say so (``proc_do_large_bitmap``);
#: newer ones take less than a page a time, and add what the next write to the same open file brings
_ONE_WRITE = 4095
_MOST_HOLDERS = 200
#: without the sysctl: PROT_SOCK, the kernel's constant
_PRIVILEGED = 1024


class Wanted(NamedTuple):
    """What was asked for. ``join_gap``: ports between two reserved ones that may be reserved for a shorter list."""

    range: _ports.PortRange
    ports: FrozenSet[int]
    exclude: FrozenSet[int]
    services_file: bool
    node_ports: str
    join_gap: int


def survey(kernel: RunningKernel, files: Files, wanted: Wanted) -> Dict[str, Any]:
    """The result of module service_ports_info.

    :raises KernelReadError: when the range, the reserved ports or the listening sockets cannot be read.
    """
    running = _read_ports(kernel, _RANGE, _ports.parse_range)
    reserved = _read_ports(kernel, _RESERVED, _ports.parse_list)
    heard, problems = listening.find(kernel)
    claims = heard + [Claim(port, port, "user", "option ports", "asked for") for port in sorted(wanted.ports)]
    for found, unread in (
        socket_units.find(files),
        service_units.find(files),
        configuration.find(files),
        services_file.find(files) if wanted.services_file else ([], []),
        node_ports.find(kernel, files, wanted.node_ports),
    ):
        claims += found
        problems += unread
    inside = frozenset(range(wanted.range.low, wanted.range.high + 1))
    by_port = sources_by_port(claims, inside)
    needed = frozenset(by_port) - wanted.exclude
    target = join(reserved | needed, wanted.join_gap, inside - wanted.exclude)
    heard_ports = frozenset(claim.first for claim in heard)
    new = needed - reserved - heard_ports
    # a port that automatic choice could not have given is held by what was served, or by choice
    holders, problem = _holders(kernel, new & frozenset(range(running.low, running.high + 1)))
    problems += problem
    return {
        "ports": described(by_port, wanted.exclude),
        "reserved": _ports.format_list(reserved),
        "wanted_reserved": _ports.format_list(target),
        "held_by_outgoing": None if holders is None else [one._asdict() for one in holders[:_MOST_HOLDERS]],
        "held_ports": None if holders is None else _ports.format_list({one.port for one in holders}),
        "range": _range_facts(wanted.range, target, heard_ports),
        "running_range": _range_facts(running, frozenset(reserved), heard_ports),
        "cautions": cautions(wanted.range, running, _unprivileged(kernel), _ports.format_list(target)),
        "unavailable": [problem._asdict() for problem in sorted(set(problems))],
    }


def sources_by_port(claims: List[Claim], inside: FrozenSet[int]) -> Dict[int, List[Claim]]:
    """The claims on each port of the range, in the order of the claims, each once."""
    by_port: Dict[int, List[Claim]] = {}
    for claim in claims:
        for port in range(claim.first, claim.last + 1):
            if port in inside and claim not in by_port.setdefault(port, []):
                by_port[port].append(claim)
    return by_port


def described(by_port: Dict[int, List[Claim]], exclude: FrozenSet[int]) -> List[Dict[str, Any]]:
    """The ports with their sources; neighbours that have the same ones are one entry."""
    entries: List[Dict[str, Any]] = []
    for port in sorted(by_port):
        sources = [{"kind": claim.kind, "where": claim.where, "what": claim.what} for claim in by_port[port]]
        last = entries[-1] if entries else {"last_port": -1}
        if last["last_port"] == port - 1 and last["sources"] == sources and last["excluded"] == (port in exclude):
            last["last_port"] = port
        else:
            entries.append({"port": port, "last_port": port, "sources": sources, "excluded": port in exclude})
    return entries


def join(ports: Set[int], gap: int, allowed: FrozenSet[int]) -> FrozenSet[int]:
    """The ports, and those between two of them that are no more than ``gap`` apart from each other and allowed."""
    joined = set(ports)
    last = None
    for port in sorted(ports):
        between = range(port if last is None else last + 1, port)
        last = port
        if len(between) <= gap and allowed.issuperset(between):
            joined.update(between)
    return frozenset(joined)


def cautions(wanted: _ports.PortRange, running: _ports.PortRange, unprivileged: int, text: str) -> List[str]:
    """What a kernel would refuse, or would do otherwise than one thinks."""
    found = []
    if wanted.low < unprivileged:
        found.append(
            "the kernel refuses a range that begins at %d: it is below net.ipv4.ip_unprivileged_port_start, %d"
            % (wanted.low, unprivileged)
        )
    if wanted.low % 2 == wanted.high % 2:
        found.append("both ends of %d-%d are %s: each search of connect() leaves a port out, and the kernel logs it"
                     % (wanted.low, wanted.high, "odd" if wanted.low % 2 else "even"))
    if wanted.low > running.low or wanted.high < running.high:
        found.append("%d-%d leaves out a part of the range that runs, %d-%d"
                     % (wanted.low, wanted.high, running.low, running.high))
    if len(text) > _ONE_WRITE:
        found.append(
            "the list to reserve has %d characters: a kernel before 5.2 drops all behind %d of them, and a newer one"
            " wants several writes to one open file; a larger join_gap shortens it" % (len(text), _ONE_WRITE)
        )
    return found


def _holders(kernel: RunningKernel, ports: FrozenSet[int]) -> Tuple[Optional[List[held.Holder]], List[Problem]]:
    """``(connections, problems)``; None for connections when they could not be looked for."""
    try:
        return held.find(kernel, ports), []
    except KernelReadError as error:
        return None, [Problem("outgoing connections on ports to reserve", str(error))]


def _range_facts(ports: _ports.PortRange, reserved: FrozenSet[int], bound: FrozenSet[int]) -> Dict[str, Any]:
    capacity = _capacity.outbound_capacity(ports, reserved, bound)
    inside = [port for port in reserved if ports.low <= port <= ports.high]
    return {"low": ports.low, "high": ports.high, "reserved": len(inside), "held": len(capacity.held),
            "usable": capacity.usable}


def _read_ports(kernel: RunningKernel, path: str, parse: Any) -> Any:
    text = kernel.read_text(path)
    try:
        return parse(text)
    except _ports.PortListError as error:
        raise KernelReadError(path, str(error)) from None


def _unprivileged(kernel: RunningKernel) -> int:
    value: Optional[str]
    try:
        value = kernel.read_text(_UNPRIVILEGED).strip()
    except MissingError:
        value = None
    return int(value) if value and value.isdigit() else _PRIVILEGED
