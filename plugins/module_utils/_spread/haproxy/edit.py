# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Connections of an HAProxy backend spread over addresses and ports. Plans only: nothing is written."""

from typing import Dict, Iterable, List, NamedTuple, Optional, Tuple

from ..._answers import Spoken
from ..._files import Files
from ..._listeners import text
from ..._listeners.errors import ConfigurationRefusedError
from ..._listeners.haproxy import address, invocation
from .. import weights
from ..plan import Connection, Plan, Pool, ServerPools
from ..request import Request, joined, normal, without
from . import checks, clones, marks, proxies, ways
from .proxies import Proxy, Server
from .ways import Way

_MOST_WEIGHT = 256

_Lines = Dict[str, List[text.Line]]


class _Bare(NamedTuple):
    """The backend without what was put into it.

    ``lines``: of all files. ``state``: what it was spread over. ``numbers``: of the lines of its file as it is.
    """

    lines: _Lines
    every: List[Proxy]
    proxy: Proxy
    state: Request
    numbers: List[int]

    def number(self, path: str, line: int) -> int:
        """The line of the file as it is, of one that is counted here, both from 1."""
        return self.numbers[line - 1] if line and path == self.proxy.section.path else line


class _Spread(NamedTuple):
    server: Server
    ways: List[Way]


def find(files: Files, started: Optional[invocation.Invocation] = None) -> List[Connection]:
    """Where the server lines of all backends connect to.

    :param started: how HAProxy is started; found out where it is not given.
    :raises ConfigurationRefusedError: when that cannot be known.
    """
    started = started or invocation.find(files)
    return [one for proxy in _proxies(_read(files, started), started) for one in _connections(proxy)]


def add(files: Files, request: Request, started: Optional[invocation.Invocation] = None) -> Plan:
    """Spread the connections of a backend over what is asked for, besides what it is spread over already.

    :raises ConfigurationRefusedError: when the configuration is not understood, or does not go with that.
    :raises ValueError: for what is no address or port.
    """
    started = started or invocation.find(files)
    before = _read(files, started)
    bare = _bare(before, started, request.backend)
    if not bare:
        raise ConfigurationRefusedError(next(iter(before)), 0, _nothing(before, started, request.backend))
    wanted = joined(bare.state, _by_names(bare, normal(request)))
    return _plan(before, bare, wanted, started)


def remove(files: Files, request: Request, started: Optional[invocation.Invocation] = None) -> Plan:
    """Take away what is asked for; everything where nothing but the backend is named.

    :raises ConfigurationRefusedError: when the configuration is not understood.
    :raises ValueError: for what is no address or port.
    """
    started = started or invocation.find(files)
    before = _read(files, started)
    bare = _bare(before, started, request.backend)
    if not bare:
        return Plan({}, [], [])
    plan = _plan(before, bare, without(bare.state, _by_names(bare, request)), started)
    return plan._replace(warnings=_sentences(bare, checks.on_removal(bare.proxy)) if plan.edits else [])


def state(files: Files, backend: str, started: Optional[invocation.Invocation] = None) -> Request:
    """What a backend is spread over now; nothing where there is none of the name.

    :raises ConfigurationRefusedError: when the configuration is not understood.
    """
    started = started or invocation.find(files)
    bare = _bare(_read(files, started), started, backend)
    return bare.state if bare else Request(backend)


def _read(files: Files, started: invocation.Invocation) -> _Lines:
    return {path: text.split(invocation.read(files, path)) for path in invocation.expand(files, started)}


def _proxies(lines: _Lines, started: invocation.Invocation) -> List[Proxy]:
    return proxies.read(list(lines.items()), started.environment)


def _named(every: List[Proxy], name: str) -> Optional[Proxy]:
    found = [one for one in every if one.section.kind in proxies.CONNECTING and one.section.name == name]
    if len(found) > 1:
        raise ConfigurationRefusedError(found[1].section.path, found[1].section.at + 1, "%s is there twice" % name)
    return found[0] if found else None


def _bare(before: _Lines, started: invocation.Invocation, name: str) -> Optional[_Bare]:
    proxy = _named(_proxies(before, started), name)
    if not proxy:
        return None
    section = proxy.section
    stripped = marks.bare(section.path, before[section.path], section.at, proxy.end)
    lines = {**before, section.path: stripped.lines}
    every = _proxies(lines, started)
    found = _named(every, name)
    return _Bare(lines, every, found, stripped.state._replace(backend=name), stripped.numbers) if found else None


def _plan(before: _Lines, bare: _Bare, wanted: Request, started: invocation.Invocation) -> Plan:
    after = dict(bare.lines)
    warnings: List[str] = []
    if not wanted.empty:
        path = bare.proxy.section.path
        try:
            after[path], warnings = _spread(bare, wanted)
        except ConfigurationRefusedError as error:
            raise ConfigurationRefusedError(error.path, bare.number(error.path, error.line), error.reason) from None
    edits = {path: text.join(lines) for path, lines in after.items() if lines != before[path]}
    proxy = _named(_proxies(after, started), wanted.backend)
    connections = _connections(proxy) if proxy else []
    return Plan(edits, connections, warnings, _servers(bare.proxy, wanted), checks.is_even(bare.proxy))


