# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where HAProxy opens connections that it could use again. Pure, but for the reading of the files.

Since 2.0 an idle connection is used for another client's request where that is safe (``http-reuse safe``).
"""

from typing import Iterator, List, Optional, Set

from ..._files import Files
from ..._listeners import text
from ..._listeners.haproxy import invocation
from ..._listeners.haproxy.statements import Statement
from ..unused import Unused
from . import options, proxies
from .proxies import Proxy

#: of a proxy the last one counts (``PR_O_HTTP_MODE``), and one that closes on either side is enough
_CLOSING = ("forceclose", "httpclose", "http-server-close")
_KEEPING = ("http-keep-alive",)


def find(files: Files, started: Optional[invocation.Invocation] = None) -> List[Unused]:
    """The lines of all backends in HTTP mode that do.

    :param started: how HAProxy is started; found out where it is not given.
    :raises ConfigurationRefusedError: when the configuration is not understood.
    """
    started = started or invocation.find(files)
    sources = [(path, text.split(invocation.read(files, path))) for path in invocation.expand(files, started)]
    every = proxies.read(sources, started.environment)
    return [found for proxy in every if _speaks_http(proxy) for found in _of_proxy(proxy, every)]


def _of_proxy(proxy: Proxy, every: List[Proxy]) -> Iterator[Unused]:
    if proxy.section.kind not in proxies.CONNECTING or not list(_server_lines(proxy)):
        return
    reuse = proxy.setting("http-reuse")
    if reuse and reuse.rest[:1] == ["never"]:
        yield _unused(reuse, proxy, "never", "http-reuse safe")
    for side in [proxy, *_users(proxy, every)]:
        closing = _closing(side)
        if closing:
            yield _unused(closing, proxy, "closed", "")
    for statement in proxy.inherited + proxy.own:
        if statement.keyword in ("server", "default-server"):
            at = 2 if statement.keyword == "server" else 0
            limit = options.last(_options(statement, at), "pool-max-conn")
            if limit and limit.value == "0":
                start = len(statement.line) - len(statement.line.lstrip())
                change = statement.line[start : limit.start].rstrip() + statement.line[limit.end : statement.split.end]
                yield _unused(statement, proxy, "no-pool", change)


def _closing(proxy: Proxy) -> Optional[Statement]:
    """The line that makes it close connections to servers."""
    found: Optional[Statement] = None
    for statement in proxy.inherited + proxy.own:
        words = [statement.keyword, *statement.rest]
        if words[0] == "option" and words[1:2] and words[1] in _CLOSING + _KEEPING:
            found = statement if words[1] in _CLOSING else None
        elif words[:2] == ["no", "option"] and found and words[2:3] == found.rest[:1]:
            found = None
    return found


def _unused(statement: Statement, proxy: Proxy, reason: str, change: str) -> Unused:
    return Unused(statement.section.path, statement.at + 1, proxy.section.name, reason, change)


def _speaks_http(proxy: Proxy) -> bool:
    mode = proxy.setting("mode")
    return bool(mode and mode.rest[:1] == ["http"])


def _users(proxy: Proxy, every: List[Proxy]) -> List[Proxy]:
    """The frontends that send requests to a backend, as far as it is named."""
    found = []
    for other in every:
        targets: Set[str] = set()
        lines = other.own + ([] if other.setting("default_backend") in other.own else other.inherited)
        for statement in lines:
            if statement.keyword in ("default_backend", "use_backend"):
                targets.update(statement.rest[:1])
        if proxy.section.name in targets and other is not proxy and other.section.kind != "backend":
            found.append(other)
    return found


def _server_lines(proxy: Proxy) -> Iterator[Statement]:
    return (one for one in proxy.own if one.keyword in ("server", "server-template"))


def _options(statement: Statement, at: int) -> List[options.Option]:
    return options.known(statement.split.words[1 + at :])
