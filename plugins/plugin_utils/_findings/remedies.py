# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Commands to copy. Texts that come from a host are quoted for the shell, or not put into a command at all."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping

from ansible_collections.tcpops.timewait.plugins.module_utils import _ports

from .facts_reader import Namespace, PortRange
from .rule import Remedy

_PERSIST = "To keep it over a reboot, put the same keys into /etc/sysctl.d/90-timewait.conf."
#: roles that put a sysctl right, by its key below ``net.``; they act on the host's own namespace
_ROLES = {
    "ipv4.ip_local_port_range": "widen_port_range",
    "ipv4.tcp_max_tw_buckets": "raise_tw_buckets",
    "ipv4.tcp_timestamps": "fix_timestamps",
    "ipv4.tcp_tw_recycle": "remove_tw_recycle",
}
_PERSIST_ELSEWHERE = (
    "It lasts as long as this namespace does; to keep it, set it where the namespace is made"
    " (sysctls of the container or of the pod)."
)
#: longer ones are neither read nor copied whole, and the kernel takes a list of ports one page at a time
_LONGEST_COMMAND = 1900


def set_sysctls(namespace: Namespace, values: Mapping[str, str], note: str = "") -> Remedy:
    """A command that sets running values in a namespace, in this order, and how to make them last.

    :param values: text by key below ``net.``; numbers and lists of ports made here, never text of a host.
    """
    command = "sysctl -w " + " ".join(shlex.quote(f"net.{key}={value}") for key, value in values.items())
    role = _role(namespace, values)
    if len(command) > _LONGEST_COMMAND:
        return Remedy(None, _joined(note, "The command would be too long to copy: set the keys from a file."), role)
    if namespace.is_first:
        return Remedy(command, note if role else _joined(note, _PERSIST), role)
    if namespace.path is None:
        return Remedy(None, _joined(note, f"Inside that namespace: {command}", _PERSIST_ELSEWHERE))
    return Remedy(f"nsenter {shlex.quote('--net=' + namespace.path)} {command}", _joined(note, _PERSIST_ELSEWHERE))


def _role(namespace: Namespace, keys: Iterable[str]) -> str:
    """The role that sets one of these keys below ``net.``; empty where there is none."""
    return next((_ROLES[key] for key in keys if key in _ROLES), "") if namespace.is_first else ""


def wide_range(namespace: Namespace, thresholds: Mapping[str, float]) -> PortRange | None:
    """A range that holds the present one and the one of the thresholds; None when that is the present one."""
    present = namespace.port_range
    if present is None:
        return None
    low, high = int(thresholds["wide_range_low"]), int(thresholds["wide_range_high"])
    wide = PortRange(*_ports.widened(_ports.PortRange(*present), low, high, namespace.unprivileged_from))
    # one port more is not worth a change
    return wide if wide.size > present.size + 1 else None


def set_range(namespace: Namespace, wanted: PortRange, note: str = "") -> Remedy:
    """Sets a range that is no narrower, and reserves what listens inside it, in the same command and before it.

    A listening port can be passed over today and taken tomorrow, while its service restarts. Reserving a port
    that something listens on takes no quadruplet away: connect() passes over it anyway.
    """
    listening, reserved = namespace.listening, namespace.reserved
    if listening is None or reserved is None:
        return Remedy(
            None,
            _joined(
                note,
                f"A range of {wanted.low} to {wanted.high} would do, but no command is proposed: without the listening"
                " and the reserved ports it could take ports away from services.",
            ),
            _role(namespace, ("ipv4.ip_local_port_range",)),
        )
    inside = {port for port in listening if wanted.low <= port <= wanted.high}
    values = {}
    if not inside <= reserved:
        values["ipv4.ip_local_reserved_ports"] = _ports.format_list(reserved | inside)
    values["ipv4.ip_local_port_range"] = f"{wanted.low} {wanted.high}"
    return set_sysctls(
        namespace,
        values,
        _joined(
            note,
            "Reserve also the ports of services that are stopped now, and NodePorts, which no socket holds.",
        ),
    )


def with_role(remedy: Remedy, host: str) -> str | None:
    """The note, and the command that has the role do it on this host."""
    if not remedy.role:
        return remedy.note or None
    limit = shlex.quote(host) if host else "HOST"
    command = f"ansible-playbook tcpops.timewait.remediate --become --tags {remedy.role} --limit {limit}"
    return _joined(remedy.note or "", f"For good, and so that it can be taken back: {command}")


def reserve(namespace: Namespace, ports: set[int], note: str = "") -> Remedy:
    """Reserves ports besides those that are reserved already."""
    if namespace.reserved is None:
        return Remedy(None, _joined(note, "The reserved ports could not be read, and writing the list replaces it."))
    return set_sysctls(
        namespace, {"ipv4.ip_local_reserved_ports": _ports.format_list(namespace.reserved | ports)}, note
    )


def _joined(*sentences: str) -> str:
    return " ".join(sentence for sentence in sentences if sentence)
