# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run did, or would do."""

from typing import Any, Dict, List, NamedTuple, Optional, Tuple


class Recovered(NamedTuple):
    """An interrupted transaction that was dealt with first.

    ``action``: undone, or completed when it was a rollback. ``transactions``: those that are not in force any more
    because of it. ``changed``: whether there was anything to do. ``notes``: what could not be put back, and why that
    is no matter.
    """

    id: str
    module: str
    summary: str
    action: str
    transactions: Tuple[str, ...]
    changed: bool
    notes: Tuple[str, ...]


class Outcome(NamedTuple):
    """``diff``: as Ansible takes it, of the steps, not of the recovery. ``transaction_id``: None when there is none."""

    changed: bool
    transaction_id: Optional[str]
    diff: List[Dict[str, str]]
    recovered: List[Recovered]
    warnings: List[str]
    rolled_back: Tuple[str, ...] = ()

    def as_result(self) -> Dict[str, Any]:
        """For ``exit_json``, but for the warnings, which go to ``module.warn``."""
        return {
            "changed": self.changed,
            "transaction": self.transaction_id,
            "diff": self.diff,
            "recovered": [
                dict(one._asdict(), transactions=list(one.transactions), notes=list(one.notes))
                for one in self.recovered
            ],
        }
