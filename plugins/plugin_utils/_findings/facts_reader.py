# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Typed reading of the facts of one host, which are untrusted.

Whatever is not of the type and within the bounds of ``docs/schema.md`` reads as missing; nothing here raises. Numbers
keep the units of the schema.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Any, NamedTuple

from ansible_collections.tcpops.timewait.plugins.module_utils import _ports
from ansible_collections.tcpops.timewait.plugins.plugin_utils._untrusted.text import is_plain, text
from ansible_collections.tcpops.timewait.plugins.plugin_utils._untrusted.values import (
    PORTS,
    count,
    integer,
    listing,
    mapping,
    measure,
    port,
)

from .connect_failures import ConnectFailures, read_connect_failures
from .persisted_reader import Persisted, read_persisted
from .pool import Pool, read_pool
from .reuse_reader import ReuseLine, read_reuse

#: what rules import from here
__all__ = ["Capability", "Facts", "Memory", "Namespace", "Pool", "PortRange", "count", "measure", "read_facts", "text"]

SCHEMA = 1

#: a range of ports is two numbers
_LONGEST_RANGE = 120
#: characters of what ``nsenter --net=`` is given
_LONGEST_PATH = 200

#: sysctls that rules read as numbers
NUMBERS = (
    "nf_conntrack_tcp_timeout_time_wait",
    "tcp_ehash_entries",
    "tcp_fin_timeout",
    "tcp_max_orphans",
    "tcp_max_tw_buckets",
    "tcp_rfc1337",
    "tcp_timestamps",
    "tcp_tw_recycle",
    "tcp_tw_reuse",
)
#: where to look for the reason why a part is missing: words in ``unavailable[].what``
_TOLD_BY = {
    "pools": ("census",),
    "totals": ("census",),
    "listeners": ("listeners", "census"),
    "counters": ("netstat", "snmp"),
    "port_range": ("ip_local_port_range", "census"),
    "memory": ("memory", "census"),
    "capabilities": ("kernel",),
    "connect_failures": ("connect_failures",),
    "connection_reuse": ("connection_reuse",),
    "sysctl_files": ("sysctl_files",),
}


def _port_list(shown: object) -> set[int] | None:
    """Ports and ranges with commas between them; None when it is not what the kernel or this collection writes."""
    if not isinstance(shown, str):
        return None
    ports: set[int] = set()
    covered = 0
    try:
        for item in shown.split(","):
            span = _ports.parse_list(item)
            covered += len(span)
            if covered > PORTS:  # out of a bitmap, in which no port stands twice
                return None
            ports |= span
    except ValueError:
        return None
    return ports


class PortRange(NamedTuple):
    """``ip_local_port_range`` of a namespace, both ends included."""

    low: int
    high: int

    @property
    def size(self) -> int:
        """Ports in it."""
        return self.high - self.low + 1


