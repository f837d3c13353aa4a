# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Changes to the lines of Apache's configuration. Pure text."""

from typing import Dict, List, Optional, Set, Tuple

from .. import text
from .groups import TAG, Group, ports_of, tagged
from .syntax import Statement
from .tree import Found, Tree

#: the port whose protocol is https where Listen names none (``ap_set_listener``)
_TLS_PORT = 443


class Changes:
    """Changes to lines, kept by their present numbers until all are known."""

    def __init__(self, read: Tree) -> None:
        self._read = read
        self._before: Dict[Tuple[str, int], str] = {}
        self._after: Dict[Tuple[str, int], List[str]] = {}
        self._replaced: Dict[Tuple[str, int], str] = {}
        self._gone: List[Tuple[str, int]] = []

    def put(self, group: Group, origin: Found, port: int) -> None:
        """A copy of a statement for another port, or the one that is there as it should be."""
        new = _copy(origin, port)
        address = origin.named[0].endpoint.address
        for one in group.added:
            if port in ports_of(one) and one.named[0].endpoint.address == address:
                self._replaced[one.path, one.statement.first] = new
                return
        smaller = [one.statement.last for one in group.added if max(ports_of(one)) <= port]
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
        marked = tagged(self._read, host)
        mark = _indent(statement) + TAG + " ".join([*marked, *wanted])
        if marked:
            self._replaced[host.path, statement.first - 1] = mark
        else:
            self._before[host.path, statement.first] = mark

    def shorten(self, host: Found, ports: Set[int]) -> None:
        """Fewer addresses in the tag: those that the mark names."""
        marked = tagged(self._read, host)
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
            self._replaced[host.path, statement.first - 1] = _indent(statement) + TAG + " ".join(left)
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
    if statement.name == "listen" and not protocol_of(statement):
        usual = usual_protocol(named.endpoint.port)
        if usual != usual_protocol(port):
            address_text += " " + usual
    return statement.text[: named.word.start] + address_text + statement.text[named.word.end :]


def protocol_of(statement: Statement) -> str:
    """The one that Listen names; ``options=`` is none."""
    return next((word.text.lower() for word in statement.words[1:] if "=" not in word.text), "")


def usual_protocol(port: Optional[int]) -> str:
    return "https" if port == _TLS_PORT else "http"


def _indent(statement: Statement) -> str:
    return statement.text[: len(statement.text) - len(statement.text.lstrip())]
