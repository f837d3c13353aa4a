# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files of firewalld's zones: ports are put in and taken out as text, and every other byte stays. Those of services.

Pure.
"""

from typing import Any, Dict, List, NamedTuple, Optional, Sequence
from xml.parsers import expat

from .firewalld_state import Shown, span

_PORT = '<port port="%s" protocol="tcp"/>'


class ZoneFileError(Exception):
    """A file that is no zone."""


class PortElement(NamedTuple):
    """A ``<port>`` of the zone itself, for TCP. ``start``, ``end``: where it is in the file, in bytes."""

    first: int
    last: int
    start: int
    end: int


class ZoneFile(NamedTuple):
    """``close``: where the end tag of the zone begins, -1 for an empty tag."""

    ports: List[PortElement]
    services: List[str]
    protocols: List[str]
    close: int

    def shown(self, name: str) -> Shown:
        """As ``firewall-cmd`` would print it."""
        ports = ["%d-%d/tcp" % (element.first, element.last) for element in self.ports]
        return Shown(name, name, {"ports": ports, "services": self.services, "protocols": self.protocols}, [])


class _Reader:
    """Elements with their places, of which ElementTree knows nothing."""

    def __init__(self, content: bytes, root: str) -> None:
        self._root = root
        self.found = ZoneFile([], [], [], -1)
        self._content = content
        self._depth = 0
        self._start = 0
        self._attributes: Dict[str, str] = {}
        self._parser: Any = expat.ParserCreate()
        self._parser.StartElementHandler = self._begin
        self._parser.EndElementHandler = self._finish
        self._parser.EntityDeclHandler = self._refuse
        self._parser.Parse(content, True)

    def _refuse(self, *_declaration: Any) -> None:
        raise ZoneFileError("it declares entities")

    def _begin(self, name: str, attributes: Dict[str, str]) -> None:
        if self._depth == 0 and name != self._root:
            raise ZoneFileError("its root is %.30r" % name)
        if self._depth == 1:
            self._start = self._parser.CurrentByteIndex
            self._attributes = attributes
        self._depth += 1

    def _finish(self, name: str) -> None:
        self._depth -= 1
        at = self._parser.CurrentByteIndex
        if self._depth == 0 and self._content[at : at + 6] == b"</zone":
            self.found = self.found._replace(close=at)
        if self._depth != 1:
            return
        if name == "service":
            self.found.services.append(self._attributes.get("name", ""))
        elif name == "include":
            self.found.services.append(self._attributes.get("service", ""))
        elif name == "protocol":
            self.found.protocols.append(self._attributes.get("value", ""))
        elif name == "port" and self._attributes.get("protocol") == "tcp":
            first, last = span(self._attributes.get("port", ""))
            # of an empty tag, expat gives the place behind it
            end = self._content.index(b">", at) + 1 if self._content[at : at + 6] == b"</port" else at
            self.found.ports.append(PortElement(first, last, self._start, end))


def parse(content: bytes) -> ZoneFile:
    """What the zone opens, and where that is written.

    :raises ZoneFileError: for anything that is no zone, or is in an encoding of which bytes cannot be edited.
    """
    return _read(content, "zone")


def service(name: str, content: bytes) -> Shown:
    """What a service opens, with the services that it includes.

    :raises ZoneFileError: for anything that is no service.
    """
    return _read(content, "service").shown(name)


def _read(content: bytes, root: str) -> ZoneFile:
    try:
        content.decode("utf-8")
        return _Reader(content, root).found
    except UnicodeDecodeError:
        raise ZoneFileError("it is not UTF-8") from None
    except expat.ExpatError as error:
        raise ZoneFileError(str(error)) from None


def add(content: bytes, ports: Sequence[int]) -> bytes:
    """The file with ports behind those that are there, or at the end.

    :raises ZoneFileError: as ``parse``.
    """
    zone = parse(content)
    if zone.close < 0:
        raise ZoneFileError("it has nothing in it")
    elements = [(_PORT % port).encode("ascii") for port in ports]
    end = b"\r\n" if b"\r\n" in content else b"\n"
    if zone.ports:
        at = zone.ports[-1].end
        indent = _indent(content, zone.ports[-1].start)
        lead = b"" if indent is None else end + indent
        return content[:at] + b"".join(lead + element for element in elements) + content[at:]
    indent = _indent(content, zone.close)
    if indent is None:
        return content[: zone.close] + b"".join(elements) + content[zone.close :]
    at = zone.close - len(indent)
    return content[:at] + b"".join(indent + b"  " + element + end for element in elements) + content[at:]


def remove(content: bytes, ports: Sequence[int]) -> bytes:
    """The file without ports; a range, into which firewalld may have joined them, keeps its others.

    :raises ZoneFileError: as ``parse``.
    """
    for element in reversed(parse(content).ports):
        left = [port for port in range(element.first, element.last + 1) if port not in ports]
        if len(left) == element.last - element.first + 1:
            continue
        if left:
            kept = b"".join((_PORT % piece).encode("ascii") for piece in _spans(left))
            content = content[: element.start] + kept + content[element.end :]
            continue
        start, end = element.start, element.end
        indent = _indent(content, start)
        line_end = content.find(b"\n", end)
        if indent is not None and line_end >= 0 and not content[end:line_end].strip():
            start, end = start - len(indent), line_end + 1
        content = content[:start] + content[end:]
    return content


def _spans(ports: Sequence[int]) -> List[str]:
    pieces: List[List[int]] = []
    for port in ports:
        if pieces and port == pieces[-1][1] + 1:
            pieces[-1][1] = port
        else:
            pieces.append([port, port])
    return [str(first) if first == last else "%d-%d" % (first, last) for first, last in pieces]


def _indent(content: bytes, at: int) -> Optional[bytes]:
    """White space before a place in its line, None when there is more than that."""
    indent = content[content.rfind(b"\n", 0, at) + 1 : at]
    return None if indent.strip() else indent