class Namespace:
    """One network namespace. What is missing is None; ``available`` names what is there."""

    def __init__(self, raw: object, index: int, facts: Facts) -> None:
        self._raw = mapping(raw)
        self.index = index
        self.facts = facts
        self.label = text(self._raw.get("label"), f"namespace {index}")
        self._sysctls = mapping(self._raw.get("sysctls"))
        #: numbers; None for a key that the kernel does not have
        self.sysctls: dict[str, int | None] = {}
        for key in NUMBERS:
            value = self._sysctls.get(key, "")
            if value is None or integer(value) is not None:
                self.sysctls[key] = value
        #: how many by direction
        self.unreadable_pools: dict[str, int] = {}
        self.pools = self._read_pools()
        self.port_range = self._read_port_range()
        self.available = self._available()

    @property
    def is_first(self) -> bool:
        """Whether it is the one that the module ran in."""
        return self.index == 0

    @property
    def path(self) -> str | None:
        """What ``nsenter --net=`` takes; None for the first, or when it is no path."""
        value = self._raw.get("path")
        if not isinstance(value, str) or not value.startswith("/") or not 1 < len(value) <= _LONGEST_PATH:
            return None
        return str(value) if is_plain(value) else None

    def _read_pools(self) -> list[Pool]:
        raw = listing(self._raw.get("pools")) or []
        pools = []
        for one in raw:
            pool = read_pool(one, self)
            if pool is None:
                direction = mapping(one).get("direction")
                shown = direction if direction in ("outbound", "inbound") else "unknown"
                self.unreadable_pools[shown] = self.unreadable_pools.get(shown, 0) + 1
            else:
                pools.append(pool)
        return pools

    def _available(self) -> set[str]:
        found = set(self.sysctls)
        counters = self._raw.get("counters")
        if self._sysctls.get("ip_local_reserved_ports", "-") is None or self.reserved is not None:
            found.add("ip_local_reserved_ports")
        for part, there in (
            ("pools", isinstance(self._raw.get("pools"), list)),
            ("totals", self.total("outbound", "pools") is not None),
            # a kernel may not have this one; where it does, it is a number
            ("counters", isinstance(counters, dict) and count(counters.get("TCPTimeWaitOverflow", 0)) is not None),
            ("listeners", self.listening is not None),
            ("port_range", self.port_range is not None),
        ):
            if there:
                found.add(part)
        return found

    def _read_port_range(self) -> PortRange | None:
        part = mapping(self._raw.get("port_range"))
        low, high = port(part.get("low")), port(part.get("high"))
        if low is not None and high is not None and 0 < low <= high:
            return PortRange(low, high)
        shown = self._sysctls.get("ip_local_port_range")
        if not isinstance(shown, str) or len(shown) > _LONGEST_RANGE:
            return None
        try:
            return PortRange(*_ports.parse_range(shown))
        except ValueError:
            return None

    def total(self, direction: str, field: str) -> int | None:
        """Of the census, all pools: ``pools``, ``used`` or ``time_wait``."""
        return count(mapping(mapping(self._raw.get("totals")).get(direction)).get(field))

    @property
    def time_wait(self) -> int:
        """Sockets in TIME-WAIT, both directions; 0 where it is not told."""
        return sum(self.total(direction, "time_wait") or 0 for direction in ("inbound", "outbound"))

    def peak_close_rate(self, direction: str) -> float | None:
        """Connections that entered TIME-WAIT per second, all pools, busiest ten seconds of the last minute."""
        return measure(mapping(mapping(self._raw.get("totals")).get(direction)).get("peak_close_rate"))

    def state(self, name: str) -> int | None:
        """Sockets in a state."""
        return count(mapping(self._raw.get("states")).get(name))

    def counter(self, name: str) -> int | None:
        """A counter of netstat or snmp; None also when this kernel does not have it."""
        return count(mapping(self._raw.get("counters")).get(name))

    @cached_property
    def listening(self) -> dict[int, object] | None:
        """Ports that sockets listen on, each with one of its addresses as sent; None when any is unreadable."""
        listeners = listing(self._raw.get("listeners"))
        if listeners is None:
            return None
        found: dict[int, object] = {}
        for listener in listeners:
            number = port(mapping(listener).get("port"))
            if number is None:
                return None
            found[number] = listener.get("address")
        return found

    @cached_property
    def reserved(self) -> set[int] | None:
        """``ip_local_reserved_ports``; None when the kernel does not have it or it is unreadable."""
        shown = self._sysctls.get("ip_local_reserved_ports")
        alone = port(shown)  # one port alone is a number
        if alone is not None:
            return {alone}
        return _port_list(shown)

    @cached_property
    def held(self) -> set[int] | None:
        """Ports of the range that explicit binds hold, those of listeners among them."""
        return _port_list(self._raw.get("held_ports"))

    @property
    def unprivileged_from(self) -> int:
        """``ip_unprivileged_port_start``: below it the kernel refuses the low end of a range (EINVAL)."""
        value = port(self._sysctls.get("ip_unprivileged_port_start"))
        return 1024 if value is None else value

    def why_missing(self, part: str) -> str:
        """One sentence for the evidence of a rule that cannot be judged."""
        reason = self.facts.reason(_TOLD_BY.get(part, (part,)), None if self.is_first else self.label)
        return f"{self.label}: {reason or f'no usable {part} in the facts'}"


class Memory(NamedTuple):
    """What TIME-WAIT costs, in bytes. ``source``: slab, or estimate."""

    per_inbound_bytes: int
    per_outbound_bytes: int
    time_wait_bytes: int
    source: str
    ehash_entries: int | None
    #: of the machine
    total_bytes: int | None


class Capability(NamedTuple):
    """What the kernel can do. ``available`` is None where the host could not tell."""

    available: bool | None
    value: object
    evidence: str

    def detail(self, name: str) -> object:
        """One of several values; None when it has no such."""
        return mapping(self.value).get(name)


