# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ports added to the ``bind`` lines of HAProxy, and taken away. Nothing is written."""

from typing import Dict, List, NamedTuple, Optional

from ..._files import Files
from .. import text
from ..errors import ConfigurationRefusedError
from ..overlap import overlap
from ..plan import Listener, Plan
from ..request import Request
from . import address, invocation, options, sections, words
from .sections import Bind

#: what words that tell ports apart do on a new one
_TELLS = "%s tells the new ports from the old one, so that it may decide otherwise for them"
_MEANING = {
    "dst_port": _TELLS,
    "so_id": _TELLS,
    "so_name": _TELLS,
    "redirect scheme": "%s sends clients of a new port to the same port, where the other scheme is not spoken",
}

_Lines = Dict[str, List[text.Line]]


class _Group(NamedTuple):
    """A line that somebody wrote, None where it is gone, and those that were added beside it."""

    origin: Optional[Bind]
    added: List[Bind]


def find(files: Files, started: Optional[invocation.Invocation] = None) -> List[Listener]:
    """What the configuration listens on.

    :param started: how HAProxy is started; found out where it is not given.
    :raises ConfigurationRefusedError: when that cannot be known.
    """
    started = started or invocation.find(files)
    reading = sections.read(list(_read(files, started).items()), started.environment)
    return [one for bind in reading.binds for one in _listeners(bind, reading)]


def add(files: Files, request: Request, started: Optional[invocation.Invocation] = None) -> Plan:
    """Beside each line that listens on a port, one for each other port, with the same addresses and options.

    :raises ConfigurationRefusedError: when the configuration is not understood, when nothing in it listens on the port,
        or when something else in it listens on one that is to be added.
    """
    started = started or invocation.find(files)
    before = _read(files, started)
    reading = sections.read(list(before.items()), started.environment)
    concerned = [group for group in _groups(reading.binds) if _is_concerned(group, request.existing_port)]
    origins = [group.origin for group in concerned if group.origin]
    if not origins:
        raise ConfigurationRefusedError(next(iter(before)), 0, _nothing(reading.binds, request.existing_port))
    ours = [bind for group in concerned for bind in group.added]
    others = [bind for bind in reading.binds if bind not in ours]
    after = {path: list(lines) for path, lines in before.items()}
    # the last ones first, so that the numbers of the lines before them stay
    for origin, added in reversed([(group.origin, group.added) for group in concerned if group.origin]):
        for port in sorted(set(request.ports), reverse=True):
            wanted = [one for one in origin.covers(request.existing_port) if not _is_served(origin, one, port, others)]
            if wanted:
                _put(after[origin.path], _line_for(origin, wanted, port), port, origin, added)
    changed = sections.read(list(after.items()), started.environment)
    return Plan(_edits(before, after), _ours(changed, request), _warnings(reading, origins))


def remove(files: Files, request: Request, started: Optional[invocation.Invocation] = None) -> Plan:
    """Take away the lines that ``add`` put beside those that listen on a port.

    :raises ConfigurationRefusedError: when the configuration is not understood.
    """
    started = started or invocation.find(files)
    before = _read(files, started)
    reading = sections.read(list(before.items()), started.environment)
    after = {path: list(lines) for path, lines in before.items()}
    for group in reversed(_groups(reading.binds)):
        for bind in reversed(_of_request(group, request)):
            text.delete(after[bind.path], bind.at)
    return Plan(_edits(before, after), _ours(reading, request), [])


def _read(files: Files, started: invocation.Invocation) -> _Lines:
    return {path: text.split(invocation.read(files, path)) for path in invocation.expand(files, started)}


def _edits(before: _Lines, after: _Lines) -> Dict[str, bytes]:
    return {path: text.join(lines) for path, lines in after.items() if lines != before[path]}


def _listeners(bind: Bind, reading: sections.Reading) -> List[Listener]:
    written = tuple(word.text for word in bind.options)
    return [
        Listener(bind.path, bind.at + 1, one.address, port, written, bind.added, reading.speaks_http(bind))
        for one in bind.endpoints
        if one.kind == address.TCP
        for port in range(one.first, one.last + 1)
    ]


