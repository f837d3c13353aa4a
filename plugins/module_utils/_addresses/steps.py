# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps of a transaction out of what was chosen. Pure but for the files that it reads."""

from typing import List, Optional, Sequence, Tuple

from .._transaction.steps import AddAddress, MakeLink, RemoveAddress, RemoveFile, RunCommand, Step, WriteFile
from .aside import aside
from .host import Host
from .managers.manager import Manager
from .request import Address

_COMMAND_SECONDS = 60


def add_running(
    interface: str, namespace: Optional[str], addresses: Sequence[Address], knows_scope: bool = True
) -> List[Step]:
    """Each so that it is the source of nothing that does not ask for it."""
    steps: List[Step] = []
    for one in addresses:
        wanted = aside(one, interface)
        scope = wanted.scope if knows_scope else 0
        steps.append(AddAddress(interface, str(one), wanted.preferred, namespace, scope, wanted.label))
    return steps


def remove_running(interface: str, namespace: Optional[str], addresses: Sequence[Address]) -> List[Step]:
    return [RemoveAddress(interface, str(one), namespace) for one in addresses]


def persist(manager: Manager, host: Host, wanted: Sequence[Address]) -> List[Step]:
    """Let the manager's files of ours give these addresses at boot, and no others."""
    steps: List[Step] = []
    for part in manager.parts:
        found = host.read(part.path)
        mine = [one for one in wanted if manager.part_for(one) is part]
        if mine == part.read(found):
            continue
        content = part.write(found, mine)
        if content is None:
            steps += [RemoveFile(path) for path, _target in manager.links]
            steps.append(RemoveFile(part.path, _folders(host, part.folder)))
        elif content != found:
            steps.append(WriteFile(part.path, content, part.mode))
            steps += [MakeLink(path, target) for path, target in manager.links]
    if steps:
        steps += [RunCommand(argv, argv, _COMMAND_SECONDS) for argv in manager.commands]
    return steps


def _folders(host: Host, folder: Optional[str]) -> Tuple[str, ...]:
    """The folder that goes with our file, where nothing else is in it."""
    return (folder,) if folder and len(host.names(folder)) == 1 else ()
