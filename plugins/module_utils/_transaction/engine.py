# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Carries a transaction out, whole or not at all."""

from contextlib import suppress
from functools import partial
from typing import Callable, List, Optional, Sequence, Tuple, Union

from .changes import Change, Command, Entry, Planned, States, changes_of, diff_of
from .command import run_command
from .errors import TransactionError
from .journal import Journal, utc_now
from .moves import towards_before
from .outcome import Outcome, Recovered
from .recovery import foresee, recover
from .steps import Step, plan

Verify = Callable[[], None]
#: steps, or what gives them once the host is known as it will be after the recovery
Steps = Union[Sequence[Step], Callable[[States], Sequence[Step]]]


def run(
    journal: Journal, module: str, summary: str, steps: Steps, verify: Optional[Verify] = None
) -> Outcome:
    """Do all steps, or none of them.

    An interrupted transaction is undone first. Steps that would change nothing are left out; when none is left, nothing
    is written, not even to the journal. Else intent and preimages are on disk before the first step. ``verify`` is
    called after the last one, and refuses by raising ``TransactionError``.

    :param module: who does it, for the journal. ``summary``: what it is for, in a few words.
    :param steps: or a function that makes them, for one that looks at the host first: it is called after the recovery.
    :raises TransactionError: when something failed, with the reason and what was put back.
    """
    if not journal.exists() and not _planned(steps, States()):
        return Outcome(False, None, [], [], [])
    with journal.lock():
        contents = journal.read()
        recovered = recover(journal, contents)
        try:
            planned = _planned(steps, States())
            if not planned:
                return Outcome(changed_by(recovered), None, [], recovered, contents.damaged)
            entry = new_entry(journal.next_id(), module, summary, planned)
            carry_through(journal, entry, verify)
        except TransactionError as error:
            raise TransactionError(str(error) + told(recovered)) from None
        warnings = contents.damaged + pruned(journal)
    return Outcome(True, entry.id, [diff_of(change) for change in entry.changes], recovered, warnings)


def preview(steps: Steps, journal: Optional[Journal] = None) -> Outcome:
    """What ``run`` would do: the same plan, after the same recovery, and nothing written or locked.

    :raises TransactionError: when ``run`` would raise before its first write.
    """
    contents = (journal or Journal()).read()
    states = States()
    recovered = foresee(contents, states).recovered
    changes = changes_of(_planned(steps, states))
    changed = bool(changes) or changed_by(recovered)
    return Outcome(changed, None, [diff_of(change) for change in changes], recovered, contents.damaged)


def _planned(steps: Steps, states: States) -> Tuple[Planned, ...]:
    return plan(steps(states) if callable(steps) else steps, states)


def changed_by(recovered: List[Recovered]) -> bool:
    return any(one.changed for one in recovered)


def told(recovered: List[Recovered]) -> str:
    """For the end of a sentence about a failure: what was done before it."""
    return "".join("; before that, the interrupted transaction %s was %s" % (one.id, one.action) for one in recovered)


def new_entry(identity: str, module: str, summary: str, steps: Tuple[Planned, ...]) -> Entry:
    return Entry(identity, "change", "open", module, summary, utc_now(), None, (), None, None, steps)


def pruned(journal: Journal) -> List[str]:
    """Prune; that it fails is worth a warning after a change that did not."""
    try:
        journal.prune()
    except TransactionError as error:
        return [str(error)]
    return []


def carry_through(journal: Journal, entry: Entry, verify: Optional[Verify] = None) -> None:
    """Intent, steps, verification, commit.

    :raises TransactionError: when one of them failed and what was done before it is undone.
    """
    journal.begin(entry)
    progress = _Progress()
    try:
        for step in entry.steps:
            progress.take(step)
        if verify:
            verify()
        journal.update(entry._replace(state="committed", finished=utc_now()))
    except BaseException as error:  # an interrupt, or verify leaving by SystemExit, leaves nothing half-done either
        problems = progress.undo()
        reason = "%s; %s" % (error, _put_back(entry, progress, problems))
        if not problems:
            # An entry that stays open is undone by the next run, which finds nothing to do.
            with suppress(TransactionError):
                journal.update(entry._replace(state="aborted", finished=utc_now(), note=str(error)))
        if isinstance(error, TransactionError):
            raise TransactionError(reason) from None
        raise


def _put_back(entry: Entry, progress: "_Progress", problems: List[str]) -> str:
    if problems:
        return "not put back: %s; transaction %s stays open, and the next run tries again" % (
            "; ".join(problems),
            entry.id,
        )
    return "everything was put back" if progress.touched or progress.started else "nothing was changed"


class _Progress:
    """What was touched so far."""

    def __init__(self) -> None:
        self.touched: List[Change] = []
        self.started: List[Command] = []

    def take(self, step: Planned) -> None:
        if isinstance(step, Command):
            self.started.append(step)
            run_command(step.argv, step.timeout)
            return
        found = step.target.read()
        if not step.target.same(found, step.before):
            raise TransactionError("%s was changed by somebody else meanwhile" % step.target.name)
        self.touched.append(step)
        step.target.put(found, step.after)

    def undo(self) -> List[str]:
        """Put back what was touched, newest first, then run what the commands have for it; what failed."""
        problems = []
        try:
            moves = towards_before(self.touched, States())
        except TransactionError as error:
            return [str(error)]
        problems += ["%s, which somebody else changed meanwhile" % move.target.name for move in moves.foreign]
        for change in self.touched:
            problems += _problem(change.target.tidy)
        for move in moves.moves:
            problems += _problem(partial(move.target.put, move.found, move.wanted))
        for command in self.started:
            if command.undo_argv:
                problems += _problem(partial(run_command, command.undo_argv, command.timeout))
        return problems


def _problem(action: Callable[[], None]) -> List[str]:
    try:
        action()
    except TransactionError as error:
        return [str(error)]
    return []
