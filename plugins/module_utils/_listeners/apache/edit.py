# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ports added to Listen and <VirtualHost> of Apache, and taken away. Nothing is written.

A comment cannot stand behind a directive, so the mark is a line before it; before a <VirtualHost> it names the
addresses that were added to the tag.
"""

from typing import List, Optional

from ..._files import FileError, Files
from ..edited import EditedFiles
from ..errors import ConfigurationRefusedError
from ..plan import Listener, Plan
from ..request import Request
from . import layout, tree
from .changes import Changes
from .conflicts import is_served, refuse_foreign_hosts, refuse_parted
from .groups import groups_of, is_marked, ours, ports_of
from .tree import Found, Tree

_UNUSED = "/sites-available/*.conf"


def find(files: Files, where: Optional[layout.Layout] = None) -> List[Listener]:
    """What the configuration listens on.

    :param where: the layout; found out where it is not given.
    :raises ConfigurationRefusedError: when that cannot be known.
    """
    read = tree.read(files, where or layout.find(files))
    return [_listener(read, one) for one in read.found if one.statement.name == "listen"]


def add(files: Files, request: Request, where: Optional[layout.Layout] = None) -> Plan:
    """Beside each Listen on a port one for each other port, and the other ports in each <VirtualHost> of that port.

    :raises ConfigurationRefusedError: when the configuration is not understood, when nothing in it listens on the port,
        or when something else in it has one that is to be added.
    """
    where = where or layout.find(files)
    read = tree.read(files, where)
    groups = [group for group in groups_of(read) if group.is_for(request.existing_port)]
    if not any(group.origins[0].statement.name == "listen" for group in groups):
        raise ConfigurationRefusedError(where.main, 0, "no Listen is for TCP port %d" % request.existing_port)
    after = Changes(read)
    ports = sorted(set(request.ports))
    added = [id(one) for group in groups for one in group.added]
    others = [one for one in read.found if id(one) not in added and one.statement.name == "listen"]
    for group in groups:
        for port in ports:
            for origin in group.origins:
                if not is_served(read, origin, port, others):
                    after.put(group, origin, port)
    for one in read.found:
        if one.statement.name == "<virtualhost":
            after.extend(one, request.existing_port, ports)
    refuse_foreign_hosts(read, request)
    edits = after.contents()
    changed = tree.read(EditedFiles(files, edits), where)
    refuse_parted(read, changed)
    listeners = [_listener(changed, one) for one in ours(changed, request) if one.statement.name == "listen"]
    uses = "%s:%d: SERVER_PORT tells the new ports from the old one, so that it may decide otherwise for them"
    return Plan(edits, listeners, [uses % use for use in read.uses])


def remove(files: Files, request: Request, where: Optional[layout.Layout] = None) -> Plan:
    """Take away what ``add`` put beside a port.

    :raises ConfigurationRefusedError: when the configuration is not understood.
    """
    where = where or layout.find(files)
    read = tree.read(files, where)
    going = ours(read, request)
    unused = [one for path in _unused(files, where, read) for one in tree.read_alone(files, where, path, read)]
    after = Changes(read)
    for one in going:
        after.drop(one)
    kept = {port for one in read.found if is_marked(read, one) and one not in going for port in ports_of(one)}
    gone = set(request.ports) - kept
    for one in [*read.found, *unused]:
        if one.statement.name == "<virtualhost":
            after.shorten(one, gone)
    return Plan(after.contents(), [_listener(read, one) for one in going if one.statement.name == "listen"], [])


def _unused(files: Files, where: layout.Layout, read: Tree) -> List[str]:
    """Debian's sites that are not in use: they may have been when a port was added."""
    try:
        return [path for path in files.glob(where.server_root + _UNUSED) if files.real_path(path) not in read.files]
    except FileError:
        return []  # a folder that may not be read holds nothing of ours


def _listener(read: Tree, one: Found) -> Listener:
    options = tuple(word.text for word in one.statement.words[1:])
    endpoint = one.named[0].endpoint
    return Listener(one.path, one.statement.first + 1, endpoint.address, endpoint.port or 0, options,
                    is_marked(read, one), http=True)
