# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which addresses connections come from now, asked of the kernel for destinations on loopback."""

from __future__ import annotations

import pytest
from ansible_collections.tcpops.timewait.plugins.module_utils._spread.plan import Connection
from ansible_collections.tcpops.timewait.plugins.module_utils._spread_connections import sources
from ansible_collections.tcpops.timewait.plugins.module_utils._transaction import TransactionError


def to(address: str, source: str = "") -> Connection:
    return Connection("/etc/haproxy/haproxy.cfg", 1, "app", source, address, 80, False)


def test_the_kernel_tells_where_configuration_does_not() -> None:
    assert sources.of_now([to("127.0.0.1"), to("127.0.0.5")], {4}) == ["127.0.0.1"]
    assert sources.of_now([to("127.0.0.1", "10.0.0.7")], {4}) == ["10.0.0.7"]


def test_only_the_families_that_matter() -> None:
    assert sources.of_now([to("127.0.0.1")], {6}) == []
    assert sources.of_now([to("127.0.0.1"), to("127.0.0.1", "2001:db8::7")], {6}) == ["2001:db8::7"]


def test_several_addresses_of_now_are_for_the_user_to_choose_from() -> None:
    told = r"connections to 127\.0\.0\.2 come from 10\.0\.0\.7 .*keep_source: false"
    with pytest.raises(TransactionError, match=told):
        sources.of_now([to("127.0.0.1"), to("127.0.0.2", "10.0.0.7")], {4})


def test_addresses_of_this_host_and_others() -> None:
    sources.refuse_foreign(["127.0.0.1", "127.0.0.9"])
    with pytest.raises(TransactionError, match=r"192\.0\.2\.77: it is no address of this host"):
        sources.refuse_foreign(["127.0.0.1", "192.0.2.77"])


def test_a_name_is_all_of_its_addresses_of_one_family_and_an_address_itself() -> None:
    assert sources.resolved("2001:db8:0::1") == {"2001:db8::1"}
    assert sources.resolved("localhost", 4) == {"127.0.0.1"}