class Facts:
    """The facts of one host. Make them with ``read_facts``."""

    def __init__(self, raw: dict[str, Any]) -> None:
        self._raw = raw
        self.namespaces = [
            Namespace(one, index, self) for index, one in enumerate(listing(raw.get("namespaces")) or [])
        ]

    @property
    def timewait_seconds(self) -> float:
        """Length of TIME-WAIT; 60 (TCP_TIMEWAIT_LEN) where the facts do not tell."""
        return measure(mapping(self._raw.get("kernel")).get("timewait_seconds")) or 60

    @property
    def memory(self) -> Memory | None:
        """None when a figure is missing."""
        part = mapping(self._raw.get("memory"))
        sizes = [count(part.get(key)) for key in ("per_inbound_bytes", "per_outbound_bytes", "time_wait_bytes")]
        inbound, outbound, total = sizes
        if inbound is None or outbound is None or total is None:
            return None
        entries, machine = count(part.get("ehash_entries")), count(part.get("total_bytes"))
        return Memory(inbound, outbound, total, text(part.get("source")), entries, machine)

    def asked_for(self, subset: str) -> bool:
        """Whether the host was asked for a subset; documents of older versions were not asked for the newer ones."""
        return subset in (listing(self._raw.get("gather_subset")) or [])

    def has(self, part: str) -> bool:
        """Whether a part that only some documents have is there and readable."""
        parts = {
            "connect_failures": self.connect_failures,
            "connection_reuse": self.connection_reuse,
            "sysctl_files": self.persisted,
        }
        return parts[part] is not None

    @cached_property
    def persisted(self) -> Persisted | None:
        """What the sysctl files say; None when the document does not."""
        return read_persisted(self._raw)

    @cached_property
    def capabilities(self) -> dict[str, Capability] | None:
        """By name; None when the document has none."""
        raw = mapping(self._raw.get("kernel")).get("capabilities")
        if not isinstance(raw, dict):
            return None
        return {name: _capability(one) for name, one in raw.items() if isinstance(name, str)}

    def capability(self, name: str) -> Capability:
        """One of them; one that is not there cannot be told."""
        return (self.capabilities or {}).get(name, _capability(None))

    @cached_property
    def connect_failures(self) -> ConnectFailures | None:
        """None when nobody listened, or a field is not what the schema says."""
        return read_connect_failures(self._raw.get("connect_failures"))

    @cached_property
    def connection_reuse(self) -> list[ReuseLine] | None:
        """Lines that keep connections from being used again; None when the document does not say."""
        return read_reuse(self._raw.get("connection_reuse"))

    def unseen_reuse(self, server: str) -> list[str]:
        """Why not all lines of ``connection_reuse`` are known: of haproxy or nginx, or of both when empty. A reason
        begins with the server that it is about, if it is about one."""
        others = tuple(f"{one}: " for one in ("haproxy", "nginx") if server not in ("", one))
        return [why for what, why in self._problems() if what == "connection_reuse" and not why.startswith(others)]

    def _problems(self) -> Iterator[tuple[str, str]]:
        for entry in listing(self._raw.get("unavailable")) or []:
            problem = mapping(entry)
            yield text(problem.get("what"), ""), text(problem.get("reason"), "no reason given")

    def reason(self, words: Iterable[str], label: str | None) -> str | None:
        """What ``unavailable`` says of a part: of the first namespace, or of the one with this label."""
        for what, reason in self._problems():
            of_namespace, _colon, rest = what.partition(": ") if what.startswith("namespace ") else ("", "", what)
            if of_namespace == (f"namespace {label}" if label else "") and any(word in rest for word in words):
                return f"{what}: {reason}"
        return None

    @property
    def hidden_namespaces(self) -> str | None:
        """Why not every namespace is in the facts, though all were asked for."""
        for what, reason in self._problems():
            if what == "namespaces" or (what.startswith("namespace ") and ": " not in what):
                return f"{what}: {reason}"
        return None


def _capability(raw: object) -> Capability:
    part = mapping(raw)
    available = part.get("available")
    return Capability(
        available if isinstance(available, bool) else None, part.get("value"), text(part.get("evidence"), "no evidence")
    )


def read_facts(raw: object) -> Facts | str:
    """The facts, or one sentence why they are none."""
    if not isinstance(raw, dict):
        return f"the facts are not a dictionary but {type(raw).__name__}: was timewait_facts run on this host?"
    schema = raw.get("schema")
    if count(schema) != SCHEMA:
        shown = str(schema) if count(schema) is not None else text(schema, type(schema).__name__)
        return f"the facts have schema {shown}, and these rules read schema {SCHEMA}: gather them again"
    facts = Facts(raw)
    if not facts.namespaces:
        return "the facts have no namespaces: gather them again"
    return facts
