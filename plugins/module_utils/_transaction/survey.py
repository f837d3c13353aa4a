# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The journal as people look at it."""

from typing import Any, Dict, List, Optional, Tuple

from .changes import Entry, States
from .errors import TransactionError
from .journal import Journal
from .rollback import plan_rollback


def list_transactions(journal: Journal) -> Tuple[List[Dict[str, Any]], List[str]]:
    """``(transactions, newest first; a sentence for each entry that cannot be read)``. Nothing is written.

    :raises TransactionError: when the journal cannot be read, or a newer version wrote into it.
    """
    contents = journal.read()
    described = []
    for entry in reversed(contents.entries):
        reason = _why_not(entry, contents.entries)
        described.append(
            {
                "id": entry.id,
                "kind": entry.kind,
                "state": entry.state,
                "module": entry.module,
                "summary": entry.summary,
                "started": entry.started,
                "finished": entry.finished,
                "touched": entry.touched(),
                "undoes": list(entry.undoes),
                "rolled_back_by": entry.rolled_back_by,
                "can_roll_back": reason is None,
                "reason": reason,
            }
        )
    return described, contents.damaged


def _why_not(entry: Entry, entries: List[Entry]) -> Optional[str]:
    """Why a transaction cannot be rolled back now, None when it can."""
    if entry.state == "open":
        return "it was interrupted or is going on: the next run %s it first" % (
            "completes" if entry.kind == "rollback" else "undoes"
        )
    if entry.state == "aborted":
        return "it was undone: %s" % entry.note
    if entry.state == "rolled_back":
        return "it was rolled back by %s" % entry.rolled_back_by
    if entry.kind == "rollback":
        return "it is itself a rollback"
    try:
        plan_rollback(entries, (entry.id,), States(), force=False)
    except TransactionError as error:
        return str(error)
    return None
