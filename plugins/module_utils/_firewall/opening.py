# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is done about a firewall, as plain data."""

from typing import List, NamedTuple, Sequence

from .._transaction.steps import Step


class Opening(NamedTuple):
    """``steps``: of a transaction, in order. ``where``: firewalls that they change. ``advice``: sentences without a
    full stop about what is left to do by hand, or could not be seen."""

    steps: List[Step]
    where: List[str]
    advice: List[str]


def joined(openings: Sequence[Opening]) -> Opening:
    """All of them, as one; what is told twice is told once."""
    where = [name for opening in openings for name in opening.where]
    advice = [one for opening in openings for one in opening.advice]
    return Opening(
        [step for opening in openings for step in opening.steps],
        sorted(set(where), key=where.index),
        sorted(set(advice), key=advice.index),
    )


def nothing(*advice: str) -> Opening:
    """No steps."""
    return Opening([], [], list(advice))
