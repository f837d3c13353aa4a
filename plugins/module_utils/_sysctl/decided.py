# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the configuration as a whole gives: the last word at boot, of all loaders."""

from typing import AbstractSet, Dict, Iterable, NamedTuple, Optional, Sequence, Tuple

from . import keys, loaders, precedence
from .files import Files
from .reading import Reading

Outcomes = Dict[str, precedence.Outcome]


class Decided(NamedTuple):
    """``value`` as the kernel will show it, and the line that gives it under ``loader``."""

    value: str
    path: str
    line: int
    loader: str


def last_word(found: Sequence[Tuple[Reading, Outcomes]], path: str) -> Optional[Tuple[str, precedence.Outcome]]:
    """``(loader, outcome)`` of the one that decides a key, None where none sets it.

    Loaders run one after the other at boot, and the last that sets a key decides. Where it is known that none of them
    runs at boot, as in a container without an init, they are taken in the same order.
    """
    at_boot = [one for one in found if one[0].at_boot is not False] or found
    for reading, outcomes in reversed(at_boot):
        outcome = outcomes.get(path)
        if outcome and outcome.winner:
            return reading.loader, outcome
    return None


def decided(files: Files, asked: Iterable[str], present: AbstractSet[str]) -> Dict[str, Decided]:
    """What is set by key. A key that nothing sets is absent."""
    followed = keys.Followed(frozenset(asked), frozenset(present))
    found = [(reading, precedence.outcomes(reading, followed)) for reading in loaders.read_all(files)]
    lines = {}
    for path in followed.asked:
        word = last_word(found, path)
        winner = word[1].winner if word else None
        if word and winner and word[1].value is not None:
            lines[path] = Decided(word[1].value, winner.path, winner.line, word[0])
    return lines
