# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Takes committed transactions back, newest first, in one transaction of its own."""

import os
from typing import Dict, List, NamedTuple, Optional, Sequence, Set, Tuple

from .address_target import AddressTarget
from .changes import Change, Command, Entry, Planned, States, changes_of, diff_of
from .engine import carry_through, changed_by, new_entry, pruned, told
from .errors import TransactionError
from .file_write import missing_folders
from .journal import Journal
from .moves import Move, goes_last, objections_to, perform, towards_before
from .outcome import Outcome, Recovered
from .recovery import foresee, recover
from .targets import FileTarget, Identity


#: for connections to end from an address that servers were told to use no more
_WAIT_SECONDS = 60


class Choice(NamedTuple):
    """Which transactions: one by its id, the last so many, or all; none of these recovers only."""

    transaction: Optional[str] = None
    last: int = 0
    all: bool = False


class Plan(NamedTuple):
    """``undoes``: ids, newest first. ``notes``: what stays as it is, and why."""

    undoes: Tuple[str, ...]
    steps: Tuple[Planned, ...]
    notes: List[str]


def rollback(journal: Journal, choice: Choice, force: bool = False) -> Outcome:
    """Put back what was before the chosen transactions.

    A rollback is a transaction: it is all done or not at all, and one that was interrupted is completed by
    the next run. An interrupted transaction is dealt with first, and counts as one of the last.

    :param force: also where somebody else changed something since; that is kept in the journal.
    :raises TransactionError: when it is refused or failed, with what was put back.
    """
    if not journal.exists():
        choose([], choice, [])
        return Outcome(False, None, [], [], [])
    with journal.lock():
        contents = journal.read()
        recovered = recover(journal, contents, force)
        contents = journal.read()
        try:
            plan = plan_rollback(contents.entries, choose(contents.entries, choice, recovered), States(), force)
            if not plan.undoes:
                return Outcome(changed_by(recovered), None, [], recovered, contents.damaged)
            summary = "rollback of %s" % ", ".join(plan.undoes)
            entry = new_entry(journal.next_id(), "rollback", summary, plan.steps)
            entry = entry._replace(kind="rollback", undoes=plan.undoes)
            carry_through(journal, entry)
        except TransactionError as error:
            raise TransactionError(str(error) + told(recovered)) from None
        warnings = contents.damaged + plan.notes + _mark(journal) + pruned(journal)
    return _outcome(plan, entry.id, recovered, warnings)


def preview_rollback(journal: Journal, choice: Choice, force: bool = False) -> Outcome:
    """What ``rollback`` would do: the same plan, and nothing written or locked."""
    contents = journal.read()
    states = States()
    foreseen = foresee(contents, states, force)
    plan = plan_rollback(foreseen.entries, choose(foreseen.entries, choice, foreseen.recovered), states, force)
    return _outcome(plan, None, foreseen.recovered, contents.damaged + plan.notes)


def _outcome(plan: Plan, identity: Optional[str], recovered: List[Recovered], warnings: List[str]) -> Outcome:
    changes = changes_of(plan.steps)
    diff = [diff_of(change) for change in changes if not change.target.same(change.before, change.after)]
    return Outcome(bool(changes) or changed_by(recovered), identity, diff, recovered, warnings, plan.undoes)


def _mark(journal: Journal) -> List[str]:
    """Let the entries themselves say that they were rolled back, for whoever reads them by hand."""
    try:
        for entry in journal.read().entries:
            if entry.state == "rolled_back":
                journal.update(entry)
    except TransactionError as error:
        return [str(error)]
    return []


def choose(entries: Sequence[Entry], choice: Choice, recovered: List[Recovered]) -> Tuple[str, ...]:
    """Ids of the committed transactions that are meant, newest first.

    :raises TransactionError: when there is no such transaction, or it is none that can be taken back.
    """
    committed = [entry.id for entry in reversed(entries) if (entry.kind, entry.state) == ("change", "committed")]
    if choice.transaction is not None:
        return _one(entries, choice.transaction)
    if choice.all:
        return tuple(committed)
    already = sum(len(one.transactions) for one in recovered)
    return tuple(committed[: max(0, choice.last - already)])


def _one(entries: Sequence[Entry], identity: str) -> Tuple[str, ...]:
    for entry in entries:
        if entry.id == identity:
            if entry.kind == "rollback":
                raise TransactionError(
                    "transaction %s is itself a rollback: to have the change again, make it again" % identity
                )
            return (identity,) if entry.state == "committed" else ()
    raise TransactionError(
        "there is no transaction %s in the journal: transactions_info lists those that there are" % identity
    )


