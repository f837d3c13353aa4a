# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a transaction consists of, as plain data."""

from typing import Any, Dict, List, NamedTuple, Optional, Tuple, Union

from .targets import Identity, State, Target


class Change(NamedTuple):
    """One target, its state before and the one that it is brought into."""

    target: Target
    before: State
    after: State


class Command(NamedTuple):
    """A program to run after the steps before it; ``undo_argv`` runs after those are undone. Time-out in seconds."""

    argv: Tuple[str, ...]
    undo_argv: Tuple[str, ...]
    timeout: int


Planned = Union[Change, Command]


class States:
    """The host as it is, or as it would be after what was pretended."""

    def __init__(self) -> None:
        self._pretended: Dict[Identity, State] = {}

    def of(self, target: Target) -> State:
        """:raises TransactionError: when the target cannot be read."""
        key = target.key()
        return self._pretended[key] if key in self._pretended else target.read()

    def pretend(self, target: Target, state: State) -> None:
        self._pretended[target.key()] = state

    def pretended_files(self) -> Dict[str, Optional[bytes]]:
        """Contents by path of the files among what was pretended, None for one that would not be there."""
        return {
            identity[1]: None if state.kind == "absent" else state.content
            for identity, state in self._pretended.items()
            if identity[0] == "file"
        }

    def pretended_addresses(self, where: str) -> Dict[Tuple[str, str], bool]:
        """By interface and address, among what was pretended: whether it would be there.

        :param where: the namespace, as the key of an address's target names it.
        """
        return {
            (identity[2], identity[3]): state.there
            for identity, state in self._pretended.items()
            if identity[:2] == ("address", where)
        }


def changes_of(steps: Tuple[Planned, ...]) -> List[Change]:
    return [step for step in steps if isinstance(step, Change)]


def commands_of(steps: Tuple[Planned, ...]) -> List[Command]:
    return [step for step in steps if isinstance(step, Command)]


def diff_of(change: Change) -> Dict[str, str]:
    """As Ansible's ``--diff`` takes it."""
    before_header, before = change.target.lines(change.before)
    after_header, after = change.target.lines(change.after)
    return {"before_header": before_header, "after_header": after_header, "before": before, "after": after}


class Entry(NamedTuple):
    """One transaction in the journal.

    ``kind``: change or rollback. ``state``: open, committed, aborted or rolled_back. Times are UTC, RFC 3339.
    ``undoes``: ids of the transactions that a rollback undoes. ``rolled_back_by``: id of that rollback.
    ``note``: why it is not committed.
    """

    id: str
    kind: str
    state: str
    module: str
    summary: str
    started: str
    finished: Optional[str]
    undoes: Tuple[str, ...]
    rolled_back_by: Optional[str]
    note: Optional[str]
    steps: Tuple[Planned, ...]

    @property
    def changes(self) -> List[Change]:
        return changes_of(self.steps)

    @property
    def commands(self) -> List[Command]:
        return commands_of(self.steps)

    def describe(self) -> str:
        """For a sentence."""
        return "transaction %s (%s: %s)" % (self.id, self.module, self.summary)

    def touched(self) -> List[Dict[str, Any]]:
        """What it is about, for people: files, running values and commands."""
        found: List[Dict[str, Any]] = []
        for step in self.steps:
            if isinstance(step, Command):
                found.append({"kind": "command", "name": " ".join(step.argv)})
            else:
                found.append({"kind": step.target.identity[0], "name": step.target.name})
        return found
