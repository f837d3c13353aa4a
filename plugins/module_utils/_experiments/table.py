# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of all experiments. Adding one is adding an entry to its family."""

from typing import List, Sequence, Tuple

from . import accepting, capacity, ending, reuse, search
from .experiment import Experiment

EXPERIMENTS: Tuple[Experiment, ...] = (
    capacity.EXPERIMENTS + reuse.EXPERIMENTS + accepting.EXPERIMENTS + ending.EXPERIMENTS + search.EXPERIMENTS
)

#: ``all`` are the quick ones, ``slow`` the others
ALL, SLOW = "all", "slow"


def chosen(asked: Sequence[str]) -> List[Experiment]:
    """Experiments that names stand for, in the table's order; the quick ones when none are given.

    :raises ValueError: with the sentence for the user when a name is none.
    """
    known = {one.name for one in EXPERIMENTS}
    for name in asked:
        if name not in known and name not in (ALL, SLOW):
            raise ValueError(
                "experiments has %r: it takes %s, %s, and the names %s" % (name, ALL, SLOW, ", ".join(sorted(known)))
            )
    wanted = set(asked or (ALL,))
    return [
        one
        for one in EXPERIMENTS
        if one.name in wanted or (SLOW if one.own_limit_seconds else ALL) in wanted
    ]
