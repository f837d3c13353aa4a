# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Family TW-APP: applications that open connections which they could use again, the cure before all others.

That connections are opened anew is a choice and no problem, as long as no pool gets full.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from .facts_reader import Facts, Pool
from .reuse_reader import ReuseLine
from .rule import HOST, OUTBOUND_POOL, Match, Remedy, Rule

Thresholds = Mapping[str, float]

_SHOWN = 8
#: commands that check a changed configuration and let the server read it
_TAKE_OVER = {
    "haproxy": "haproxy -c -f /etc/haproxy/haproxy.cfg && systemctl reload haproxy",
    "nginx": "nginx -t && systemctl reload nginx",
}


def reuse_of(pool: Pool) -> list[ReuseLine]:
    """The lines that see to it that the connections of a pool are opened anew.

    Configuration files are those of the host, so that they explain nothing of a container's connections.
    """
    lines = pool.namespace.facts.connection_reuse
    if not lines or not pool.namespace.is_first or pool.direction != "outbound":
        return []
    return [line for line in lines if pool.remote in line.destinations]


def edits(lines: Iterable[ReuseLine]) -> str:
    """What to write, and what takes it over, in sentences."""
    found = list(lines)
    written = dict.fromkeys(f"{line.change} at {line.place}" for line in found[:_SHOWN] if line.change)
    gone = dict.fromkeys(line.place for line in found[:_SHOWN] if not line.change)
    said = [f"Write {', '.join(written)}."] if written else []
    said += [f"Take away the line at {', '.join(gone)}."] if gone else []
    said += [f"The facts have {len(found) - _SHOWN} lines more."] if len(found) > _SHOWN else []
    servers = dict.fromkeys(line.server for line in found if line.server in _TAKE_OVER)
    return " ".join(said + [f"Then: {_TAKE_OVER[server]}" for server in servers])


def _of_full_pool(pool: Pool, thresholds: Thresholds) -> Match | None:
    if pool.effective < thresholds["pool_cliff"]:
        return None
    lines = reuse_of(pool)
    if not lines:
        return None
    evidence = [f"used {pool.used} of {pool.capacity}", *(line.told for line in lines[:_SHOWN])]
    note = f"Before any port or address is spent. {edits(lines)}"
    return Match(pool.subject, evidence, Remedy(None, note), min(1.0, pool.effective))


def _of_server(facts: Facts, server: str) -> Match | None:
    lines = [line for line in facts.connection_reuse or [] if line.server == server]
    if not lines:
        return None
    backends = list(dict.fromkeys(line.backend for line in lines))
    evidence = [line.told for line in lines[:_SHOWN]]
    if len(lines) > _SHOWN:
        evidence.append(f"and {len(lines) - _SHOWN} lines more")
    note = f"Nothing to do as long as no pool gets full. {edits(lines)}"
    return Match(", ".join(backends[:_SHOWN]), evidence, Remedy(None, note))


def _of_haproxy(facts: Facts, _thresholds: Thresholds) -> Match | None:
    return _of_server(facts, "haproxy")


def _of_nginx(facts: Facts, _thresholds: Thresholds) -> Match | None:
    return _of_server(facts, "nginx")


_WHY = (
    "A connection that is used again takes no quadruplet, and no time to be set up. One that is opened for a request"
    " leaves TIME-WAIT on the side that closes first."
)
_NEEDS = frozenset({"connection_reuse"})

RULES = (
    Rule(
        id="TW-APP-001",
        severity="MEDIUM",
        title="Connections of a full pool could be used again",
        scope=OUTBOUND_POOL,
        when=(
            "An outbound pool of the host's own namespace is used to at least `pool_cliff`, and a line of HAProxy or"
            " nginx keeps connections to its destination from being used again."
        ),
        why=_WHY + " Connection reuse comes before ports and addresses: it needs neither.",
        reference="HAProxy: http-reuse, pool-max-conn; nginx: ngx_http_upstream_module, keepalive",
        check=_of_full_pool,
        needs=frozenset({"pools", "connection_reuse"}),
        thresholds=("pool_cliff",),
    ),
    Rule(
        id="TW-APP-002",
        severity="INFO",
        title="nginx opens a connection for each request",
        scope=HOST,
        when=(
            "A line of nginx's configuration, or the lack of one, keeps connections to an upstream from being used"
            " again: no `keepalive`, HTTP/1.0, `Connection: close`, no upstream at all, or FastCGI without"
            " `fastcgi_keep_conn`."
        ),
        why=_WHY,
        reference="ngx_http_upstream_module, keepalive; nginx 1.29.7 keeps them by default (commit 4fbe4b627)",
        check=_of_nginx,
        needs=_NEEDS,
    ),
    Rule(
        id="TW-APP-003",
        severity="INFO",
        title="HAProxy opens a connection for each request",
        scope=HOST,
        when=(
            "A line of HAProxy's configuration keeps connections to servers from being used again: `http-reuse never`,"
            " `option httpclose` or `http-server-close`, `pool-max-conn 0`."
        ),
        why=_WHY,
        reference="HAProxy configuration manual: http-reuse, option http-server-close, pool-max-conn",
        check=_of_haproxy,
        needs=_NEEDS,
    ),
)
