# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the servers of a host listen on, and which ports were added beside which. Nothing is changed."""

from typing import Any, Dict, FrozenSet, List, NamedTuple, Tuple

from .. import _sockets
from .._files import FileError, Files
from .._kernel.errors import KernelReadError
from .._kernel.running import RunningKernel
from .._listeners.errors import ConfigurationRefusedError
from .servers import SERVERS, Server


class Service(NamedTuple):
    """A port of a server's that somebody else configured. ``beside``: ports that were added. ``listening``: on it."""

    server: str
    port: int
    beside: List[int]
    listening: bool


def survey(kernel: RunningKernel, files: Files) -> Tuple[List[Service], List[Dict[str, Any]]]:
    """``(services, what could not be read)``: every server that this host has a configuration of."""
    found: List[Service] = []
    problems: List[Dict[str, Any]] = []
    heard: FrozenSet[int] = frozenset()
    try:
        heard = frozenset(port for _address, port in _sockets.read_listeners(kernel).listeners)
    except KernelReadError as error:
        problems.append({"what": "listening sockets", "reason": str(error)})
    for name, make in sorted(SERVERS.items()):
        try:
            server = make(files, None)
            found += [Service(name, port, beside, port in heard) for port, beside in _ports(server)]
        except ConfigurationRefusedError as error:
            problems.append({"what": name, "reason": str(error)})
        except FileError as error:
            problems.append({"what": name, "reason": "%s: %s" % (error.what, error.reason)})
    return found, problems


def _ports(server: Server) -> List[Tuple[int, List[int]]]:
    if not server.is_there():
        return []
    ports = sorted({one.port for one in server.find() if not one.added})
    return [(port, server.beside(port)) for port in ports]
