# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The servers of a backend, with the pools that their connections are spread over, and what is spoken with them."""

from typing import Dict, List, NamedTuple, Tuple

from ..._answers import Spoken
from ..._listeners.nginx.tree import Tree
from ..plan import Pool, ServerPools
from ..request import Request
from . import marks, upstreams
from .backend import HASHES
from .upstreams import Entry, Pass, Upstream


class Targets(NamedTuple):
    """``even``: whether nothing but turns decides which server is next."""

    servers: Tuple[ServerPools, ...]
    even: bool


def find(tree: Tree, spread: Request) -> Targets:
    """Of one backend.

    :param spread: what the configuration spreads its connections over.
    """
    passes = [one for one in upstreams.passes(tree) if one.goes_to(spread.backend)]
    named = [one for one in upstreams.upstreams(tree) if one.name.lower() == spread.backend.lower()]
    sources = spread.sources or ("",)
    if named:
        spoken = _spoken(passes, named[0].kind)
        servers = [
            ServerPools(name, spoken, tuple(Pool(source, *place) for place in places for source in sources))
            for name, places in _places(tree, named[0]).items()
        ]
        return Targets(tuple(servers), not any(named[0].setting(name) for name in HASHES))
    places = {(one.host.strip("[]"), one.port or one.default_port): one.kind for one in passes if one.host}
    return Targets(
        tuple(
            ServerPools("%s:%d" % place, _spoken(passes, kind), tuple(Pool(source, *place) for source in sources))
            for place, kind in places.items()
        ),
        True,
    )


def _places(tree: Tree, upstream: Upstream) -> Dict[str, List[Tuple[str, int]]]:
    """Addresses with ports, by the server that they are more of: each clone is one of the last that is none."""
    found: Dict[str, List[Tuple[str, int]]] = {}
    name = ""
    for entry in upstream.entries:
        if not entry.host:
            continue
        if not name or not _is_clone(tree, entry):
            name = "%s:%d" % (entry.host, entry.port)
        found.setdefault(name, []).append((entry.address, entry.port))
    return found


def _is_clone(tree: Tree, entry: Entry) -> bool:
    text, directive = tree.source(entry.at).text, entry.at.directive
    return marks.is_ours(text, directive) and not marks.is_changed(text, directive)


def _spoken(passes: List[Pass], kind: str) -> Spoken:
    """Where one thing is spoken in one place and another in another, nothing is known."""
    found = {_of_pass(one, kind) for one in passes}
    return found.pop() if len(found) == 1 else Spoken(False)


def _of_pass(one: Pass, kind: str) -> Spoken:
    if kind == "http":
        http = one.at.directive.name == "proxy_pass"
        return Spoken(http, http and one.at.directive.words[1].value.lower().startswith("https://"))
    return Spoken(False, _is_on(one, "proxy_ssl"), _is_on(one, "proxy_protocol"))


def _is_on(one: Pass, name: str) -> bool:
    for level in reversed(one.levels):
        found = [placed.directive for placed in level.directives if placed.directive.name == name]
        if found:
            return [word.value for word in found[-1].words[1:]] == ["on"]
    return False
