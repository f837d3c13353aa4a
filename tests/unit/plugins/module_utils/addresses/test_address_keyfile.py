# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A profile of NetworkManager: lines come and go, and every other byte stays."""

from __future__ import annotations

import ipaddress

import pytest
from ansible_collections.tcpops.timewait.plugins.module_utils._addresses.errors import AddressError
from ansible_collections.tcpops.timewait.plugins.module_utils._addresses.managers import keyfile
from hypothesis import given
from hypothesis import strategies as st

_PROFILE = b"""[connection]
id=lan
# address9=10.9.9.9/32

[ipv4]
# by hand
address1=10.0.0.10/24,10.0.0.1
dns=10.0.0.2;
method=manual

[ipv6]
address1=2001:db8::10/64
method=manual
"""


def write(content: bytes, *addresses: str) -> bytes:
    written = keyfile.write(content, [ipaddress.ip_interface(one) for one in addresses])
    assert written is not None
    return written


def read(content: bytes) -> list[str]:
    return [str(one) for one in keyfile.read(content)]


def test_lines_go_behind_the_last_address() -> None:
    assert read(_PROFILE) == ["10.0.0.10/24"]
    more = write(_PROFILE, "10.0.0.10/24", "10.0.0.70/32", "10.0.0.71/32")
    new = b"address1=10.0.0.10/24,10.0.0.1\naddress2=10.0.0.70/32\naddress3=10.0.0.71/32\ndns="
    assert more == _PROFILE.replace(b"address1=10.0.0.10/24,10.0.0.1\ndns=", new)
    assert read(more) == ["10.0.0.10/24", "10.0.0.70/32", "10.0.0.71/32"]
    assert write(more, "10.0.0.10/24", "10.0.0.71/32") == more.replace(b"address2=10.0.0.70/32\n", b"")
    assert write(more, "10.0.0.10/24") == _PROFILE


def test_a_number_that_is_free_is_not_used_again() -> None:
    """The order of the numbers is the order of the addresses: a lower one would come first."""
    gap = _PROFILE.replace(b"dns=", b"address7=10.0.0.77/32\ndns=")
    assert b"address8=10.0.0.70/32\n" in write(gap, "10.0.0.10/24", "10.0.0.77/32", "10.0.0.70/32")


@pytest.mark.parametrize(
    "profile",
    [
        b"[ipv4]\nmethod=auto\n",
        b"[ipv4]\nmethod=auto",
        b"[ipv4]\r\nmethod=auto\r\n",
        b"[ipv6]\nmethod=auto\n\n[ipv4]\nmethod=auto\n\n[proxy]\n",
        b"[ipv4]\nmethod=manual\naddress1=10.0.0.10/24",
        b"[ipv4]\nmethod=manual\naddresses1=10.0.0.10/24;10.0.0.1\n",
        b" [ipv4]\n method = manual\n address1 = 10.0.0.10/24\n",
    ],
)
def test_what_is_added_goes_without_a_trace(profile: bytes) -> None:
    before = read(profile)
    more = write(profile, *before, "10.0.0.70/32")
    assert read(more) == sorted([*before, "10.0.0.70/32"])
    assert write(more, *before) == profile


@pytest.mark.parametrize("method", [b"method=disabled\n", b"method=shared\n", b"", b"method=link-local\n"])
def test_a_profile_that_gives_no_addresses_is_refused(method: bytes) -> None:
    with pytest.raises(AddressError, match=r"ipv4\.method is"):
        write(b"[ipv4]\n" + method, "10.0.0.70/32")


@given(st.lists(st.sampled_from(_PROFILE.splitlines(keepends=True)), max_size=12))
def test_any_order_of_lines(lines: list[bytes]) -> None:
    profile = b"".join(lines)
    before = read(profile)
    try:
        more = write(profile, *dict.fromkeys(before), "10.0.0.70/32")
    except AddressError:
        return
    assert set(read(more)) == {*before, "10.0.0.70/32"}
    assert write(more, *dict.fromkeys(before)) == profile
