# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an experiment is, and what comes of it."""

from typing import Any, Callable, Dict, NamedTuple, Optional

from .bench import Bench

AGREES, DIFFERS, SKIPPED, FAILED = "agrees", "differs", "skipped", "failed"
ARTICLE, KERNEL = "article", "kernel"

#: numbers and booleans by name, units in the names
Figures = Dict[str, Any]


class Judgement(NamedTuple):
    """What figures say.

    ``told``: what this kernel did, one sentence. ``shows``: capability, as docs/schema.md names them -> what was seen of
    its ``available``; ``name.value`` or ``name.key`` for its value or for one key of it. ``reason``: why it is skipped.
    """

    verdict: str
    told: str
    shows: Dict[str, Any]
    reason: Optional[str] = None


class Experiment(NamedTuple):
    """``measure`` runs in a sandbox and only makes figures; ``judge`` is pure.

    ``own_limit_seconds``: of a slow one, which only runs when it is named.
    """

    name: str
    title: str
    predicts: str
    predicted_by: str
    measure: Callable[[Bench], Figures]
    judge: Callable[[Figures], Judgement]
    own_limit_seconds: Optional[int] = None


def verdict_of(agrees: bool) -> str:
    """For an experiment in which chance has no part."""
    return AGREES if agrees else DIFFERS


def inconclusive(told: str, reason: str) -> Judgement:
    """Figures that say neither yes nor no."""
    return Judgement(SKIPPED, told, {}, "inconclusive: %s" % reason)
