# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What would be done to a configuration that opens connections, and what connections it opens."""

from typing import Dict, List, NamedTuple, Tuple

from .._answers import Spoken


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


class Pool(NamedTuple):
    """An outbound pool as configuration names it. ``source``: empty where the kernel chooses it."""

    source: str
    address: str
    port: int


class ServerPools(NamedTuple):
    """The pools that the connections to one server are spread over, evenly, its own first.

    ``spoken``: what is spoken with it, as far as the configuration tells.
    """

    server: str
    spoken: Spoken
    pools: Tuple[Pool, ...]


class Plan(NamedTuple):
    """Edits by path, only of files that change, and what they bring.

    ``edits``: the whole new content, empty for a file that is not there any more. ``connections``: of the backend, as
    they are after the edits. ``warnings``: what works, but perhaps not as expected. ``servers``: of the backend, after
    the edits. ``even``: whether nothing but turns decides which pool is next.
    """

    edits: Dict[str, bytes]
    connections: List[Connection]
    warnings: List[str]
    servers: Tuple[ServerPools, ...] = ()
    even: bool = True