def _by_names(bare: _Bare, request: Request) -> Request:
    """A request with names where it has addresses of servers: who gives a server more may know no more than those."""
    names = {one.where.address: one.name for one in proxies.servers(bare.proxy) if one.where.kind == address.TCP}
    known = {one.name for one in proxies.servers(bare.proxy)}
    addresses = tuple(
        one if one.server in known else one._replace(server=names.get(one.server.strip("[]").lower(), one.server))
        for one in request.addresses
    )
    return request._replace(addresses=addresses)


def _servers(proxy: Proxy, wanted: Request) -> Tuple[ServerPools, ...]:
    """The servers with an address, and their pools."""
    http = proxy.setting("mode")
    every = list(proxies.servers(proxy))
    found = []
    for one in every:
        if one.where.kind != address.TCP or not one.where.address or not one.where.port:
            continue
        others = [other for other in every if other is not one]
        own = ways.source_of(proxy, one)
        pools = tuple(
            Pool(way.source or own, way.address or one.where.address, way.port or one.where.port)
            for way in ways.ways(proxy, one, wanted, others)
        )
        proxy_line = any(one.is_on(name) for name in ("send-proxy", "send-proxy-v2"))
        spoken = Spoken(bool(http and http.rest[:1] == ["http"]), one.is_on("ssl"), proxy_line)
        found.append(ServerPools(one.name, spoken, pools))
    return tuple(found)


def _spread(bare: _Bare, wanted: Request) -> Tuple[List[text.Line], List[str]]:
    """The lines of the file with the server lines that are wanted."""
    proxy = bare.proxy
    servers = list(proxies.servers(proxy))
    _refuse_unknown(proxy, servers, wanted)
    found = []
    for one in servers:
        others = [other for other in servers if other is not one]
        found.append(_Spread(one, ways.ways(proxy, one, wanted, others)))
    parts = {one.server.name: len(one.ways) for one in found}
    checks.refuse(proxy, servers, parts)
    heavy = _weights(found)
    taken = {number for one in servers for number in [one.number("id")] if number}
    names = {one.name for one in servers}
    lines = list(bare.lines[proxy.section.path])
    added: List[str] = []
    for spread, weight in zip(found, heavy):
        for clone in clones.clones(proxy, spread.server, spread.ways, weight, taken):
            if clone.name in names:
                reason = "another server has the name %s, which a line of it would have"
                raise spread.server.statement.refused(reason % clone.name)
            added.append(clone.text)
    end = max(one.statement.at for one in servers) + 1
    indent = _indent(lines[end - 1].text)
    for line in reversed([marks.state(indent, wanted), *added]):
        text.insert(lines, end, line)
    for spread, weight in reversed(list(zip(found, heavy))):
        at = spread.server.statement.at
        line = clones.own(spread.server, spread.ways[0], weight, len(spread.ways))
        if line != lines[at].text:
            text.insert(lines, at, marks.was(lines[at].text))
            lines[at + 1] = lines[at + 1]._replace(text=line)
    return lines, _sentences(bare, checks.warnings(proxy, bare.every, servers, parts))


def _sentences(bare: _Bare, found: Iterable[checks.Warned]) -> List[str]:
    return [_sentence(bare, one) for one in found]


def _sentence(bare: _Bare, one: checks.Warned) -> str:
    if not one.statement:
        return one.text
    path = one.statement.section.path
    return "%s:%d: %s" % (path, bare.number(path, one.statement.at + 1), one.text)


def _refuse_unknown(proxy: Proxy, servers: List[Server], wanted: Request) -> None:
    section = proxy.section
    if not any(ways.is_spread(proxy, one) for one in servers):
        reason = "%s has no server line whose connections could be spread" % section.name
        raise ConfigurationRefusedError(section.path, section.at + 1, reason)
    for one in wanted.addresses:
        if one.server not in [server.name for server in servers]:
            reason = "%s has no server %s" % (section.name, one.server)
            raise ConfigurationRefusedError(section.path, section.at + 1, reason)


def _weights(found: List[_Spread]) -> List[int]:
    """Of each server, for each of its lines. Backup servers share what they get among themselves."""
    result = [clones.weight_of(one.server) for one in found]
    for backup in (False, True):
        numbers = [at for at, one in enumerate(found) if one.server.is_on("backup") is backup]
        origins = [weights.Origin(result[at], len(found[at].ways)) for at in numbers]
        for at, weight in zip(numbers, weights.divided(origins, _MOST_WEIGHT) if origins else []):
            result[at] = weight
    return result


def _connections(proxy: Proxy) -> List[Connection]:
    if proxy.section.kind not in proxies.CONNECTING:
        return []
    found = []
    path, name = proxy.section.path, proxy.section.name
    for one in proxies.servers(proxy):
        if one.where.kind == address.TCP:
            source, ours = ways.source_of(proxy, one), marks.is_marked(one.statement.line)
            line = one.statement.at + 1
            found.append(Connection(path, line, name, source, one.where.address, one.where.port, ours))
    return found


def _indent(line: str) -> str:
    return line[: len(line) - len(line.lstrip(" \t"))]


def _nothing(before: _Lines, started: invocation.Invocation, name: str) -> str:
    there = [one.section.name for one in _proxies(before, started) if one.section.kind in proxies.CONNECTING]
    return "there is no backend %s: the others are %s" % (name, ", ".join(there) or "none")
