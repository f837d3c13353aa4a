# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The server lines that a server becomes: its own one changed, and clones. Pure text.

A clone is the server once more: it tracks its checks, has its part of the limits, and a name, a cookie and an id of its
own. The id is given because automatic ones go by position, and sticky entries and hashes by them.
"""

import zlib
from typing import Dict, List, NamedTuple, Optional, Set

from ..._listeners import text
from ..._listeners.haproxy import address
from ..._listeners.haproxy.words import WordsError
from ..request import shares
from .proxies import Proxy, Server
from .ways import Way

#: what a server has one of, in parts; of the first one 0 would mean no limit
_LIMITS = ("maxconn", "minconn", "maxqueue", "pool-max-conn", "pool-low-conn")
#: what the check of the server does, which a clone follows
_OF_CHECKS = (
    "check", "no-check", "check-alpn", "check-pool-conn-name", "check-proto", "check-reuse-pool", "check-send-proxy",
    "check-sni", "check-sni-auto", "check-ssl", "check-via-socks4", "downinter", "error-limit", "fall", "fastinter",
    "healthcheck", "inter", "no-check-reuse-pool", "no-check-send-proxy", "no-check-sni-auto", "no-check-ssl",
    "observe", "on-error", "port", "rise",
)  # fmt: skip
_FIRST_ID = 1000000
_MOST_IDS = 1000000000

_OWN = Way("", "", 0)

_Changes = Dict[str, Optional[str]]


class Clone(NamedTuple):
    """A line to add, and the name of its server."""

    text: str
    name: str


def own(server: Server, way: Way, weight: int, parts: int) -> str:
    """The line of the server itself; as it was where nothing of it changes."""
    changes = _shared(server, way, weight, 0, parts)
    new = _written(server, changes)
    return new + " " + text.MARK if new != _written(server, {}) else server.statement.line


def clones(proxy: Proxy, server: Server, found: List[Way], weight: int, taken: Set[int]) -> List[Clone]:
    """The lines of the other ways.

    :param found: all of them, the server's own first. :param taken: ids of the backend, to which theirs are added.
    """
    made = []
    for number, way in enumerate(found[1:], 1):
        name = _name(server, way)
        changes = _shared(server, way, weight, number, len(found))
        changes.update(_of_its_own(proxy, server, way, name))
        changes["id"] = "id %d" % _id(name, taken)
        made.append(Clone("%s %s" % (_written(server, changes, name, way), text.MARK), name))
    return made


def _shared(server: Server, way: Way, weight: int, number: int, parts: int) -> _Changes:
    changes: _Changes = {}
    for limit in _LIMITS:
        option = server.last(limit)
        total = server.number(limit) if option and option.value != "-1" else None
        if total and parts > 1:
            if limit == "maxconn" and total < parts:
                reason = "its maxconn of %d cannot be divided by %d lines: raise it, or spread over less"
                raise server.statement.refused(reason % (total, parts))
            changes[limit] = "%s %d" % (limit, max(1, shares(total, parts)[number]))
    if weight != weight_of(server):
        changes["weight"] = "weight %d" % weight
    if way.source:
        # without brackets the last part would be read as a port
        changes["source"] = "source %s" % ("[%s]" % way.source if ":" in way.source else way.source)
    return changes


def weight_of(server: Server) -> int:
    """The weight that it has."""
    number = server.number("weight")
    return 1 if number is None else number


def _of_its_own(proxy: Proxy, server: Server, way: Way, name: str) -> _Changes:
    changes: _Changes = {}
    for check in _OF_CHECKS:
        changes[check] = None
    if not server.is_on("agent-check"):
        changes["addr"] = None  # else the agent has it, too
    if server.is_on("check"):
        changes["track"] = "track %s/%s" % (proxy.section.name, server.name)
    if any(option.name == "check" for option in server.defaults):
        changes["no-check"] = "no-check"
    cookie = _cookie(proxy, server, way, name)
    if cookie:
        changes["cookie"] = "cookie " + cookie
    if server.last("guid"):
        changes["guid"] = "guid %s-%08x" % (_raw(server, "guid"), _hash(name))
    if server.last("hash-key"):
        changes["hash-key"] = "hash-key id"  # its address is that of others
    return changes


def _cookie(proxy: Proxy, server: Server, way: Way, name: str) -> str:
    """Not the one of the server: with equal ones the first line would get all of the clients that have it."""
    if server.last("cookie"):
        return "%s-%08x" % (_raw(server, "cookie"), _hash(name))
    settings = proxy.setting("cookie")
    dynamic = settings and "dynamic" in settings.rest
    # those are made of address and port
    return "%08x" % _hash(name) if dynamic and not (way.address or way.port) else ""


def _raw(server: Server, name: str) -> str:
    """The value of an option as it is written, without quotes where it needs none."""
    option = server.last(name)
    value = option.values[0] if option else None
    text_of = value.value(server.statement.variables) if value else None
    if text_of is None or not text_of.isprintable() or set(text_of) & set(" \t\"'\\#$"):
        raise server.statement.refused("the value of %s cannot be known from here, or has to be quoted" % name)
    return text_of


def _name(server: Server, way: Way) -> str:
    return "".join((
        server.name,
        "-" + way.address if way.address else "",
        "-%d" % way.port if way.port else "",
        "-from-" + way.source if way.source else "",
    ))  # fmt: skip


def _id(name: str, taken: Set[int]) -> int:
    number = _FIRST_ID + _hash(name) % _MOST_IDS
    while number in taken:
        number += 1
    taken.add(number)
    return number


def _hash(name: str) -> int:
    return zlib.crc32(name.encode("latin-1"))


def _written(server: Server, changes: _Changes, name: str = "", way: Way = _OWN) -> str:
    """The line up to its last word, with other options; None takes one out."""
    line, found = server.statement.line, server.statement.split.words
    written = line[: found[1].start] + (name or line[found[1].start : found[1].end])
    written += line[found[1].end : found[2].start] + _destination(server, way)
    end = found[2].end
    left = {option: new for option, new in changes.items() if new}
    for at, option in enumerate(server.options):
        gap, end = line[end : option.start], option.end
        if option.name not in changes:
            written += gap + line[option.start : option.end]
        elif all(other.name != option.name for other in server.options[at + 1 :]) and option.name in left:
            written += gap + left.pop(option.name)
    return " ".join([written, *left.values()])


def _destination(server: Server, way: Way) -> str:
    word = server.statement.split.words[2]
    if not (way.address or way.port):
        return server.statement.line[word.start : word.end]
    try:
        return address.quoted(server.where.at(way.address, way.port))
    except WordsError as error:
        raise server.statement.refused(str(error)) from None
