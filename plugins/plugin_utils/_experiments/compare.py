# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the hosts returned -> which of them behave alike. Nothing of it is believed to be of the right type."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from ansible_collections.tcpops.timewait.plugins.plugin_utils._report.collect import reason
from ansible_collections.tcpops.timewait.plugins.plugin_utils._report.text import clean
from ansible_collections.tcpops.timewait.plugins.plugin_utils._report.values import mapping, mappings

#: worst first; what a host returns besides these reads as failed
VERDICTS = ("failed", "differs", "skipped", "agrees")
#: more experiments than there will be; keeps one host from filling the table
_MOST = 100


class Outcome(NamedTuple):
    """What one experiment showed on one host."""

    title: str
    predicts: str
    verdict: str
    told: str


class Alike(NamedTuple):
    """Hosts of one release on which every experiment came to the same verdict; outcomes are those of the first."""

    release: str
    hosts: list[str]
    outcomes: dict[str, Outcome]

    @property
    def worst(self) -> int:
        """Place of the worst verdict in ``VERDICTS``."""
        return min((VERDICTS.index(outcome.verdict) for outcome in self.outcomes.values()), default=len(VERDICTS))


class Comparison(NamedTuple):
    """``missing``: hosts without results, ``(name, unreachable or failed, reason)``."""

    groups: list[Alike]
    missing: list[tuple[str, str, str]]

    @property
    def hosts(self) -> int:
        return sum(len(group.hosts) for group in self.groups) + len(self.missing)

    @property
    def experiments(self) -> list[tuple[str, int]]:
        """``(name, place of its worst verdict)``, worst first, otherwise in the order of the first host."""
        worst: dict[str, int] = {}
        for group in self.groups:
            for name, outcome in group.outcomes.items():
                place = VERDICTS.index(outcome.verdict)
                worst[name] = min(worst.get(name, place), place)
        return sorted(worst.items(), key=lambda entry: entry[1])

    def verdicts(self) -> dict[str, int]:
        """How often each verdict was reached, over all hosts."""
        counts = dict.fromkeys(VERDICTS, 0)
        for group in self.groups:
            for outcome in group.outcomes.values():
                counts[outcome.verdict] += len(group.hosts)
        return counts


def compare(found: Iterable[tuple[str, object]]) -> Comparison:
    """Registered results by host."""
    groups: dict[tuple[object, ...], Alike] = {}
    missing: list[tuple[str, str, str]] = []
    for host, result in found:
        name = clean(host, 120)
        if not isinstance(result, dict):
            missing.append((name, "failed", "no result: the host left the run before its experiments"))
        elif result.get("unreachable") is True:
            missing.append((name, "unreachable", reason(result) or "unreachable"))
        elif result.get("failed") is True or not isinstance(result.get("experiments"), list):
            missing.append((name, "failed", reason(result) or "the module returned no experiments"))
        else:
            outcomes = _outcomes(result)
            release = clean(mapping(result.get("kernel")).get("release"), 40) or "?"
            key = (release, *((one, outcome.verdict) for one, outcome in outcomes.items()))
            groups.setdefault(key, Alike(release, [], outcomes)).hosts.append(name)
    ordered = sorted(groups.values(), key=lambda group: (group.worst, -len(group.hosts)))
    return Comparison(ordered, missing)


def _outcomes(result: Mapping[str, object]) -> dict[str, Outcome]:
    outcomes = {}
    for _place, one in zip(range(_MOST), mappings(result.get("experiments")), strict=False):
        verdict = one.get("verdict")
        told = clean(one.get("told"), 400)
        why = clean(one.get("reason"), 300)
        outcomes[clean(one.get("name"), 30)] = Outcome(
            clean(one.get("title"), 80),
            clean(one.get("predicts"), 300),
            verdict if isinstance(verdict, str) and verdict in VERDICTS else "failed",
            "; ".join(part for part in (told, why) if part) or "nothing was told",
        )
    return outcomes
