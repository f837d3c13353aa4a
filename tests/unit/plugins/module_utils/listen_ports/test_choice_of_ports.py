# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which ports are picked, and which are refused."""

from __future__ import annotations

import pytest
from ansible_collections.tcpops.timewait.plugins.module_utils._listen_ports import choice
from ansible_collections.tcpops.timewait.plugins.module_utils._ports import PortRange
from ansible_collections.tcpops.timewait.plugins.module_utils._transaction import TransactionError

_RANGE = PortRange(32768, 60999)


def host(taken: tuple[int, ...] = (), reserved: tuple[int, ...] = (), ephemeral: PortRange = _RANGE) -> choice.Host:
    return choice.Host({port: f"x has {port}" for port in taken}, ephemeral, frozenset(reserved))


@pytest.mark.parametrize(
    ("what", "existing", "count", "reserve", "picked"),
    [
        (host(), 80, 3, False, [81, 82, 83]),
        (host(taken=(81, 83)), 80, 3, False, [82, 84, 85]),
        (host(reserved=(81,)), 80, 1, False, [82]),
        (host(), 32766, 2, False, [32767, 61000]),
        (host(), 32766, 2, True, [32767, 32768]),
        (host(), 40000, 1, False, [61000]),
        (host(), 40000, 1, True, [40001]),
        (host(), 65535, 2, False, [65534, 65533]),
        (host(taken=tuple(range(81, 65536))), 80, 2, False, [79, 78]),
        (host(), 80, 0, False, []),
    ],
)
def test_ports_next_to_it(what: choice.Host, existing: int, count: int, reserve: bool, picked: list[int]) -> None:
    assert choice.pick(what, existing, count, reserve) == picked


def test_a_server_on_a_high_port_gets_no_privileged_one() -> None:
    everything = host(taken=tuple(range(8081, 65536)), ephemeral=PortRange(1024, 8079))
    with pytest.raises(TransactionError, match="no 1 free ports beside 8080, only 0"):
        choice.pick(everything, 8080, 1, False)


def test_taken_ports_are_refused_with_who_has_them() -> None:
    with pytest.raises(TransactionError, match="port 82 is taken: x has 82; choose another one"):
        choice.refuse_taken(host(taken=(82,)), [81, 82])
    choice.refuse_taken(host(taken=(82,)), [81])


def test_ephemeral_ports_are_refused_unless_they_are_reserved() -> None:
    with pytest.raises(TransactionError, match="32768 to 60999"):
        choice.refuse_ephemeral(host(), [61000, 40000])
    choice.refuse_ephemeral(host(reserved=(40000,)), [61000, 40000])
