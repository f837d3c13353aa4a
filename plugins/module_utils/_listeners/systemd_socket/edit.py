# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ports added to socket units of systemd by a drop-in, and taken away. Nothing is written.

ListenStream= of a drop-in adds to those before it, so the unit's own file stays as it is.
"""

from typing import Collection, Dict, List, Optional, Tuple

from ..._files import FileError, Files, MissingFileError
from ..edited import EditedFiles
from ..errors import ConfigurationRefusedError
from ..overlap import overlap
from ..plan import Command, Listener, Plan
from ..request import Request
from . import drop_in, restart, sockets
from .sockets import Socket, Stream

_WHERE = "/etc/systemd/system"


def find(files: Files) -> List[Listener]:
    """What socket units on disk listen on, running or not."""
    return [_listener(socket, stream) for socket in sockets.read(files) for stream in socket.streams]


def concerned(files: Files, port: int, units: Optional[Collection[str]] = None) -> List[Socket]:
    """The sockets that a request is about.

    :param units: names; without them those that something on disk starts.
    :raises ConfigurationRefusedError: when there is none.
    """
    having = [socket for socket in sockets.read(files) if any(one.port == port for one in socket.streams)]
    chosen = [socket for socket in having if (socket.wanted if units is None else socket.unit in units)]
    if chosen:
        return chosen
    if having:
        reason = "%s listens on port %d, but nothing on disk starts it: enable it, or name it"
        raise ConfigurationRefusedError(having[0].streams[0].path, 0, reason % (having[0].unit, port))
    raise ConfigurationRefusedError(_WHERE, 0, "no socket unit listens on TCP port %d" % port)


def edited(files: Files, plan: Plan) -> List[Socket]:
    """The sockets whose drop-in a plan changes."""
    return [socket for socket in sockets.read(files) if _path(files, socket) in plan.edits]


def check(chosen: List[Socket]) -> Tuple[str, ...]:
    """The command with which systemd checks unit files, for the sockets of a request."""
    return ("systemd-analyze", "verify", *(socket.unit for socket in chosen))


def restart_commands(files: Files, chosen: List[Socket], running: Collection[str]) -> Tuple[Command, ...]:
    """What makes systemd listen as the files say now. In order.

    :param running: names of the sockets and services that run; instances, one a connection, go on.
    """
    services = {socket.service for socket in chosen if not socket.accepts}
    names = {socket.unit for socket in chosen}
    sharing = [one for one in sockets.read(files) if one.unit in names or one.service in services]
    units = [unit for unit in [*(one.unit for one in sharing), *sorted(services)] if unit in running]
    return restart.commands(units, services, {stream.port for one in sharing for stream in one.streams})


def add(files: Files, request: Request, units: Optional[Collection[str]] = None) -> Plan:
    """A drop-in for each socket unit that listens on a port, with the same addresses and the other ports.

    :param units: see ``concerned``.
    :raises ConfigurationRefusedError: when no unit listens on the port, when one listens on a port that is to be added,
        or when the drop-in would not count.
    """
    chosen = concerned(files, request.existing_port, units)
    ours = {(socket.unit, one.value) for socket in chosen for one in _entries(files, socket)[1]
            if one.beside == request.existing_port}
    others = [(socket, one) for socket in sockets.read(files) for one in socket.streams
              if not (_is_added(one) and (socket.unit, _value(one)) in ours)]
    edits: Dict[str, bytes] = {}
    for socket in chosen:
        before, entries = _entries(files, socket)
        wanted = [
            drop_in.Entry(request.existing_port, port, "%s%d%s" % (stream.head, port, stream.tail))
            for port in sorted(set(request.ports))
            for stream in socket.streams
            if stream.port == request.existing_port and not _is_served(socket, stream, port, others)
        ]
        kept = [one for one in entries if one.beside != request.existing_port or one.port not in request.ports]
        content = drop_in.render(sorted(kept + wanted, key=lambda one: (one.beside, one.port)))
        if content != before:
            edits[_path(files, socket)] = content
    after = EditedFiles(files, edits)
    changed = [socket for socket in sockets.read(after) if socket.unit in [one.unit for one in chosen]]
    for socket in changed:
        _refuse_without_effect(after, socket)
    listeners = [_listener(socket, one) for socket in changed for one in socket.streams
                 if one.port in request.ports and _is_added(one)]
    return Plan(edits, listeners, _warnings(chosen, changed))


def remove(files: Files, request: Request, units: Optional[Collection[str]] = None) -> Plan:
    """Take away what ``add`` put beside a port. A drop-in of which nothing is left comes with no content: it goes.

    :param units: names; without them every unit that has a drop-in of ours.
    :raises ConfigurationRefusedError: when somebody else wrote in a drop-in of ours.
    """
    edits: Dict[str, bytes] = {}
    gone: List[Listener] = []
    for socket in sockets.read(files):
        if units is not None and socket.unit not in units:
            continue
        _content, entries = _entries(files, socket)
        left = [one for one in entries if one.beside != request.existing_port or one.port not in request.ports]
        if len(left) < len(entries):
            edits[_path(files, socket)] = drop_in.render(left)
            values = [one.value for one in entries if one not in left]
            gone += [_listener(socket, one) for one in socket.streams
                     if _is_added(one) and _value(one) in values]
    return Plan(edits, gone, [])


def _path(files: Files, socket: Socket) -> str:
    return files.real_path(drop_in.path_of(socket.unit))


def _entries(files: Files, socket: Socket) -> Tuple[bytes, List[drop_in.Entry]]:
    """``(content, what it says)`` of the drop-in that is there."""
    path = drop_in.path_of(socket.unit)
    try:
        content = files.read_bytes(path)
    except MissingFileError:
        return b"", []
    except FileError as error:
        raise ConfigurationRefusedError(error.what, 0, error.reason) from None
    entries = drop_in.parse(content)
    if entries is None:
        raise ConfigurationRefusedError(path, 0, "somebody else wrote in it: give that drop-in another name")
    return content, entries


def _is_added(stream: Stream) -> bool:
    return stream.path.endswith(drop_in.NAME)


def _value(stream: Stream) -> str:
    return "%s%d%s" % (stream.head, stream.port, stream.tail)


def _listener(socket: Socket, stream: Stream) -> Listener:
    options = ("BindIPv6Only=ipv6-only",) if socket.v6only else ()
    address = "::" if socket.v6only and not stream.address else stream.address
    return Listener(stream.path, stream.line, address, stream.port, options, _is_added(stream))


def _is_served(socket: Socket, stream: Stream, port: int, others: List[Tuple[Socket, Stream]]) -> bool:
    """Whether somebody configured the same already.

    :param others: all but what was added beside the same port.
    :raises ConfigurationRefusedError: when a unit has the port for something else.
    """
    taken = [(other, one) for other, one in others if one.port == port]
    for other, one in taken:
        if other.unit == socket.unit and one.address == stream.address and not _is_added(one):
            return True
    for other, one in taken:
        if overlap(stream.address, one.address, socket.v6only and other.v6only):
            reason = "%s has port %d, which is to be added to %s: choose another one"
            raise ConfigurationRefusedError(one.path, one.line, reason % (other.unit, port, socket.unit))
    return False


def _refuse_without_effect(files: Files, socket: Socket) -> None:
    """
    :raises ConfigurationRefusedError: when a file that systemd reads later takes back what the drop-in says.
    """
    path = drop_in.path_of(socket.unit)
    try:
        entries = drop_in.parse(files.read_bytes(path)) or []
    except MissingFileError:
        return
    heard = [one for one in socket.streams if _is_added(one)]
    if len(heard) < len(entries):
        reason = "it would not count: a drop-in that is read after it empties ListenStream=, or hides it"
        raise ConfigurationRefusedError(path, 0, reason)


def _warnings(before: List[Socket], after: List[Socket]) -> List[str]:
    had = {socket.unit: len(socket.streams) for socket in before}
    return [
        "%s is handed %d TCP sockets by %s instead of %d: it has to serve them all"
        % (socket.service, len(socket.streams), socket.unit, had[socket.unit])
        for socket in after
        if not socket.accepts and len(socket.streams) > had[socket.unit]
    ]
