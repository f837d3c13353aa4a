# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What has to be done to bring the targets of a transaction to one of its two ends, wherever they are now."""

from typing import Iterable, List, NamedTuple, Tuple

from .address_target import AddressTarget
from .changes import Change, States
from .targets import State, Target


class Move(NamedTuple):
    """One target, as it was found, and the state that it is to be brought into."""

    target: Target
    found: State
    wanted: State


def goes_last(target: Target, wanted: State) -> bool:
    """Whether it is to be done after all commands: servers use an address until they are told not to any more."""
    return isinstance(target, AddressTarget) and not wanted.there


def at_once(move: Move) -> Move:
    """The same without waiting for anybody."""
    return move._replace(wanted=move.wanted._replace(wait=0)) if goes_last(move.target, move.wanted) else move


class Moves(NamedTuple):
    """``moves``: in order. ``foreign``: what would destroy somebody else's work. ``notes``: what stays, and why."""

    moves: List[Move]
    foreign: List[Move]
    notes: List[str]

    @property
    def foreign_names(self) -> str:
        return ", ".join(move.target.name for move in self.foreign)


def objections_to(moves: Iterable[Move]) -> List[str]:
    """What others would lose by the moves, a sentence for each."""
    found = [move.target.objection(move.found, move.wanted) for move in moves]
    return [one for one in found if one]


def towards_after(changes: Iterable[Change], states: States) -> Moves:
    """Finish what was begun, in order."""
    return _plan([(change, change.before, change.after) for change in changes], states)


def towards_before(changes: List[Change], states: States) -> Moves:
    """Undo, newest first."""
    return _plan([(change, change.after, change.before) for change in reversed(changes)], states)


def _plan(ways: List[Tuple[Change, State, State]], states: States) -> Moves:
    """A target is at its wanted end: nothing to do. At the other end, or torn between the two: ours to move.

    At neither end, somebody else changed it after us, and moving it would destroy that: it is foreign. An exception
    are running values after a restart, or of a namespace that was made anew or is gone: those began anew with
    what the configuration of that moment gave them, so there is nothing of ours left to undo. One that has our value
    all the same is moved: it came from the file that is undone with it, and the two are not to be apart.
    """
    found_moves = Moves([], [], [])
    for change, start, wanted in ways:
        target = change.target
        found = states.of(target)
        move = Move(target, found, wanted)
        if target.same(found, wanted):
            continue
        if target.same(found, start) or target.torn(found, start, wanted):
            found_moves.moves.append(move)
        elif target.restarted(found, change.before):
            found_moves.notes.append(
                "%s began anew since (a restart, or the namespace is gone) and is left as it is" % target.name
            )
        else:
            found_moves.foreign.append(move)
    return found_moves


def perform(moves: List[Move], states: States) -> None:
    """Pretend, in ``states``, that the moves were made."""
    for move in moves:
        states.pretend(move.target, move.wanted)
