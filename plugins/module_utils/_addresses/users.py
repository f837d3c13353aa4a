# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What still uses addresses that are to go."""

import time
from functools import partial
from typing import Any, Dict, List, Optional, Sequence

from .._address_users import find_users
from .._kernel.inside import call_inside
from .._kernel.running import RunningKernel
from .request import Address

_INSIDE_SECONDS = 60
_ROUND_SECONDS = 0.5


def describe(namespace: Optional[str], addresses: Sequence[Address]) -> List[Dict[str, Any]]:
    """For each address that something uses: its connections by state, mini-sockets, and ports that listen on it alone.

    :raises KernelReadError: when that cannot be told.
    """
    if not addresses:
        return []
    look = partial(_describe, [str(one.ip) for one in addresses])
    found: List[Dict[str, Any]] = look() if namespace is None else call_inside(namespace, look, _INSIDE_SECONDS)
    return found


def sentence(found: Sequence[Dict[str, Any]]) -> str:
    """What connections keep the addresses, empty where none do."""
    told = []
    for one in found:
        states = ", ".join("%d in %s" % (number, state) for state, number in sorted(one["connections"].items()))
        if states:
            told.append("%s is used by connections (%s)" % (one["address"], states))
    return "; ".join(told)


def wait(namespace: Optional[str], addresses: Sequence[Address], seconds: int) -> None:
    """Until no connection uses them, or the time is up."""
    deadline = time.monotonic() + seconds
    while sentence(describe(namespace, addresses)) and time.monotonic() < deadline:
        time.sleep(_ROUND_SECONDS)


def _describe(addresses: List[str]) -> List[Dict[str, Any]]:
    found = []
    for address in addresses:
        used = find_users(RunningKernel(), address)
        if used.connected or used.time_wait or used.listening:
            found.append(
                {
                    "address": address,
                    "connections": used.connections,
                    "time_wait": used.time_wait,
                    "listening": used.listening,
                }
            )
    return found
