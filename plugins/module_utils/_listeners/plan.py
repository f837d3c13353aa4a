# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What would be done to a configuration. Each server has a module ``edit`` that makes these, and writes nothing."""

from typing import Dict, List, NamedTuple, Tuple


class Listener(NamedTuple):
    """One line of configuration that listens on a TCP port; a line with a range of ports is one for each.

    ``path``, ``line``: of the file itself, where a link led to it. ``address``: "" for every address of both families,
    "*" for every IPv4 address, "::" for every IPv6 address (the options tell whether IPv4 as well), else an address
    without brackets or a name. ``options``: as they are written. ``added``: by this collection, whose mark it carries.
    ``http``: whether the server is known to speak HTTP there, inside TLS or not.
    """

    path: str
    line: int
    address: str
    port: int
    options: Tuple[str, ...]
    added: bool
    http: bool = False


class Plan(NamedTuple):
    """Edits by path, only of files that change, and what they bring.

    ``edits``: the whole new content; paths are of the files themselves, not of links to them. ``listeners``: those that
    are there after ``add``, with their lines in the new content, or those that ``remove`` takes away, with their lines
    in the present content. ``warnings``: what works, but perhaps not as expected on the new ports.
    """

    edits: Dict[str, bytes]
    listeners: List[Listener]
    warnings: List[str]


class Command(NamedTuple):
    """A command after the edits, and the one that makes up for it once they are undone, empty for none."""

    argv: Tuple[str, ...]
    undo_argv: Tuple[str, ...]
