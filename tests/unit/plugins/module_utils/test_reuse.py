# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which pools connect() may take TIME-WAIT over in, as ``tcp_twsk_unique`` decides."""

import socket

import pytest
from ansible_collections.tcpops.timewait.plugins.module_utils._census import Reuse
from ansible_collections.tcpops.timewait.plugins.module_utils._tally import Pool


def _pool(remote, direction="outbound", local="192.0.2.1"):
    family = socket.AF_INET6 if ":" in remote else socket.AF_INET
    local = "2001:db8::1" if ":" in remote and local == "192.0.2.1" else local
    return Pool(direction, socket.inet_pton(family, local), None, socket.inet_pton(family, remote), 80)


@pytest.mark.parametrize(
    ("mode", "timestamps", "remote", "applies"),
    [
        (0, 1, "192.0.2.2", False),
        (1, 1, "192.0.2.2", True),
        (1, 2, "192.0.2.2", True),
        (1, 0, "192.0.2.2", False),
        (2, 1, "192.0.2.2", False),
        (2, 1, "127.0.0.9", True),
        (2, 1, "::1", True),
        (2, 0, "127.0.0.9", False),
        (None, 1, "127.0.0.9", False),
        (1, None, "192.0.2.2", False),
    ],
)
def test_reuse_depends_on_mode_timestamps_and_loopback(mode, timestamps, remote, applies):
    assert Reuse(mode, timestamps, None).applies_to(_pool(remote)) is applies


def test_a_local_loopback_address_is_enough():
    assert Reuse(2, 1, None).applies_to(_pool("192.0.2.2", local="127.0.0.1"))


def test_reuse_does_nothing_inbound():
    assert not Reuse(1, 1, None).applies_to(_pool("127.0.0.1", direction="inbound"))
