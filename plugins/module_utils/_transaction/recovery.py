# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Interrupted transactions: a change is undone, a rollback is completed. Either way nothing stays between.

Somebody may have changed one of the targets after the interruption. What was there before is in the journal, what
somebody else made is nowhere else: so it is not overwritten, the whole recovery is refused with the names, and with
``force``, which a person has to give, that state goes into the journal before it is overwritten. Recovering the other
targets alone would leave the host between.
"""

from typing import List

from .changes import Change, Command, Entry, States
from .command import run_command
from .errors import TransactionError
from .journal import Contents, Journal, derive_states, utc_now
from .moves import Move, Moves, at_once, goes_last, objections_to, perform, towards_after, towards_before
from .outcome import Recovered


class Recovery:
    """How one open entry is to be dealt with. Planning it reads the host and changes nothing.

    :raises TransactionError: when something would be destroyed, and ``force`` is not given.
    """

    def __init__(self, entry: Entry, states: States, force: bool) -> None:
        self.entry = entry
        self.forward = entry.kind == "rollback"
        moves = (towards_after if self.forward else towards_before)(entry.changes, states)
        if moves.foreign and not force:
            raise TransactionError(_refusal(entry, moves))
        # a rollback waits for connections itself
        objections = [] if force or self.forward else objections_to(moves.moves)
        if objections:
            raise TransactionError(
                "%s was interrupted, and to put it right would break connections: %s; wait until they have ended, or "
                "run tcpops.timewait.rollback with force: true, which breaks them"
                % (entry.describe(), "; ".join(objections))
            )
        self.foreign = moves.foreign
        self.moves = [at_once(move) if force else move for move in moves.moves + moves.foreign]
        self.notes = moves.notes
        self.force = force

    def settled(self) -> Entry:
        """The entry as it is afterwards."""
        if self.forward:
            return self.entry._replace(state="committed", finished=utc_now())
        return self.entry._replace(state="aborted", finished=utc_now(), note="interrupted, and undone")

    def commands(self) -> List[Command]:
        """Nobody knows which ones ran: all of them run again, the way that the targets go."""
        if self.forward:
            return self.entry.commands
        return [Command(one.undo_argv, one.argv, one.timeout) for one in self.entry.commands if one.undo_argv]

    def carry_out(self, journal: Journal) -> None:
        """:raises TransactionError: when something could not be done; the entry stays open then."""
        if self.foreign:
            self.entry = _adopting(self.entry, self.foreign, self.forward)
            journal.adopt(self.entry)
        problems: List[str] = []
        for change in self.entry.changes:
            change.target.tidy()
        last = [move for move in self.moves if goes_last(move.target, move.wanted)]
        problems += _done([move for move in self.moves if move not in last])
        if not problems:
            for command in self.commands():
                try:
                    run_command(command.argv, command.timeout)
                except TransactionError as error:
                    (self.notes if self.force else problems).append(str(error))
        if not problems:
            problems += _done(last)
        if problems:
            raise TransactionError(
                "%s was interrupted and could not be %s: %s; it stays open, and the next run tries again"
                % (self.entry.describe(), "completed" if self.forward else "undone", "; ".join(problems))
            )
        journal.update(self.settled())

    def report(self) -> Recovered:
        entry = self.entry
        return Recovered(
            entry.id,
            entry.module,
            entry.summary,
            "completed" if self.forward else "undone",
            entry.undoes if self.forward else (entry.id,),
            bool(self.moves),
            tuple(self.notes),
        )


def _done(moves: List[Move]) -> List[str]:
    """Make them; what failed."""
    problems = []
    for move in moves:
        try:
            move.target.put(move.found, move.wanted)
        except TransactionError as error:
            problems.append(str(error))
    return problems


def _refusal(entry: Entry, moves: Moves) -> str:
    return (
        "%s was interrupted, and somebody else has changed since: %s; look at it, then run tcpops.timewait.rollback "
        "with force: true, which keeps what is there now in the journal and puts back what was there before the "
        "transaction" % (entry.describe(), moves.foreign_names)
    )


def _adopting(entry: Entry, foreign: List[Move], forward: bool) -> Entry:
    """The entry, as if it had started from what somebody else made: so that this is kept."""
    found = {move.target.identity: move.found for move in foreign}
    steps = []
    for step in entry.steps:
        if isinstance(step, Change) and step.target.identity in found:
            state = found[step.target.identity]
            step = step._replace(before=state) if forward else step._replace(after=state)  # noqa: PLW2901
        steps.append(step)
    return entry._replace(steps=tuple(steps))


def recover(journal: Journal, contents: Contents, force: bool = False) -> List[Recovered]:
    """Deal with every open entry, newest first.

    :raises TransactionError: when one is refused or fails.
    """
    done = []
    for entry in _open_entries(contents):
        recovery = Recovery(entry, States(), force)
        recovery.carry_out(journal)
        done.append(recovery.report())
    return done


def foresee(contents: Contents, states: States, force: bool = False) -> "Foreseen":
    """What ``recover`` would do, pretended in ``states``."""
    done = []
    settled = {}
    for entry in _open_entries(contents):
        recovery = Recovery(entry, states, force)
        perform(recovery.moves, states)
        done.append(recovery.report())
        settled[entry.id] = recovery.settled()
    return Foreseen(done, derive_states([settled.get(entry.id, entry) for entry in contents.entries]))


class Foreseen:
    """``recovered``: as ``recover`` returns it. ``entries``: those of the journal, as they would be then."""

    def __init__(self, recovered: List[Recovered], entries: List[Entry]) -> None:
        self.recovered = recovered
        self.entries = entries


def _open_entries(contents: Contents) -> List[Entry]:
    return [entry for entry in reversed(contents.entries) if entry.state == "open"]
