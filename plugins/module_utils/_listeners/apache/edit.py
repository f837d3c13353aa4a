# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ports added to Listen and <VirtualHost> of Apache, and taken away. Nothing is written.

A comment cannot stand behind a directive, so the mark is a line before it; before a <VirtualHost> it names the
addresses that were added to the tag.
"""

from typing import Dict, List, NamedTuple, Optional, Tuple

from ..._files import FileError, Files
from .. import text
from ..edited import EditedFiles
from ..errors import ConfigurationRefusedError
from ..overlap import overlap
from ..plan import Listener, Plan
from ..request import Request
from . import layout, tree
from .syntax import Statement
from .tree import Found, Tree

_Lines = Dict[str, List[text.Line]]
_UNUSED = "/sites-available/*.conf"
_TAG = text.MARK + ": "
#: the port whose protocol is https where Listen names none (``ap_set_listener``)
_TLS_PORT = 443


class _Group(NamedTuple):
    """Statements of one kind and port that follow each other, none where they are gone, and those added behind them.

    0.0.0.0 and :: on one port have to follow each other, or Apache opens them both and fails (``open_listeners``).
    """

    origins: List[Found]
    added: List[Found]

    def is_for(self, port: int) -> bool:
        """Whether what somebody wrote is for a port."""
        return bool(self.origins and port in _ports(self.origins[0]))


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
    groups = [group for group in _groups(read) if group.is_for(request.existing_port)]
    if not any(group.origins[0].statement.name == "listen" for group in groups):
        raise ConfigurationRefusedError(where.main, 0, "no Listen is for TCP port %d" % request.existing_port)
    after = _Edit(read)
    ports = sorted(set(request.ports))
    added = [id(one) for group in groups for one in group.added]
    others = [one for one in read.found if id(one) not in added and one.statement.name == "listen"]
    for group in groups:
        for port in ports:
            for origin in group.origins:
                if not _is_served(read, origin, port, others):
                    after.put(group, origin, port)
    for one in read.found:
        if one.statement.name == "<virtualhost":
            after.extend(one, request.existing_port, ports)
    _refuse_foreign_hosts(read, request)
    edits = after.contents()
    changed = tree.read(EditedFiles(files, edits), where)
    _refuse_parted(read, changed)
    listeners = [_listener(changed, one) for one in _ours(changed, request) if one.statement.name == "listen"]
    uses = "%s:%d: SERVER_PORT tells the new ports from the old one, so that it may decide otherwise for them"
    return Plan(edits, listeners, [uses % use for use in read.uses])


def remove(files: Files, request: Request, where: Optional[layout.Layout] = None) -> Plan:
    """Take away what ``add`` put beside a port.

    :raises ConfigurationRefusedError: when the configuration is not understood.
    """
    where = where or layout.find(files)
    read = tree.read(files, where)
    ours = _ours(read, request)
    unused = [one for path in _unused(files, where, read) for one in tree.read_alone(files, where, path, read)]
    after = _Edit(read)
    for one in ours:
        after.drop(one)
    kept = {port for one in read.found if _is_marked(read, one) and one not in ours for port in _ports(one)}
    gone = set(request.ports) - kept
    for one in [*read.found, *unused]:
        if one.statement.name == "<virtualhost":
            after.shorten(one, gone)
    return Plan(after.contents(), [_listener(read, one) for one in ours if one.statement.name == "listen"], [])


def _unused(files: Files, where: layout.Layout, read: Tree) -> List[str]:
    """Debian's sites that are not in use: they may have been when a port was added."""
    try:
        return [path for path in files.glob(where.server_root + _UNUSED) if files.real_path(path) not in read.files]
    except FileError:
        return []  # a folder that may not be read holds nothing of ours


