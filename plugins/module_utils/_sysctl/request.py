# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a change of sysctls asks for, checked as far as that goes without looking at the host."""

from typing import Any, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from . import keys, values
from .errors import RequestError

PRESENT = "present"
ABSENT = "absent"
PURGED = "purged"

COMMENT = "comment"
FAIL = "fail"
IGNORE = "ignore"
SKIP = "skip"

Values = Tuple[Tuple[str, str], ...]

_RANGE = "net/ipv4/ip_local_port_range"
_RECYCLE = "net/ipv4/tcp_tw_recycle"


class Request(NamedTuple):
    """``values`` are pairs of a key, as a path below /proc/sys, and its value as the kernel will show it; ``keys`` all
    that the request is about. ``namespace`` is the file of a network namespace, None for the caller's own.
    """

    state: str
    keys: Tuple[str, ...]
    values: Values
    conflicts: str
    missing: str
    reason: str
    persist: bool
    namespace: Optional[str]

    @property
    def files_too(self) -> bool:
        """Whether files are concerned: those of the host say nothing about another namespace."""
        return self.persist and self.namespace is None


def settle(state: str, wanted: Mapping[str, Any], named: Sequence[str]) -> Tuple[Tuple[str, ...], Values]:
    """``(keys, values)`` of a request out of what the user wrote, which may spell keys with dots or slashes.

    :raises RequestError: when a key is none of ours, or a value one that no kernel takes.
    """
    if not wanted and not named:
        raise RequestError("neither values nor keys is given: name the sysctls that are to be %s" % state)
    if state == PRESENT and named:
        raise RequestError("keys goes with state absent or purged: give the sysctls that are to be present in values")
    if state == ABSENT and wanted:
        raise RequestError("values goes with state present or purged: give the sysctls that are to be absent in keys")
    settled = []
    for key, value in wanted.items():
        path = _own_path(key)
        settled.append((path, _own_value(path, value)))
    paths: List[str] = []
    for path in [_own_path(key) for key in named] + [path for path, _value in settled]:
        if path not in paths:
            paths.append(path)
    if len({path for path, _value in settled}) < len(settled):
        raise RequestError("values has one sysctl in two spellings: give it once")
    return tuple(paths), tuple(settled)


def _own_path(key: str) -> str:
    path = keys.simplified(keys.as_path(key.strip()))
    if path not in keys.OURS:
        raise RequestError(
            "%s is none of the sysctls that this collection sets, which are %s"
            % (key, ", ".join(keys.dotted(one) for one in keys.OURS))
        )
    return path


def _own_value(path: str, value: Any) -> str:
    if isinstance(value, bool):
        value = int(value)
    if isinstance(value, (list, tuple)):
        value = (" " if path == _RANGE else ",").join(str(part) for part in value)
    text = "" if value is None else str(value).strip()
    shown = values.shown(path, text).text
    if shown is None:
        raise RequestError("%s = %s: no kernel takes this value" % (keys.dotted(path), text or "(empty)"))
    if path == _RECYCLE and shown != "0":
        raise RequestError(
            "%s = %s: it drops connections of clients behind NAT, and is set to nothing but 0 here"
            % (keys.dotted(path), text)
        )
    return shown
