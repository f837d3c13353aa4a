# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A fleet of any size, the same one each time: what the facts module would return for each host."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from typing import Any

from support.facts_factory import make_sysctls

USABLE = 28232
# Share of hosts of each kind: name, peak utilisation of its fullest pool, extra sysctls.
KINDS: tuple[tuple[str, float, float, dict[str, Any]], ...] = (
    ("web", 0.70, 0.18, {}),
    ("db", 0.12, 0.02, {"tcp_tw_reuse": 1}),
    ("lb", 0.06, 0.66, {"ip_local_port_range": "1024 65535"}),
    ("cache", 0.06, 0.30, {"tcp_tw_reuse": 1, "tcp_timestamps": 0}),
    ("edge", 0.04, 0.93, {}),
    ("old", 0.02, 0.40, {"tcp_tw_recycle": 1}),
)


def pool(rng: random.Random, peak: float, place: int) -> dict[str, Any]:
    utilisation = min(peak * rng.uniform(0.75, 1.0) / (1 + place), 0.998)
    used = int(USABLE * utilisation)
    rate = used / 60
    swing, turn = rng.uniform(0.1, 0.5), rng.uniform(0, 6)
    history = [
        max(0, int(rate * (1 + swing * math.sin(turn + second / 9) + rng.uniform(-0.15, 0.15))))
        for second in range(60)
    ]
    inbound = place % 5 == 3
    return {
        "direction": "inbound" if inbound else "outbound",
        "local_address": f"10.20.{rng.randrange(4)}.{rng.randrange(2, 250)}",
        "local_port": 443 if inbound else None,
        "remote_address": f"10.30.{rng.randrange(8)}.{rng.randrange(2, 250)}",
        "remote_port": None if inbound else rng.choice((80, 443, 3306, 5432, 6379, 8080, 9000)),
        "used": used,
        "time_wait": int(used * 0.97),
        "reusable": 0,
        "capacity": USABLE,
        "capacity_assumed": inbound,
        "utilisation": round(utilisation, 4),
        "sustainable_rate": round(USABLE / 60, 1),
        "close_rate": round(sum(history) / 60, 1),
        "history": history,
        "seconds_to_exhaustion": round((USABLE - used) / max(rate * 0.2, 1))
        if utilisation > 0.85 and not inbound
        else None,
    }


def facts(rng: random.Random, peak: float, extra: dict[str, Any], pools: int) -> dict[str, Any]:
    held = [pool(rng, peak, place) for place in range(pools)]
    used, waiting = sum(one["used"] for one in held), sum(one["time_wait"] for one in held)
    sysctls = make_sysctls(tcp_max_tw_buckets=262144, **extra)
    low, high = map(int, sysctls["ip_local_port_range"].split())
    return {
        "schema": 1,
        "collected_at": "2026-11-22T08:00:00Z",
        "gather_subset": ["census", "counters", "listeners", "memory", "namespaces", "sysctls"],
        "source": "sock_diag",
        "kernel": {
            "release": "4.9.0-19-amd64"
            if extra.get("tcp_tw_recycle")
            else rng.choice(("6.12.57", "6.12.57", "6.1.158", "6.18.44")),
            "uptime_seconds": 8_640_000.5,
            "timewait_seconds": 60,
            "timewait_evidence": "constant TCP_TIMEWAIT_LEN",
        },
        "namespaces": [
            {
                "inode": 4026531840,
                "label": "host",
                "kind": "host",
                "path": None,
                "pids": 120,
                "source": "sock_diag",
                "sockets": {
                    "used": 800,
                    "tcp_inuse": 300,
                    "tcp6_inuse": 2,
                    "orphan": 0,
                    "time_wait": waiting,
                    "alloc": 320,
                    "mem_pages": 40,
                },
                "states": {
                    "established": used - waiting,
                    "syn_sent": 0,
                    "syn_recv": 0,
                    "fin_wait_1": 0,
                    "fin_wait_2": 0,
                    "fin_wait_2_mini": 0,
                    "time_wait": waiting,
                    "close_wait": 0,
                    "last_ack": 0,
                    "closing": 0,
                },
                "totals": {
                    "outbound": {"pools": pools, "used": used, "time_wait": waiting, "peak_close_rate": waiting / 60},
                    "inbound": {"pools": 0, "used": 0, "time_wait": 0, "peak_close_rate": 0},
                },
                "sysctls": sysctls,
                "counters": {
                    "TW": 90_000_000,
                    "TWRecycled": 0,
                    "TCPTimeWaitOverflow": 0,
                    "ActiveOpens": 80_000_000,
                    "PassiveOpens": 9_000_000,
                },
                "port_range": {"low": low, "high": high, "reserved": "", "usable": USABLE, "held": 0},
                "held_ports": "",
                "listeners": [{"address": "0.0.0.0", "port": 443}],
                "pools": held,
                "pools_total": pools,
                "pools_omitted": {"count": 0, "used": 0},
            }
        ],
        "memory": {
            "per_inbound_bytes": 256,
            "per_outbound_bytes": 512,
            "time_wait_bytes": waiting * 512,
            "total_bytes": 24 * 2**30,
            "source": "slab",
            "ehash_entries": 262144,
            "ehash_bytes": 2097152,
            "ehash_source": "sysctl",
        },
        "unavailable": [],
    }


def fleet(hosts: int, pools: int = 20) -> Iterator[tuple[str, dict[str, Any]]]:
    """Names and registered results."""
    rng = random.Random(42)
    numbers: dict[str, int] = {}
    weights = [share for _name, share, _peak, _extra in KINDS]
    for place in range(hosts):
        kind, _share, peak, extra = KINDS[4] if hosts == 1 else rng.choices(KINDS, weights)[0]
        numbers[kind] = numbers.get(kind, 0) + 1
        name = f"{kind}{numbers[kind]:02d}.example.net"
        if hosts > 1 and place % 97 == 41:
            yield (
                name,
                {
                    "unreachable": True,
                    "msg": f"Failed to connect to the host via ssh: connect to host {name} port 22: No route to host",
                },
            )
        elif hosts > 1 and place % 131 == 77:
            yield name, {"failed": True, "msg": "The module failed to execute: /usr/bin/python3: not found"}
        else:
            yield name, {"ansible_facts": {"timewait": facts(rng, peak, extra, pools)}}