def _groups(binds: List[Bind]) -> List[_Group]:
    """An added line belongs to the last one before it in its section that was not."""
    groups: List[_Group] = []
    section = None
    for bind in binds:
        if bind.section.kind not in sections.SERVING:
            continue
        if not bind.added or bind.section != section:
            groups.append(_Group(None if bind.added else bind, []))
        if bind.added:
            groups[-1].added.append(bind)
        section = bind.section
    return groups


def _is_concerned(group: _Group, port: int) -> bool:
    return bool(group.origin and group.origin.covers(port))


def _of_request(group: _Group, request: Request) -> List[Bind]:
    """The added lines that a request is about; those whose origin is gone go by their port alone."""
    if group.origin and not group.origin.covers(request.existing_port):
        return []
    return [bind for bind in group.added if any(bind.covers(port) for port in request.ports)]


def _ours(reading: sections.Reading, request: Request) -> List[Listener]:
    lines = [bind for group in _groups(reading.binds) for bind in _of_request(group, request)]
    return [one for bind in lines for one in _listeners(bind, reading)]


def _put(lines: List[text.Line], new: str, port: int, origin: Bind, added: List[Bind]) -> None:
    """A line for a port in place of the one that is there, else behind those of smaller ports."""
    for bind in added:
        if bind.covers(port):
            lines[bind.at] = lines[bind.at]._replace(text=new)
            return
    smaller = [bind.at for bind in added if any(one.last < port for one in bind.endpoints)]
    text.insert(lines, max([origin.at, *smaller]) + 1, new)


def _line_for(origin: Bind, wanted: List[address.Endpoint], port: int) -> str:
    try:
        addresses = address.quoted(",".join(address.with_port(one, port) for one in wanted))
        rest = options.for_port(origin.line, origin.behind, origin.options, port)
    except words.WordsError as error:
        raise ConfigurationRefusedError(origin.path, origin.at + 1, str(error)) from None
    return "%s%s%s %s" % (origin.head, addresses, rest, text.MARK)


def _is_served(origin: Bind, endpoint: address.Endpoint, port: int, others: List[Bind]) -> bool:
    """Whether somebody configured the same already.

    :param others: all but what was added beside the same port.
    :raises ConfigurationRefusedError: when the port is taken by something else.
    """
    taken = [(other, one) for other in others for one in other.covers(port)]
    for other, one in taken:
        alike = options.shared(origin.options) == options.shared(other.options)
        if alike and not other.added and other.section == origin.section and one.address == endpoint.address:
            return True
    for other, one in taken:
        if overlap(endpoint.address, one.address, origin.v6only or other.v6only):
            reason = "port %d, which is to be added beside %s:%d, is taken here: choose another one"
            raise ConfigurationRefusedError(other.path, other.at + 1, reason % (port, origin.path, origin.at + 1))
    return False


def _nothing(binds: List[Bind], port: int) -> str:
    reason = "no bind line of a frontend or listen section listens on TCP port %d" % port
    inherited = [bind for bind in binds if any(one.kind == address.INHERITED for one in bind.endpoints)]
    if inherited:
        reason += "; the socket of line %d is made by somebody else, who has to add ports" % (inherited[0].at + 1)
    return reason


def _warnings(reading: sections.Reading, concerned: List[Bind]) -> List[str]:
    mine = {bind.section for bind in concerned}
    plain = any(all(word.text != "ssl" for word in bind.options) for bind in concerned)
    uses = [use for use in reading.uses if use.section in mine or use.section.kind not in sections.SERVING]
    return [
        "%s:%d: QUIC stays on its port, TCP alone gets more" % (bind.path, bind.at + 1)
        for bind in concerned
        if any(one.kind == address.QUIC for one in bind.endpoints)
    ] + [
        "%s:%d: %s" % (use.section.path, use.at + 1, _MEANING[use.word] % use.word)
        for use in uses
        if plain or use.word != "redirect scheme"
    ]
