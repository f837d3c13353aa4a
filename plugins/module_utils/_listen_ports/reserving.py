# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ports of the ephemeral range that a server gets are reserved, and no longer reserved once they are taken away."""

from typing import AbstractSet, List

from .. import _ports
from .._kernel.errors import KernelReadError
from .._sysctl import change, request, settings
from .._sysctl.errors import FileReadError, RequestError
from .._transaction import TransactionError
from .._transaction.changes import States
from .._transaction.steps import Step

_KEY = "net.ipv4.ip_local_reserved_ports"


def steps(states: States, reserved: AbstractSet[int]) -> List[Step]:
    """What reserves these ports and no others, running and at the next boot.

    :raises TransactionError: when that cannot be.
    """
    state = request.PRESENT if reserved else request.ABSENT
    values = {_KEY: _ports.format_list(reserved)} if reserved else {}
    try:
        keys, settled = request.settle(state, values, [] if reserved else [_KEY])
        asked = request.Request(state, keys, settled, request.COMMENT, request.FAIL, "", True, None)
        return settings.plan(asked, change.look(asked, states)).steps
    except (FileReadError, KernelReadError, RequestError) as error:
        raise TransactionError("port cannot be reserved: %s" % error) from None
