# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The backend of a request: an upstream, or an address that requests are passed to; and what to know of it. Pure."""

from typing import Iterator, List, NamedTuple, Optional, Tuple

from ..._listeners.errors import ConfigurationRefusedError
from ..._listeners.nginx.tree import Placed, Tree
from ..request import Request
from . import bindings, upstreams
from .upstreams import Pass, Upstream

#: these choose by what is asked, so that other servers mean other ones for everybody, once
HASHES = ("ip_hash", "hash", "sticky")
_HASHED = (
    "%s chooses the server: clients may be sent to another one, once, and few of them may not be spread evenly"
)
_NOTHING = (
    "there is no upstream %s, and nothing passes requests to an address of that name: the upstreams are %s"
)
_FEW_KEPT = (
    "a worker keeps %d idle connections to all of the servers, which are %d now: with a larger number more of them can"
    " be used again"
)


class Backend(NamedTuple):
    """``upstream``: None where requests are passed to an address. ``every``: all that passes requests on."""

    kind: str
    upstream: Optional[Upstream]
    found: List[Pass]
    every: List[Pass]


def named(tree: Tree, name: str, main: str) -> Backend:
    """The one of that name.

    :raises ConfigurationRefusedError: when there is none, or more than one.
    """
    every = upstreams.passes(tree)
    there = upstreams.upstreams(tree)
    alike = [one for one in there if one.name.lower() == name.lower()]
    found = [one for one in every if one.goes_to(name)]
    if len(alike) > 1:
        at = alike[1].at
        raise ConfigurationRefusedError(at.path, at.line, "%s is an upstream twice, of http and of stream" % name)
    if alike:
        kind = alike[0].kind
        return Backend(kind, alike[0], [one for one in found if one.kind == kind], every)
    if not found:
        names = ", ".join(sorted({one.name for one in there})) or "none"
        raise ConfigurationRefusedError(main, 0, _NOTHING % (name, names))
    kinds = {one.kind for one in found}
    if len(kinds) > 1:
        at = found[0].at
        raise ConfigurationRefusedError(at.path, at.line, "%s is passed to in http and in stream" % name)
    return Backend(kinds.pop(), None, found, every)


def warnings(backend: Backend, wanted: Request) -> Iterator[Tuple[Optional[Placed], str]]:
    """What works, but perhaps not as expected."""
    upstream = backend.upstream
    if wanted.sources:
        yield from bindings.warnings(upstream, backend.kind, backend.every)
        if not backend.found:
            yield None, "nothing passes requests to %s" % wanted.backend
    if not upstream or not (wanted.ports or wanted.addresses):
        return
    for entry in upstream.entries:
        if not entry.host:
            yield entry.at, "a Unix socket is left as it is"
    for name in HASHES:
        setting = upstream.setting(name)
        if setting:
            yield setting, _HASHED % name
    keepalive = upstream.setting("keepalive")
    words = keepalive.directive.words if keepalive else ()
    most = int(words[1].value) if len(words) > 1 and words[1].value.isdigit() else 0
    addresses = [1 + len(wanted.addresses_of(entry.address)) for entry in upstream.entries if entry.host]
    servers = sum(addresses) * (1 + len(wanted.ports))
    if keepalive and 0 < most < servers:
        yield keepalive, _FEW_KEPT % (most, servers)