def plan_rollback(entries: Sequence[Entry], chosen: Sequence[str], states: States, force: bool) -> Plan:
    """How to take the chosen transactions back, as one.

    :raises TransactionError: when a newer transaction stands on one of them, or, without ``force``, when
        somebody else changed since what would be put back.
    """
    undone = [entry for entry in reversed(entries) if entry.id in chosen]
    for entry in undone:
        _check_newer(entry, entries, chosen)
    ways: Dict[Identity, Move] = {}
    commands: List[Command] = []
    notes: List[str] = []
    for entry in undone:
        moves = towards_before(entry.changes, states)
        if moves.foreign and not force:
            raise TransactionError(
                "%s is not rolled back: somebody else has changed since: %s; look at it, then use force: true to put "
                "back what was before the transaction all the same" % (entry.describe(), moves.foreign_names)
            )
        for move in moves.moves + moves.foreign:
            key = move.target.key()
            # at the end: the oldest transaction made the folders, which can go when nothing is in them any more
            ways[key] = _joined(ways.pop(key, None), move)
        perform(moves.moves + moves.foreign, states)
        notes += moves.notes
        commands += [Command(one.undo_argv, one.argv, one.timeout) for one in entry.commands if one.undo_argv]
    changes = [
        Change(move.target, move.found, move.wanted)
        for move in ways.values()
        if not move.target.same(move.found, move.wanted) or _leaves_folders(move)
    ]
    # who is told by one transaction may be who uses the addresses of another
    settling = any(entry.commands and not _addresses_in(entry) for entry in undone)
    # of all transactions together: what one takes away, an older one may put back
    told = [] if force or settling else objections_to([Move(one.target, one.before, one.after) for one in changes])
    if told:
        raise TransactionError(
            "nothing is rolled back: %s; wait until they have ended, or use force: true, which breaks them"
            % "; ".join(told)
        )
    last = [change for change in changes if goes_last(change.target, change.after)]
    steps: List[Planned] = [change for change in changes if change not in last]
    if changes:
        steps += _last_of_each(commands)
    steps += last if force else [_once_unused(change, settling) for change in last]
    return Plan(tuple(entry.id for entry in undone), tuple(steps), notes)


def _addresses_in(entry: Entry) -> bool:
    return any(isinstance(change.target, AddressTarget) for change in entry.changes)


def _once_unused(change: Change, settling: bool) -> Change:
    return change._replace(after=change.after._replace(wait=_WAIT_SECONDS, settling=settling))


def _check_newer(entry: Entry, entries: Sequence[Entry], chosen: Sequence[str]) -> None:
    mine = {change.target.key() for change in entry.changes}
    for other in entries:
        if other.id <= entry.id or other.id in chosen or (other.kind, other.state) != ("change", "committed"):
            continue
        for change in other.changes:
            if change.target.key() in mine:
                raise TransactionError(
                    "%s is not rolled back alone: the newer transaction %s changed %s after it; roll that one back "
                    "first" % (entry.describe(), other.id, change.target.name)
                )


def _joined(earlier: Optional[Move], move: Move) -> Move:
    """One way from what is found now to what the oldest transaction found then."""
    target = move.target
    if isinstance(target, FileTarget):
        folders = target.folders
        if earlier:
            folders += tuple(one for one in earlier.target.folders if one not in folders)
        if move.wanted.kind != "absent" and move.found.kind == "absent":
            folders = missing_folders(target.path)
        # a file that was removed, and another one made in its place
        whole = bool(earlier and (earlier.target.whole or earlier.wanted.kind == "absent"))
        target = target._replace(folders=folders, whole=whole)
    return Move(target, earlier.found if earlier else move.found, move.wanted)


def _leaves_folders(move: Move) -> bool:
    """Whether a file that is gone already left behind what was made for it."""
    return (
        isinstance(move.target, FileTarget)
        and move.wanted.kind == "absent"
        and any(os.path.isdir(folder) for folder in move.target.folders)
    )


def _last_of_each(commands: List[Command]) -> List[Command]:
    """A server that several transactions reloaded is reloaded once, after everything."""
    seen: Set[Tuple[str, ...]] = set()
    kept = []
    for command in reversed(commands):
        if command.argv not in seen:
            seen.add(command.argv)
            kept.append(command)
    return kept[::-1]
