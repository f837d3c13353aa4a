# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a report is made of: plain data, kept small whatever the size of the fleet."""

from __future__ import annotations

import heapq
import operator
from typing import Generic, NamedTuple, TypeVar

from ansible_collections.tcpops.timewait.plugins.plugin_utils._findings.finding import Finding

SEVERITIES = ("CRITICAL", "HIGH", "MEDIUM", "LOW", "INFO")
RANK = {severity: len(SEVERITIES) - place for place, severity in enumerate(SEVERITIES)}

POOLS_KEPT = 1000
FINDINGS_KEPT_PER_RULE = 200

T = TypeVar("T")


class Pool(NamedTuple):
    host: str
    namespace: str
    direction: str
    subject: str
    used: int
    time_wait: int
    reusable: int
    capacity: int
    capacity_assumed: bool
    utilisation: float
    close_rate: float
    sustainable_rate: float
    seconds_to_exhaustion: float | None
    history: tuple[int, ...]


class Item(NamedTuple):
    """A finding as the report shows it: all text in it is clean."""

    host: str
    namespace: str
    subject: str
    evidence: tuple[str, ...]
    remedy: str
    remedy_note: str
    pool: Pool | None
    weight: float


class Host(NamedTuple):
    name: str
    status: str  # audited, unreachable, failed
    reason: str
    worst: str  # severity of its worst finding, "" when it has none
    findings: int
    utilisation: float
    pools: int
    time_wait: int
    time_wait_bytes: int
    kernel: tuple[str, ...]  # one per collect.KERNEL_COLUMNS
    unavailable: tuple[str, ...]


class Worst(Generic[T]):
    """The `limit` items with the largest keys, and a count of all of them, in constant memory."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.count = 0
        self._heap: list[tuple[float, int, T]] = []

    def wants(self, key: float) -> bool:
        return len(self._heap) < self.limit or key > self._heap[0][0]

    def add(self, key: float, item: T) -> None:
        # The running number settles ties, oldest first, so that items are never compared.
        entry = (key, -self.count, item)
        self.count += 1
        if len(self._heap) < self.limit:
            heapq.heappush(self._heap, entry)
        elif key > self._heap[0][0]:
            heapq.heapreplace(self._heap, entry)

    def skip(self) -> None:
        self.count += 1

    def items(self) -> list[T]:
        ordered = sorted(self._heap, key=operator.itemgetter(0, 1), reverse=True)
        return [entry[2] for entry in ordered]


class Group:
    """All findings of one rule, severity and state."""

    def __init__(self, finding: Finding, texts: dict[str, str]) -> None:
        self.id = texts["id"]
        self.title = texts["title"]
        self.why = texts["why"]
        self.reference = texts["reference"]
        self.severity = finding.severity if finding.severity in RANK else "INFO"
        self.state = finding.state
        self.heaviest = 0.0
        self.hosts: dict[str, None] = {}  # a set that keeps its order
        self.items: Worst[Item] = Worst(FINDINGS_KEPT_PER_RULE)

    @property
    def order(self) -> tuple[int, float, str]:
        return (-RANK[self.severity], -self.heaviest, self.id)


class Summary(NamedTuple):
    hosts: int
    audited: int
    unreachable: int
    failed: int
    findings: dict[str, int]
    waived: int
    errors: int
    time_wait: int
    time_wait_bytes: int


class Report(NamedTuple):
    generated_at: str
    collection_version: str
    thresholds: dict[str, float]
    summary: Summary
    hosts: list[Host]  # worst first
    groups: list[Group]  # state fail, worst first
    unjudged: list[Group]  # state error
    pools: list[Pool]  # worst first
    pools_total: int

    @property
    def missing(self) -> list[Host]:
        return [host for host in self.hosts if host.status != "audited"]
