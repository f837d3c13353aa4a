# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What would be done to a configuration that opens connections, and what connections it opens."""

from typing import Dict, List, NamedTuple


class Connection(NamedTuple):
    """Where one line of configuration makes a backend connect to, and from where.

    ``path``, ``line``: of the file itself. ``source``: the address that connections come from, empty where the kernel
    chooses it. ``address``: without brackets, or a name. ``port``: 0 where it is the one that the client asked for.
    ``added``: by this collection, whose mark the line carries, or changed by it.
    """

    path: str
    line: int
    backend: str
    source: str
    address: str
    port: int
    added: bool


class Plan(NamedTuple):
    """Edits by path, only of files that change, and what they bring.

    ``edits``: the whole new content, empty for a file that is not there any more. ``connections``: of the backend, as
    they are after the edits. ``warnings``: what works, but perhaps not as expected.
    """

    edits: Dict[str, bytes]
    connections: List[Connection]
    warnings: List[str]