class _Edit:
    """Changes to lines, kept by their present numbers until all are known."""

    def __init__(self, read: Tree) -> None:
        self._read = read
        self._before: Dict[Tuple[str, int], str] = {}
        self._after: Dict[Tuple[str, int], List[str]] = {}
        self._replaced: Dict[Tuple[str, int], str] = {}
        self._gone: List[Tuple[str, int]] = []

    def put(self, group: _Group, origin: Found, port: int) -> None:
        """A copy of a statement for another port, or the one that is there as it should be."""
        new = _copy(origin, port)
        address = origin.named[0].endpoint.address
        for one in group.added:
            if port in _ports(one) and one.named[0].endpoint.address == address:
                self._replaced[one.path, one.statement.first] = new
                return
        smaller = [one.statement.last for one in group.added if max(_ports(one)) <= port]
        place = (origin.path, max([group.origins[-1].statement.last, *smaller]))
        self._after.setdefault(place, []).extend([_indent(origin.statement) + text.MARK, new])

    def drop(self, one: Found) -> None:
        """An added statement and its mark."""
        lines = range(one.statement.first - 1, one.statement.last + 1)
        self._gone += [(one.path, line) for line in lines]

    def extend(self, host: Found, existing_port: int, ports: List[int]) -> None:
        """More addresses in the tag of a VirtualHost."""
        present = {(one.endpoint.address, one.endpoint.port) for one in host.named}
        wanted = [
            "%s%d" % (one.endpoint.head, port)
            for port in ports
            for one in host.named
            if one.endpoint.port == existing_port and (one.endpoint.address, port) not in present
        ]
        if not wanted:
            return
        statement = host.statement
        line, column = statement.place(statement.words[-1].end)
        whole = self._text(host.path, line)
        added = "".join(" " + word for word in wanted)
        self._replaced[host.path, line] = whole[:column] + added + whole[column:]
        marked = _tagged(self._read, host)
        mark = _indent(statement) + _TAG + " ".join([*marked, *wanted])
        if marked:
            self._replaced[host.path, statement.first - 1] = mark
        else:
            self._before[host.path, statement.first] = mark

    def shorten(self, host: Found, ports: "set[int]") -> None:
        """Fewer addresses in the tag: those that the mark names."""
        marked = _tagged(self._read, host)
        going = [one for one in host.named if one.word.text in marked and one.endpoint.port in ports]
        if not going:
            return
        statement = host.statement
        for one in reversed(going):
            line, column = statement.place(one.word.end)
            whole = self._text(host.path, line)
            start = column - (one.word.end - one.word.start)
            # with the space that was put before it
            self._replaced[host.path, line] = whole[: start - 1] + whole[column:]
        gone = [one.word.text for one in going]
        left = [word for word in marked if word not in gone]
        if left:
            self._replaced[host.path, statement.first - 1] = _indent(statement) + _TAG + " ".join(left)
        else:
            self._gone.append((host.path, statement.first - 1))

    def contents(self) -> Dict[str, bytes]:
        """The new content of each file that changes."""
        edits = {}
        for path, before in self._read.files.items():
            lines = list(before)
            for index in reversed(range(len(lines))):
                place = (path, index)
                for number, new in enumerate(self._after.get(place, ())):
                    text.insert(lines, index + 1 + number, new)
                if place in self._replaced:
                    lines[index] = lines[index]._replace(text=self._replaced[place])
                if place in self._gone:
                    text.delete(lines, index)
                if place in self._before:
                    text.insert(lines, index, self._before[place])
            if lines != before:
                edits[path] = text.join(lines)
        return edits

    def _text(self, path: str, line: int) -> str:
        return self._replaced.get((path, line), self._read.files[path][line].text)


def _copy(origin: Found, port: int) -> str:
    """The statement in one line, for another port."""
    statement, (named, *_rest) = origin.statement, origin.named
    address_text = "%s%d" % (named.endpoint.head, port)
    if statement.name == "listen" and not _protocol(statement):
        usual = _usual_protocol(named.endpoint.port)
        if usual != _usual_protocol(port):
            address_text += " " + usual
    return statement.text[: named.word.start] + address_text + statement.text[named.word.end :]


def _protocol(statement: Statement) -> str:
    """The one that Listen names; ``options=`` is none."""
    return next((word.text.lower() for word in statement.words[1:] if "=" not in word.text), "")


def _usual_protocol(port: Optional[int]) -> str:
    return "https" if port == _TLS_PORT else "http"


def _indent(statement: Statement) -> str:
    return statement.text[: len(statement.text) - len(statement.text.lstrip())]


def _ports(one: Found) -> List[int]:
    return [named.endpoint.port for named in one.named if named.endpoint.port]


def _line_before(read: Tree, one: Found) -> str:
    first = one.statement.first
    return read.files[one.path][first - 1].text.strip() if first else ""


def _is_marked(read: Tree, one: Found) -> bool:
    return _line_before(read, one) == text.MARK


def _tagged(read: Tree, host: Found) -> List[str]:
    """The addresses that were added to a tag."""
    line = _line_before(read, host)
    return line[len(_TAG) :].split() if line.startswith(_TAG) else []


