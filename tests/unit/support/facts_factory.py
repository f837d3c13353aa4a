# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Valid facts as ``timewait_facts`` returns them, for tests to change one thing of. The same each time.

``make_facts()`` is a healthy host at the kernel's defaults: 28232 ports, no TIME-WAIT, nothing for a rule to say.
"""

from __future__ import annotations

from typing import Any

#: of a pool in the default range
CAPACITY = 28232


def make_pool(direction: str = "outbound", used: int = 100, **overrides: Any) -> dict[str, Any]:
    """A pool; ``time_wait`` is all of it, evenly over the last minute, unless told otherwise."""
    outbound = direction == "outbound"
    pool: dict[str, Any] = {
        "direction": direction,
        "local_address": "10.0.0.1",
        "local_port": None if outbound else 80,
        "remote_address": "10.0.0.2",
        "remote_port": 80 if outbound else None,
        "used": used,
        "time_wait": used,
        "reusable": 0,
        "capacity": CAPACITY,
        "capacity_assumed": not outbound,
        "history": [used // 60] * 60,
        "seconds_to_exhaustion": None,
    }
    pool.update(overrides)
    capacity = pool["capacity"]
    if isinstance(capacity, int):
        pool.setdefault("utilisation", round(pool["used"] / capacity, 4) if capacity else 1.0)
        pool.setdefault("sustainable_rate", round(capacity / 60, 1))
    if isinstance(pool["history"], list) and all(isinstance(slot, int) for slot in pool["history"]):
        pool.setdefault("close_rate", round(sum(pool["history"]) / 60, 2))
    return pool


def make_sysctls(**overrides: Any) -> dict[str, Any]:
    """The values of a 6.18 kernel that nobody touched. A key overridden with ``...`` is left out."""
    sysctls: dict[str, Any] = {
        "ip_autobind_reuse": 0,
        "ip_local_port_range": "32768 60999",
        "ip_local_port_step_width": None,
        "ip_local_reserved_ports": "",
        "ip_unprivileged_port_start": 1024,
        "nf_conntrack_tcp_timeout_time_wait": None,
        "tcp_child_ehash_entries": 0,
        "tcp_ehash_entries": 262144,
        "tcp_fin_timeout": 60,
        "tcp_max_orphans": 131072,
        "tcp_max_syn_backlog": 2048,
        "tcp_max_tw_buckets": 131072,
        "tcp_rfc1337": 0,
        "tcp_timestamps": 1,
        "tcp_tw_recycle": None,
        "tcp_tw_reuse": 2,
        "tcp_tw_reuse_delay": 1000,
        "tcp_tw_timeout": None,
    }
    sysctls.update(overrides)
    return {key: value for key, value in sysctls.items() if value is not ...}


def make_capabilities(**overrides: Any) -> dict[str, Any]:
    """Those of a 6.18 kernel that rules read; a name overridden with ``(available, value)``."""
    values: dict[str, tuple[bool | None, Any]] = {
        "bind_address_no_port": (True, None),
        "connect_bucket_recovery": (True, None),
        "timestamp_offset": (True, "per_4_tuple"),
        "tw_recycle": (False, None),
    }
    values.update(overrides)
    return {
        name: {"available": available, "value": value, "evidence": f"evidence of {name}"}
        for name, (available, value) in values.items()
    }


def make_namespace(pools: list[dict[str, Any]] | None = None, **overrides: Any) -> dict[str, Any]:
    """A namespace; totals and states are those of its pools. ``port_range`` follows ``sysctls``."""
    pools = pools or []
    sysctls = overrides.get("sysctls") or make_sysctls()
    low, high = (int(end) for end in sysctls["ip_local_port_range"].split())
    totals = {
        direction: {
            "pools": sum(pool["direction"] == direction for pool in pools),
            "used": sum(pool["used"] for pool in pools if pool["direction"] == direction),
            "time_wait": sum(pool["time_wait"] for pool in pools if pool["direction"] == direction),
            "peak_close_rate": 0.0,
        }
        for direction in ("outbound", "inbound")
    }
    time_wait = sum(total["time_wait"] for total in totals.values())
    used = sum(total["used"] for total in totals.values())
    namespace: dict[str, Any] = {
        "inode": 4026531840,
        "label": "host",
        "kind": "host",
        "path": None,
        "pids": 120,
        "source": "sock_diag",
        "sockets": {
            "used": 140, "tcp_inuse": 12, "tcp6_inuse": 3, "orphan": 0, "time_wait": time_wait, "alloc": 15,
            "mem_pages": 2,
        },
        "states": {
            "established": used - time_wait, "syn_sent": 0, "syn_recv": 0, "fin_wait_1": 0, "fin_wait_2": 0,
            "fin_wait_2_mini": 0, "time_wait": time_wait, "close_wait": 0, "last_ack": 0, "closing": 0,
        },
        "totals": totals,
        "sysctls": sysctls,
        "counters": {
            "TW": time_wait, "TWRecycled": 0, "TCPTimeWaitOverflow": 0, "ActiveOpens": 400, "PassiveOpens": 10,
        },
        "port_range": {
            "low": low, "high": high, "reserved": str(sysctls.get("ip_local_reserved_ports") or ""),
            "usable": (high - low + 1) & ~1, "held": 0,
        },
        "held_ports": "",
        "listeners": [{"address": "0.0.0.0", "port": 22}, {"address": "::", "port": 80}],
        "pools": pools,
        "pools_total": len(pools),
        "pools_omitted": {"count": 0, "used": 0},
    }
    namespace.update(overrides)
    return namespace


def make_container(label: str = "0123456789ab", pid: int = 4711, **overrides: Any) -> dict[str, Any]:
    """A namespace other than the first."""
    values: dict[str, Any] = {
        "inode": 4026530000 + pid, "label": label, "kind": "container", "path": f"/proc/{pid}/ns/net", "pids": 3,
    }
    return make_namespace(**{**values, **overrides})


def make_line(path: str, value: str | None, wins: bool = True, **overrides: Any) -> dict[str, Any]:
    """A line of ``sysctl_files``: the third of its file, about tcp_tw_reuse under systemd-sysctl unless overridden."""
    line = {"path": path, "line": 3, "key": "net.ipv4.tcp_tw_reuse", "value": value, "loader": "systemd-sysctl"}
    return {**line, "wins": wins, **overrides}


def make_persisted(
    lines: list[Any], running: object = 1, scripts: list[Any] | None = None, **key: Any
) -> dict[str, Any]:
    """``sysctl_files`` and ``sysctl_persisted`` of lines about one key, with the facts of the key overridden."""
    about = [*lines, *(scripts or [])]
    loaders = {
        line["loader"]: {
            "value": line["value"], "sure": True, "losers": [],
            "winner": {name: line[name] for name in ("path", "line", "value")},
        }
        for line in lines
        if line["wins"]
    }
    values = {
        "in_kernel": running is not None, "loaders": loaders, "agree": True, "persisted": None, "persisted_by": None,
        "running": running, "drift": False,
    }
    last = next(iter(loaders), None)
    if last:
        values.update(persisted=loaders[last]["value"], persisted_by=last)
    return {
        "sysctl_files": lines,
        "sysctl_persisted": {
            "loaders": [
                {"name": name, "evidence": "/usr/sbin/x", "at_boot": True, "complete": True, "files": [], "hidden": [],
                 "skipped": []} for name in loaders
            ],
            "keys": {about[0]["key"]: {**values, **key}} if about else {},
            "scripts": scripts or [],
        },
    }


def make_facts(**overrides: Any) -> dict[str, Any]:
    """Facts of a host. Beside the fields of the schema: ``pools`` and ``sysctls`` go to the only namespace,
    ``capabilities`` to the kernel."""
    capabilities = overrides.pop("capabilities", {})
    shortcuts = {key: overrides.pop(key) for key in ("pools", "sysctls") if key in overrides}
    if isinstance(shortcuts.get("sysctls"), dict):
        shortcuts["sysctls"] = make_sysctls(**shortcuts["sysctls"])
    namespaces = overrides.get("namespaces") or [make_namespace(**shortcuts)]
    cost = 0
    for namespace in namespaces:
        totals = namespace.get("totals") if isinstance(namespace, dict) else None
        if isinstance(totals, dict):
            cost += 256 * totals["inbound"]["time_wait"] + 512 * totals["outbound"]["time_wait"]
    facts: dict[str, Any] = {
        "schema": 1,
        "collected_at": "2026-11-22T08:00:00Z",
        "gather_subset": ["census", "connection_reuse", "counters", "kernel", "listeners", "memory", "namespaces",
                          "sysctl_files", "sysctls"],
        "source": "sock_diag",
        "kernel": {
            "release": "6.18.44",
            "uptime_seconds": 86400.1,
            "timewait_seconds": 60,
            "timewait_evidence": "constant TCP_TIMEWAIT_LEN; no sysctl net.ipv4.tcp_tw_timeout",
            "capabilities": make_capabilities(**capabilities),
            "structure_bytes": {"tcp_timewait_sock": 248, "inet_bind_bucket": 88, "inet_bind2_bucket": 80},
        },
        "namespaces": namespaces,
        "memory": {
            "per_inbound_bytes": 256,
            "per_outbound_bytes": 512,
            "time_wait_bytes": cost,
            "total_bytes": 24 * 2**30,
            "source": "slab",
            "ehash_entries": 262144,
            "ehash_bytes": 2097152,
            "ehash_source": "sysctl",
        },
        "connection_reuse": [],
        **make_persisted([]),
        "unavailable": [],
    }
    facts.update(overrides)
    return facts
