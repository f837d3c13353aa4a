# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The facts about connections that HAProxy and nginx open anew and could use again: which lines see to that.

Only files are read, and nginx is asked for its version: what it does where nothing is said depends on it.
"""

from typing import Any, Callable, Dict, List, NamedTuple, Tuple

from ._files import FileError, Files
from ._listeners.errors import ConfigurationRefusedError
from ._listeners.haproxy import invocation as haproxy_invocation
from ._listeners.nginx import invocation as nginx_invocation
from ._programs import PROGRAMS, Programs
from ._spread.haproxy import edit as haproxy
from ._spread.haproxy import reuse as haproxy_reuse
from ._spread.nginx import edit as nginx
from ._spread.nginx import reuse as nginx_reuse
from ._spread.plan import Connection
from ._spread.request import version_of
from ._spread.unused import Unused

Facts = List[Dict[str, Any]]
Problem = Dict[str, str]

_WHAT = "connection_reuse"
_MOST_LINES = 200


class _Read(NamedTuple):
    """What one server's configuration says. ``connections``: to tell the servers of a backend by."""

    lines: List[Unused]
    connections: List[Connection]


def describe(files: Files, programs: Programs = PROGRAMS) -> Tuple[Facts, List[Problem]]:
    """``(connection_reuse of docs/schema.md, problems)``: a server whose configuration is not understood has a problem,
    and does not keep the other one from being told."""
    told: List[Tuple[str, Unused, _Read]] = []
    problems = []
    readers: Tuple[Tuple[str, Callable[[Files, Programs], _Read]], ...] = (("haproxy", _haproxy), ("nginx", _nginx))
    for server, read in readers:
        try:
            found = read(files, programs)
        except (ConfigurationRefusedError, FileError) as error:
            problems.append({"what": _WHAT, "reason": "%s: %s" % (server, error)})
            continue
        told += [(server, one, found) for one in found.lines]
    if len(told) > _MOST_LINES:
        reason = "%d lines are more than are told: the first %d" % (len(told), _MOST_LINES)
        problems.append({"what": _WHAT, "reason": reason})
    return [_described(*one) for one in told[:_MOST_LINES]], problems


def _haproxy(files: Files, _programs: Programs) -> _Read:
    started = haproxy_invocation.find(files)
    if not any(files.glob(path) for path in started.paths):
        return _Read([], [])
    lines = haproxy_reuse.find(files, started)
    return _Read(lines, haproxy.find(files, started) if lines else [])


def _nginx(files: Files, programs: Programs) -> _Read:
    started = nginx_invocation.find(files)
    version = programs.look(started.words[0], "-v") if files.glob(started.main) else None
    if version is None:
        return _Read([], [])
    if version.problem:
        raise FileError(started.words[0], version.problem)
    # it says so on standard error
    lines = nginx_reuse.find(files, nginx_reuse.keeps_by_default(version.errors), started.main)
    return _Read(lines, nginx.find(files, started.main) if lines else [])


def _described(server: str, one: Unused, found: _Read) -> Dict[str, Any]:
    places = {
        (connection.address, connection.port)
        for connection in found.connections
        if connection.backend == one.backend and connection.port and version_of(connection.address)
    }
    return {
        "server": server,
        "path": one.path,
        "line": one.line,
        "backend": one.backend,
        "reason": one.reason,
        "change": one.change,
        "destinations": [{"address": address, "port": port} for address, port in sorted(places)],
    }
