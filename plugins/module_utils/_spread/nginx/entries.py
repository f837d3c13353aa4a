# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The servers of an upstream that each of its servers becomes. Pure text."""

from typing import Dict, List, NamedTuple, Set, Tuple

from ..._listeners.errors import ConfigurationRefusedError
from ..._listeners.nginx import insert
from ..._listeners.nginx.tree import Tree
from .. import weights
from ..request import Request, shares
from . import marks
from .marks import Change
from .upstreams import Entry, Upstream

_CODE = ("balancer_by_lua_block", "balancer_by_lua_file")


class _Spread(NamedTuple):
    """``targets``: of its clones."""

    entry: Entry
    targets: List[Tuple[str, int]]


def refuse(upstream: Upstream, wanted: Request) -> None:
    """Refuse what more servers do not go with.

    :raises ConfigurationRefusedError: with the line that is in the way.
    """
    at = upstream.at
    for one in upstream.directives:
        if one.directive.name in _CODE:
            raise ConfigurationRefusedError(one.path, one.line, "code chooses the server: it has to know of more")
    if not any(entry.host for entry in upstream.entries):
        raise ConfigurationRefusedError(at.path, at.line, "%s has no server with an address" % upstream.name)
    for entry in upstream.entries:
        if "service" in entry.parameters and wanted.ports:
            raise ConfigurationRefusedError(entry.at.path, entry.at.line, "DNS tells the port of this server")
        if "route" in entry.parameters and (wanted.ports or wanted.addresses):
            raise ConfigurationRefusedError(entry.at.path, entry.at.line, "a route names one server only")
    hosts = {entry.address for entry in upstream.entries}
    for addresses in wanted.addresses:
        if addresses.server.strip("[]").lower() not in hosts:
            raise ConfigurationRefusedError(at.path, at.line, "%s has no server %s" % (upstream.name, addresses.server))


def changes(tree: Tree, upstream: Upstream, wanted: Request) -> Dict[str, List[Change]]:
    """What to change, by file.

    :raises ConfigurationRefusedError: when a limit cannot be divided.
    """
    found = _spread(upstream, wanted)
    result: Dict[str, List[Change]] = {}
    for one, weight in zip(found, _weights(found)):
        made = _of_entry(tree, one, weight)
        if made:
            result.setdefault(one.entry.at.path, []).extend(made)
    return result


def _spread(upstream: Upstream, wanted: Request) -> List[_Spread]:
    taken = {(entry.address, entry.port) for entry in upstream.entries}
    found = []
    for entry in upstream.entries:
        hosts = [entry.host, *(_written(one) for one in _addresses(wanted, entry))]
        every = [(host, port) for host in hosts for port in (entry.port, *wanted.ports)] if entry.host else []
        found.append(_Spread(entry, [one for one in every if not _is_taken(one, taken)]))
    return found


def _is_taken(target: Tuple[str, int], taken: Set[Tuple[str, int]]) -> bool:
    """Whether there is a server for it; from now on there is."""
    key = target[0].strip("[]").lower(), target[1]
    there = key in taken
    taken.add(key)
    return there


def _addresses(wanted: Request, entry: Entry) -> Tuple[str, ...]:
    return next((one.addresses for one in wanted.addresses if one.server.strip("[]").lower() == entry.address), ())


def _weights(found: List[_Spread]) -> List[int]:
    """Of each server, for itself and each of its clones. Backup servers share among themselves."""
    result = [one.entry.number("weight") for one in found]
    for backup in (False, True):
        numbers = [at for at, one in enumerate(found) if ("backup" in one.entry.parameters) is backup]
        origins = [weights.Origin(result[at], len(found[at].targets) + 1) for at in numbers]
        for at, weight in zip(numbers, weights.divided(origins) if origins else []):
            result[at] = weight
    return result


def _of_entry(tree: Tree, one: _Spread, weight: int) -> List[Change]:
    entry, directive = one.entry, one.entry.at.directive
    text = tree.source(entry.at).text
    parts = len(one.targets) + 1
    limit = entry.number("max_conns")
    if 0 < limit < parts:
        reason = "max_conns=%d cannot be divided by %d servers: raise it, or spread over less" % (limit, parts)
        raise ConfigurationRefusedError(entry.at.path, entry.at.line, reason)
    limits = shares(limit, parts)
    result = []
    own = _written_entry(text, entry, _New("", weight, limits[0]))
    if own != text[directive.start : directive.end]:
        result.append(marks.replaced(text, directive, own))
    place = insert.behind(text, directive)
    for (host, port), part in zip(one.targets, limits[1:]):
        new = _New("%s:%d" % (host, port), weight, part)
        result.append(marks.inserted(place, _written_entry(text, entry, new)))
    return result


class _New(NamedTuple):
    """What is written of an entry. ``address``: empty for that which it has."""

    address: str
    weight: int
    limit: int


def _written_entry(text: str, entry: Entry, made: _New) -> str:
    """The directive for another address, with another weight and limit."""
    directive = entry.at.directive
    words = directive.words
    new = {}
    if made.weight != entry.number("weight"):
        new["weight"] = "weight=%d" % made.weight
    if made.limit != entry.number("max_conns"):
        new["max_conns"] = "max_conns=%d" % made.limit
    if not (made.address or new):
        return text[directive.start : directive.end]
    raws = [word.raw for word in words]
    raws[1] = made.address or raws[1]
    for at, word in enumerate(words[2:], 2):
        name = word.value.partition("=")[0]
        raws[at] = new.pop(name) if name in new else raws[at]
    written = raws[0]
    for at, raw in enumerate(raws[1:], 1):
        gap = text[words[at - 1].end : words[at].start]
        written += (" " if gap.strip(" \t") else gap) + raw
    return " ".join([written, *new.values()]) + ";"


def _written(address: str) -> str:
    return "[%s]" % address if ":" in address else address
