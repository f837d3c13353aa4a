# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which connections one server line of HAProxy becomes, and whether it can. Pure."""

import ipaddress
from typing import List, NamedTuple, Tuple

from ..._listeners.haproxy import address
from ..request import Request, version_of
from .proxies import Proxy, Server

#: the words of ``source`` beside its address are of this many
_PLAIN = 1


class Way(NamedTuple):
    """One line: where from, and where to. ``address``, ``port``: empty and 0 for those that the server has."""

    source: str
    address: str
    port: int


def ways(proxy: Proxy, server: Server, wanted: Request, others: List[Server]) -> List[Way]:
    """The lines that a server becomes; the first one is its own.

    :param others: those of the same backend; what they do already is left to them.
    :raises ConfigurationRefusedError: when it cannot.
    """
    if not is_spread(proxy, server):
        return [Way("", "", 0)]
    _refuse(proxy, server, wanted)
    found = [
        Way(source, host, port)
        for host in ("", *wanted.addresses_of(server.name))
        for port in (0, *(port for port in wanted.ports if port != server.where.port))
        for source in _sources(server, host, wanted)
    ]
    taken = {(one.where.address, one.where.port, source_of(proxy, one)) for one in others}
    return found[:1] + [one for one in found[1:] if _target(server, one) not in taken]


def is_spread(proxy: Proxy, server: Server) -> bool:
    """Whether its connections can be spread at all; what is no use is left as it is."""
    if server.where.kind != address.TCP or server.last("redir"):
        return False
    # of the others only the first one is ever used
    return not server.is_on("backup") or proxy.option("allbackups") is not None


def source_of(proxy: Proxy, server: Server) -> str:
    """Where the connections of a line come from, as it is written; empty where the kernel chooses."""
    option = server.last("source")
    if option:
        return _bare(option.value)
    statement = proxy.setting("source")
    return _bare(statement.rest[0]) if statement and statement.rest else ""


def _refuse(proxy: Proxy, server: Server, wanted: Request) -> None:
    statement, where = server.statement, server.where
    if server.last("socks4"):
        raise statement.refused("it is reached through a SOCKS proxy: spread the connections to that")
    if server.last("resolvers") and not version_of(where.address):
        raise statement.refused("its name is resolved again and again, for each line by itself, so that lines of one"
                                " server could become lines of several: give it an address")
    if not where.address:
        raise statement.refused("it connects where the client wanted to: there is no server to spread connections to")
    if wanted.ports and not where.port:
        raise statement.refused("its port is the one that the client asked for, or relative to it: more ports of the"
                                " frontend do what more ports here would")
    if wanted.sources:
        _refuse_source(proxy, server, wanted)


def _refuse_source(proxy: Proxy, server: Server, wanted: Request) -> None:
    option = server.last("source")
    above = proxy.setting("source")
    words = [word.text for word in option.values] if option else above.rest if above else []
    blamed = above if above and not option else server.statement
    if not words:
        return
    if len(words) > _PLAIN:
        raise blamed.refused("a source with %s chooses addresses in another way: it has to go first" % words[1])
    if _bare(words[0]) not in wanted.sources:
        raise blamed.refused("connections come from %s already: name it among the sources, or take it away" % words[0])


def _sources(server: Server, host: str, wanted: Request) -> List[str]:
    """Those of the family of the server."""
    if not wanted.sources:
        return [""]
    versions = {version_of(source) for source in wanted.sources}
    version = version_of(host or server.where.address) or (0 if host else server.where.family)
    if not version:
        if len(versions) > 1:
            raise server.statement.refused("%s may be an address of IPv4 or of IPv6: give sources of one family only"
                                           % (host or server.where.address))
        return list(wanted.sources)
    found = [source for source in wanted.sources if version_of(source) == version]
    if not found:
        raise server.statement.refused("none of the sources is an address of IPv%d, which %s is"
                                       % (version, host or server.where.address))
    return found


def _target(server: Server, way: Way) -> Tuple[str, int, str]:
    return way.address or server.where.address, way.port or server.where.port, way.source


def _bare(written: str) -> str:
    """An address as it is usually written; with a port or a variable it stays as it is.

    What is behind the last colon is a port, also where that is one of an address of IPv6 without brackets.
    """
    host, colon, port = ("", "", "") if written.endswith("]") else written.rpartition(":")
    text = host if colon and port in ("", "0") else "" if colon else written
    try:
        return str(ipaddress.ip_address(text.strip("[]")))
    except ValueError:
        return written