def _groups(read: Tree) -> List[_Group]:
    """An added statement belongs to those of its kind before it in its file that were not added."""
    groups: List[_Group] = []
    last: Dict[Tuple[str, str], _Group] = {}
    for one in sorted(read.found, key=lambda one: (one.path, one.statement.first)):
        kind = (one.path, one.statement.name)
        if one.statement.name == "<virtualhost" or not one.named:
            continue
        if _is_marked(read, one):
            if kind not in last:
                last[kind] = _Group([], [])
                groups.append(last[kind])
            last[kind].added.append(one)
            continue
        group = last.get(kind)
        origins = group.origins if group and not group.added else []
        if not (origins and origins[0].blocks == one.blocks and _ports(origins[0]) == _ports(one)):
            origins = []
            last[kind] = _Group(origins, [])
            groups.append(last[kind])
        origins.append(one)
    return groups


def _ours(read: Tree, request: Request) -> List[Found]:
    """The added statements that a request is about; those whose origins are gone go by their port alone."""
    groups = [group for group in _groups(read) if not group.origins or group.is_for(request.existing_port)]
    return [one for group in groups for one in group.added if set(_ports(one)) & set(request.ports)]


def _listener(read: Tree, one: Found) -> Listener:
    options = tuple(word.text for word in one.statement.words[1:])
    endpoint = one.named[0].endpoint
    return Listener(one.path, one.statement.first + 1, endpoint.address, endpoint.port or 0, options,
                    _is_marked(read, one))


def _is_served(read: Tree, origin: Found, port: int, others: List[Found]) -> bool:
    """Whether somebody configured the same already.

    :param others: all but what was added beside the same port.
    :raises ConfigurationRefusedError: when the port is taken by something else.
    """
    if origin.statement.name != "listen":
        return False
    mine = origin.named[0].endpoint
    protocol = _protocol(origin.statement) or _usual_protocol(mine.port)
    taken = [other for other in others if port in _ports(other)]
    for other in taken:
        alike = (_protocol(other.statement) or _usual_protocol(port)) == protocol and not _is_marked(read, other)
        if alike and other.blocks == origin.blocks and other.named[0].endpoint.address == mine.address:
            return True
    for other in taken:
        if overlap(mine.address, other.named[0].endpoint.address):
            reason = "port %d, which is to be added beside %s:%d, is taken here: choose another one"
            where = (port, origin.path, origin.statement.first + 1)
            raise ConfigurationRefusedError(other.path, other.statement.first + 1, reason % where)
    return False


def _refuse_foreign_hosts(read: Tree, request: Request) -> None:
    """A VirtualHost of its own on a port that is to be added would answer there.

    :raises ConfigurationRefusedError: when there is one.
    """
    for host in read.found:
        if host.statement.name != "<virtualhost":
            continue
        marked = _tagged(read, host)
        mine = {one.endpoint.address for one in host.named if one.endpoint.port == request.existing_port}
        for one in host.named:
            foreign = one.word.text not in marked and one.endpoint.address not in mine
            if foreign and one.endpoint.port in request.ports and one.endpoint.port != request.existing_port:
                reason = "port %d, which is to be added, has a <VirtualHost> of its own here: choose another one"
                raise ConfigurationRefusedError(host.path, host.statement.first + 1, reason % one.endpoint.port)


def _parted(read: Tree) -> List[Found]:
    """What listens on 0.0.0.0 with :: on the same port behind it, but not next to it."""
    heard = [one for one in read.found if one.statement.name == "listen"]
    return [
        one
        for at, one in enumerate(heard)
        if one.named[0].endpoint.address == "*"
        and any(_is_next(one, other) for other in heard[at + 2 :])
        and not _is_next(one, heard[at + 1])
    ]


def _is_next(one: Found, other: Found) -> bool:
    return other.named[0].endpoint.address == "::" and _ports(other) == _ports(one)


def _refuse_parted(read: Tree, changed: Tree) -> None:
    """
    :raises ConfigurationRefusedError: when 0.0.0.0 and :: would be parted, which Apache does not start with.
    """
    parted = _parted(changed)
    if len(parted) > len(_parted(read)):
        reason = "0.0.0.0 and [::] of one port have to follow each other: put the two Listen lines into one file"
        raise ConfigurationRefusedError(parted[0].path, parted[0].statement.first + 1, reason)
