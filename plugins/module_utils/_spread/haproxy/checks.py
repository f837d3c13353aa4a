# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What else a backend of HAProxy says that more lines for a server do not go with, or that has to be known of. Pure."""

import re
from typing import Dict, Iterator, List, NamedTuple, Optional

from ..._listeners.haproxy.statements import Statement
from .proxies import Proxy, Server
from .ways import is_spread

#: ways of balancing that choose by what is asked, so that other lines mean other servers, once
_HASHES = ("hdr", "hdr(", "hash", "rdp-cookie", "source", "uri", "url_param")
_COUNTS = re.compile(r"\bnbsrv\b(?:\(([^)]*)\))?")
_OF_SERVER = re.compile(r"\b(srv_(?:conn|conn_free|iweight|queue|sess_rate|uweight|weight))\(([^)]*)\)")


class Warned(NamedTuple):
    """A sentence about a line, or about none."""

    statement: Optional[Statement]
    text: str


def refuse(proxy: Proxy, servers: List[Server], parts: Dict[str, int]) -> None:
    """Refuse what more lines would break.

    :param parts: how many lines each server becomes, by its name.
    :raises ConfigurationRefusedError: with the line that is in the way.
    """
    balance = proxy.setting("balance")
    if balance and balance.rest[:1] == ["first"]:
        raise balance.refused("the first line gets all that it can take: choose another way to balance")
    for statement in proxy.own:
        if statement.keyword == "server-template":
            raise statement.refused("the servers of a template cannot be tracked one by one: write a line for each")
        if statement.keyword == "use-server" and statement.rest:
            for server in servers:
                if server.name == statement.rest[0] and parts[server.name] > 1 and server.number("maxconn"):
                    raise statement.refused("it sends requests to the line of %s only, which gets a part of its maxconn"
                                            " only: take one of the two away" % server.name)
    _refuse_defaults_between(proxy, servers)


def warnings(proxy: Proxy, every: List[Proxy], servers: List[Server], parts: Dict[str, int]) -> Iterator[Warned]:
    """What works otherwise with more lines."""
    for server in servers:
        if not is_spread(proxy, server):
            yield Warned(server.statement, "%s is left as it is" % server.name)
    cloned = [server for server in servers if parts[server.name] > 1]
    if not cloned:
        return
    yield from _of_balancing(proxy)
    if any(server.is_on("agent-check") for server in cloned):
        yield Warned(None, "each line asks the agent by itself, and takes a maxconn that it answers for its own")
    for statement in proxy.own:
        if statement.keyword == "use-server" and statement.rest[:1] in [[server.name] for server in cloned]:
            sentence = "it sends requests to the line of %s only, which are not spread"
            yield Warned(statement, sentence % statement.rest[0])
    for other in every:
        for statement in other.own:
            yield from _of_samples(statement, proxy, other, cloned)


def is_even(proxy: Proxy) -> bool:
    """Whether nothing but turns decides which line is next: no hash of what is asked, no memory of clients."""
    balance = proxy.setting("balance")
    hashed = bool(balance and balance.rest and balance.rest[0].startswith(_HASHES))
    return not (hashed or _sticky(proxy))


def on_removal(proxy: Proxy) -> Iterator[Warned]:
    """What taking lines away does."""
    sticky = _sticky(proxy)
    if sticky:
        yield Warned(sticky, "clients that were sent to a line that goes are balanced anew")


def _sticky(proxy: Proxy) -> Optional[Statement]:
    return proxy.setting("cookie") or proxy.setting("stick") or proxy.setting("stick-table")


def _of_balancing(proxy: Proxy) -> Iterator[Warned]:
    balance = proxy.setting("balance")
    words = balance.rest[:1] if balance else []
    if balance and words[0].startswith(_HASHES):
        yield Warned(balance, "the servers are chosen by a hash: clients may be sent to another server, once, and few"
                     " of them may not be spread evenly")  # fmt: skip
    sticky = _sticky(proxy)
    if sticky:
        yield Warned(sticky, "clients that have a server already stay on its own line: new ones are spread, and when"
                     " lines go, those that were sent to them are balanced anew")  # fmt: skip
    redispatch = proxy.option("redispatch")
    if redispatch:
        yield Warned(redispatch, "a request may be dispatched again to another line of the same server")


def _of_samples(statement: Statement, proxy: Proxy, other: Proxy, cloned: List[Server]) -> Iterator[Warned]:
    line = " ".join([statement.keyword, *statement.rest])
    for match in _COUNTS.finditer(line):
        if (match.group(1) or other.section.name) == proxy.section.name:
            yield Warned(statement, "nbsrv counts lines: a server is several of them now")
    for match in _OF_SERVER.finditer(line):
        backend, _slash, name = match.group(2).rpartition("/")
        if (backend or other.section.name) == proxy.section.name and name in [server.name for server in cloned]:
            yield Warned(statement, "%s is that of one line of %s only" % (match.group(1), name))


def _refuse_defaults_between(proxy: Proxy, servers: List[Server]) -> None:
    """Clones are behind all other servers, so that what counts there has to count for all of them."""
    first = min((server.statement.at for server in servers), default=0)
    end = max((server.statement.at for server in servers), default=0)
    for statement in proxy.own:
        if statement.keyword == "default-server" and first < statement.at < end:
            raise statement.refused("it counts for some of the servers only: put it before the first one")
