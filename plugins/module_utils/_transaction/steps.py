# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps that a transaction can be made of. Planning one reads the host and changes nothing."""

import os
from typing import NamedTuple, Optional, Sequence, Tuple, Union

from .._kernel.rtnetlink import FOREVER
from .address_target import AddressState, AddressTarget
from .changes import Change, Command, Planned, States
from .errors import TransactionError
from .file_state import ABSENT, FileState, own_name, resolve
from .file_write import missing_folders
from .targets import FileTarget, SysctlTarget, folded


class WriteFile(NamedTuple):
    """Create a file, or replace its content.

    An existing one keeps owner, mode, ACL and other extended attributes; a symbolic link stays and its target is
    written; a file with several names is written in place and keeps them all. ``mode`` is that of a new file;
    folders that are missing are made, and go again with the file.
    """

    path: str
    content: bytes
    mode: int = 0o644

    def plan(self, states: States) -> Optional[Planned]:
        """The change, or None where the file has this content."""
        path = resolve(self.path)
        target = FileTarget(path)
        found = states.of(target)
        if found.kind not in ("absent", "file"):
            raise TransactionError("%s is no regular file: nothing is written there" % path)
        if found.kind == "file":
            after = found._replace(content=self.content)
        else:
            target = FileTarget(path, missing_folders(path))
            after = FileState("file", self.content, self.mode, os.geteuid(), os.getegid())
        return None if target.same(found, after) else Change(target, found, after)


class MakeLink(NamedTuple):
    """Make a symbolic link where nothing is; the folders that are missing are made, and go again with it."""

    path: str
    leads_to: str

    def plan(self, states: States) -> Optional[Planned]:
        """The change, or None where the link is there."""
        path = own_name(self.path)
        target = FileTarget(path, missing_folders(path))
        found = states.of(target)
        after = FileState("link", os.fsencode(self.leads_to), 0o777, os.geteuid(), os.getegid())
        if target.same(found, after):
            return None
        if found.kind != "absent":
            raise TransactionError("%s is something else than a link to %s: see what it is" % (path, self.leads_to))
        return Change(target, found, after)


class RemoveFile(NamedTuple):
    """Remove a file or a symbolic link, not what the link leads to. ``folders`` go with it when they are empty."""

    path: str
    folders: Tuple[str, ...] = ()

    def plan(self, states: States) -> Optional[Planned]:
        """The change, or None where there is no such file."""
        target = FileTarget(own_name(self.path), self.folders)
        found = states.of(target)
        if found.kind == "absent":
            return None
        if found.kind == "other":
            raise TransactionError("%s is no regular file: it is not removed" % target.path)
        if found.links > 1:
            raise TransactionError(
                "%s is one of %d names of a file: it is not removed, since a link that is gone cannot be put back"
                % (target.path, found.links)
            )
        return Change(target, found, ABSENT)


class SetSysctl(NamedTuple):
    """Set a running value; ``key_path`` below ``/proc/sys``, ``namespace`` the file of a network namespace.

    The value has to be as the kernel shows it, but for white space: after the write the kernel must show it.
    """

    key_path: str
    value: str
    namespace: Optional[str] = None

    def plan(self, states: States) -> Optional[Planned]:
        """The change, or None where the value runs already."""
        target = SysctlTarget(self.key_path, self.namespace)
        target.check()
        found = states.of(target)
        if found.value is None:
            raise TransactionError("%s: there is no such key, or no such namespace" % target.name)
        after = found._replace(value=folded(self.value))
        if target.same(found, after):
            return None
        target.check_writable(after.value)
        return Change(target, found, after)


class AddAddress(NamedTuple):
    """Add an address, with its prefix length, to an interface. It is for ever valid, and with ``preferred`` 0 it is
    deprecated from the start (RFC 4862, 5.5.4). ``namespace``: the file of a network namespace. ``scope``: of
    rtnetlink(7), what it may be chosen as a source for. ``label``: name of the interface and more, empty for its name
    alone."""

    interface: str
    address: str
    preferred: int = FOREVER
    namespace: Optional[str] = None
    scope: int = 0
    label: str = ""

    def plan(self, states: States) -> Optional[Planned]:
        """The change, or None where the interface has it."""
        target = AddressTarget(self.interface, self.address, self.namespace)
        found = states.of(target)
        after = AddressState(True, found.epoch, self.scope, label=self.label, preferred=self.preferred)
        return None if target.same(found, after) else Change(target, found, after)


class RemoveAddress(NamedTuple):
    """Delete an address, with its prefix length, from an interface."""

    interface: str
    address: str
    namespace: Optional[str] = None

    def plan(self, states: States) -> Optional[Planned]:
        """The change, or None where the interface does not have it."""
        target = AddressTarget(self.interface, self.address, self.namespace)
        found = states.of(target)
        return Change(target, found, AddressState(False, found.epoch)) if found.there else None


class RunCommand(NamedTuple):
    """Run a program once the steps before it are done. Commands alone are no change: they go with others.

    :param undo_argv: run after the steps before it are undone; empty for nothing. It must do no harm where ``argv``
        did not run or failed, since after a crash nobody knows how far that came.
    :param timeout: seconds.
    """

    argv: Sequence[str]
    undo_argv: Sequence[str]
    timeout: int

    def plan(self, _states: States) -> Optional[Planned]:
        """The command as it is kept."""
        return Command(tuple(self.argv), tuple(self.undo_argv), self.timeout)


Step = Union[WriteFile, MakeLink, RemoveFile, SetSysctl, AddAddress, RemoveAddress, RunCommand]


def plan(steps: Sequence[Step], states: States) -> Tuple[Planned, ...]:
    """What there is to do, in order; empty when nothing would change.

    :raises TransactionError: when a step cannot be done, or two are about the same thing.
    """
    planned = []
    seen = set()
    changing = False
    for step in steps:
        one = step.plan(states)
        if isinstance(one, Change):
            if one.target.key() in seen:
                raise TransactionError("%s is changed twice by one transaction" % one.target.name)
            seen.add(one.target.key())
            changing = True
        if one is not None:
            planned.append(one)
    return tuple(planned) if changing else ()
