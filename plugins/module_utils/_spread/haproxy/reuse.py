# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where HAProxy opens connections that it could use again. Pure, but for the reading of the files.

Since 2.0 an idle connection is used for another client's request where that is safe (``http-reuse safe``).
"""

from typing import Dict, Iterator, List, Optional, Tuple

from ..._files import Files
from ..._listeners import text
from ..._listeners.haproxy import address, invocation
from ..._listeners.haproxy.statements import Statement
from ..._listeners.haproxy.words import WordsError, template
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
    closing = _closing_users(every)
    found = [one for proxy in every if _speaks_http(proxy) for one in _of_proxy(proxy, closing)]
    return list(dict.fromkeys(found))  # a line of defaults counts for a backend and for the frontend before it


def _of_proxy(proxy: Proxy, closing: Dict[str, List[Tuple[Proxy, Statement]]]) -> Iterator[Unused]:
    if proxy.section.kind not in proxies.CONNECTING or not any(_takes_ports(one) for one in proxy.own):
        return
    reuse = proxy.setting("http-reuse")
    if reuse and reuse.rest[:1] == ["never"]:
        yield _unused(reuse, proxy, "never", "http-reuse safe")
    own = _closing(proxy)
    if own:
        yield _unused(own, proxy, "closed", "")
    for one, statement in closing.get(proxy.section.name, []):
        if one is not proxy:
            yield _unused(statement, proxy, "closed", "")
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


def _closing_users(every: List[Proxy]) -> Dict[str, List[Tuple[Proxy, Statement]]]:
    """The frontends that send requests to each backend, as far as it is named, and close connections, with the line
    that makes them do so. Looked for once: there may be thousands of backends."""
    found: Dict[str, List[Tuple[Proxy, Statement]]] = {}
    for one in every:
        closing = None if one.section.kind == "backend" else _closing(one)
        if not closing:
            continue
        lines = one.own + ([] if one.setting("default_backend") in one.own else one.inherited)
        targets = [
            name
            for statement in lines
            if statement.keyword in ("default_backend", "use_backend")
            for name in statement.rest[:1]
        ]
        for name in dict.fromkeys(targets):
            found.setdefault(name, []).append((one, closing))
    return found


def _takes_ports(statement: Statement) -> bool:
    """Whether it makes HAProxy connect over TCP. Where a server is may not be known: then it may well be so."""
    if statement.keyword == "server-template":
        return True  # of names, which have addresses
    if statement.keyword != "server":
        return False
    try:
        where = [address.destination(template(word), statement.variables) for word in statement.split.words[2:3]]
    except WordsError:
        return True
    return any(one.kind == address.TCP for one in where)


def _options(statement: Statement, at: int) -> List[options.Option]:
    return options.known(statement.split.words[1 + at :])
