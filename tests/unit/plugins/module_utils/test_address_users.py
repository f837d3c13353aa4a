# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What uses an address, out of sockets of many."""

from __future__ import annotations

import socket

from ansible_collections.tcpops.timewait.plugins.module_utils import _address_users as users
from ansible_collections.tcpops.timewait.plugins.module_utils._kernel.sock_diag import Socket
from ansible_collections.tcpops.timewait.plugins.module_utils._kernel.tcp_states import (
    CLOSE_WAIT,
    ESTABLISHED,
    FIN_WAIT_2,
    LISTEN,
    TIME_WAIT,
)

_OURS = socket.inet_aton("10.0.0.70")


def one(state: int, local: bytes = _OURS, mini: bool = False, port: int = 80) -> Socket:
    return Socket(2, state, mini, port, 4711, local, socket.inet_aton("10.0.0.1"), 0, b"")


def test_connections_are_what_breaks() -> None:
    found = users.count_users(
        _OURS,
        [
            one(ESTABLISHED), one(ESTABLISHED), one(CLOSE_WAIT), one(TIME_WAIT, mini=True), one(FIN_WAIT_2, mini=True),
            one(FIN_WAIT_2), one(LISTEN, port=8080), one(LISTEN, port=443), one(LISTEN, port=443),
            one(ESTABLISHED, socket.inet_aton("10.0.0.10")), one(LISTEN, bytes(4)),
        ],
    )  # fmt: skip
    assert found.connections == {"established": 2, "close_wait": 1, "fin_wait_2": 1}
    assert (found.time_wait, found.listening, found.connected) == (2, [443, 8080], 4)
    assert str(found) == "1 in close_wait, 2 in established, 1 in fin_wait_2"


def test_nobody() -> None:
    found = users.count_users(_OURS, [one(ESTABLISHED, socket.inet_aton("10.0.0.7"))])
    assert (found.connected, found.time_wait, found.listening, str(found)) == (0, 0, [], "")
