# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a ``bind`` line listens on, and a ``server`` line connects to: ``str2listener``, ``str2sa_range``. Pure text."""

import re
from typing import Dict, List, NamedTuple

from .words import WordsError, expand

_PORTS = re.compile(r"([0-9]{1,5})(?:-([0-9]{1,5}))?\Z")
#: stream sockets with a port: prefix -> family, 0 for the one that the address has
_STREAMS = {
    "ip@": 0, "tcp@": 0, "mptcp@": 0,
    "ipv4@": 4, "tcp4@": 4, "mptcp4@": 4,
    "ipv6@": 6, "tcp6@": 6, "mptcp6@": 6,
}
#: what has no TCP port: Unix sockets, UDP, connections the other way round
_OTHERS = ("/", "unix@", "uxst@", "uxdg@", "abns@", "abnsz@", "udp@", "udp4@", "udp6@", "rhttp@", "rev@")
_DATAGRAMS = ("quic4@", "quic6@", "quic+", "dgram+")
#: a socket that somebody else made
_INHERITED = ("fd@", "sockpair@")
_VARIABLE = re.compile(r"\$\{[^}]*\}")
_PLAIN = re.compile(r"[\w.:*\[\]@%+-]*\Z", re.ASCII)

_RELATIVE = re.compile(r"[+-][0-9]{1,5}\Z")

TCP, QUIC, INHERITED, OTHER = "tcp", "quic", "inherited", "other"


class Endpoint(NamedTuple):
    """One address of a list. ``kind``: one of the constants; what follows is of TCP.

    ``address``: "*" for every IPv4 address, "::" for every IPv6 one, else without brackets. ``head``: all before the
    port as it is written, variables too; empty where the port cannot be told from it.
    """

    kind: str
    address: str = ""
    first: int = 0
    last: int = 0
    head: str = ""


def endpoints(text: str, variables: Dict[str, str]) -> List[Endpoint]:
    """The addresses of a list.

    :param text: as ``words.template`` gives it.
    :raises WordsError: for what HAProxy would refuse, or what cannot be known.
    """
    found = []
    for one in text.split(","):
        value = expand(one, variables)
        if "," in value:
            raise WordsError("a variable in it holds several addresses")
        if value:  # HAProxy takes an empty one for the end
            found.append(_endpoint(one, value, variables))
    return found


class Destination(NamedTuple):
    """Where a server is. ``kind``: one of the constants; what follows is of TCP.

    ``family``: 4 or 6 where the prefix says so, else 0. ``address``: without brackets, in small letters, empty where it
    is the one that the client asked for. ``port``: 0 where it depends on the one that the client asked for.
    ``prefix``, ``host``, ``tail``: as they are written, variables too; the tail is the port with its colon.
    """

    kind: str
    family: int = 0
    address: str = ""
    port: int = 0
    prefix: str = ""
    host: str = ""
    tail: str = ""

    def at(self, host: str, port: int) -> str:
        """The same at another address or port; empty and 0 for those that it has."""
        written = ("[%s]" % host if ":" in host else host) if host else self.host
        return "%s%s%s" % (self.prefix, written, ":%d" % port if port else self.tail)


def destination(text: str, variables: Dict[str, str]) -> Destination:
    """Where a server is.

    :param text: as ``words.template`` gives it.
    :raises WordsError: for what HAProxy would refuse, or what cannot be known.
    """
    value = expand(text, variables)
    stream = value[len("stream+") :] if value.startswith("stream+") else value
    if stream.startswith((*_OTHERS, *_DATAGRAMS, *_INHERITED)):
        return Destination(OTHER)
    prefix, at, rest = text.rpartition("@")
    if "${" in prefix:
        raise WordsError("a variable in it holds more than an address or a port")
    family = _STREAMS.get(prefix.rpartition("+")[2] + at, 0)
    host, colon, ports = rest.rpartition(":")
    if not colon or rest.endswith("]"):
        host, colon, ports = rest, "", ""
    number, bare = expand(ports, variables), expand(host, variables)
    if any(sign in bare for sign in "@,") or (":" in bare and "${" in host):
        raise WordsError("a variable in it holds more than an address or a port")
    if number and not (number.isdigit() or _RELATIVE.match(number)):
        raise WordsError("%s is no address with a port" % value)
    port = int(number) if number.isdigit() else 0
    if port > 65535:
        raise WordsError("the port of %s is not from 1 to 65535" % value)
    meant = _meaning(bare, family)
    return Destination(TCP, family, "" if meant in ("*", "::") else meant, port, prefix + at, host, colon + ports)


def with_port(endpoint: Endpoint, port: int) -> str:
    """The same address with another port.

    :raises WordsError: when the port cannot be told from the rest.
    """
    if not endpoint.head:
        raise WordsError("a variable in it holds address and port")
    return "%s%d" % (endpoint.head, port)


def quoted(text: str) -> str:
    """A word that HAProxy reads as this template.

    :raises WordsError: for characters that no address has.
    """
    if not _PLAIN.match(_VARIABLE.sub("", text).replace(",", "")):
        raise WordsError("its address has characters that no address has")
    return '"%s"' % text if "$" in text else text


def _endpoint(text: str, value: str, variables: Dict[str, str]) -> Endpoint:
    stream = value[len("stream+") :] if value.startswith("stream+") else value
    for kind, prefixes in ((OTHER, _OTHERS), (QUIC, _DATAGRAMS), (INHERITED, _INHERITED)):
        if stream.startswith(prefixes):
            return Endpoint(kind)
    prefix, at, rest = stream.partition("@")
    family = _STREAMS.get(prefix + at, 0)
    host, colon, ports = (rest if prefix + at in _STREAMS else stream).rpartition(":")
    match = _PORTS.match(ports)
    if not (colon and match):
        raise WordsError("%s is no address with a port" % value)
    first, last = int(match.group(1)), int(match.group(2) or match.group(1))
    if not 1 <= first <= last <= 65535:
        raise WordsError("the port of %s is not from 1 to 65535" % value)
    head, colon, tail = text.rpartition(":")
    return Endpoint(TCP, _meaning(host, family), first, last, head + colon if expand(tail, variables) == ports else "")


def _meaning(host: str, family: int) -> str:
    bare = host.strip("[]").lower()
    if bare in ("", "*"):
        return "::" if family == 6 else "*"
    return "*" if bare == "0.0.0.0" else bare  # noqa: S104  # nothing is bound here
