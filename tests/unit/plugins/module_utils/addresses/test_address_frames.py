# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the link is asked, and what counts as an answer."""

from __future__ import annotations

import pytest
from ansible_collections.tcpops.timewait.plugins.module_utils._addresses import frames
from hypothesis import given
from hypothesis import strategies as st

_OWN = bytes.fromhex("525400000001")
_THEIR = bytes.fromhex("525400000002")
_IPV4 = frames.packed("10.0.0.70")
_IPV6 = frames.packed("2001:db8::70")

#: ARP reply "10.0.0.70 is-at 52:54:00:00:00:02", as the kernel sends it
_REPLY = bytes.fromhex("525400000001 525400000002 0806 0001080006040002 525400000002 0a000046 525400000001 00000000")


def advertisement(hops: int = 255, kind: int = 136) -> bytes:
    """Neighbour advertisement of 2001:db8::70 to everybody, with its link-layer address."""
    return bytes.fromhex(
        "333300000001 525400000002 86dd 60000000 0020 3a %02x" % hops
        + "20010db8000000000000000000000070 ff020000000000000000000000000001"
        + "%02x 00 0000 20000000 20010db8000000000000000000000070 0201525400000002" % kind
    )


def test_a_probe_of_arp_teaches_nobody_anything() -> None:
    frame = frames.arp_probe(_OWN, _IPV4)
    assert frame[:6] == b"\xff" * 6
    assert frame[28:32] == bytes(4), "the sender has no address (RFC 5227, 1.1)"
    assert len(frame) == 42


def test_a_probe_of_ipv6_goes_to_those_who_may_have_it() -> None:
    frame = frames.neighbour_probe(_OWN, _IPV6)
    assert frame[:6] == bytes.fromhex("3333ff000070")
    assert frame[38:54] == frames.packed("ff02::1:ff00:70")
    # a checksum that is right makes the sum over everything nothing
    pseudo = frame[22:54] + (24).to_bytes(4, "big") + (58).to_bytes(4, "big")
    assert frames.checksum(pseudo + frame[54:]) == 0


@pytest.mark.parametrize(
    ("frame", "claim"),
    [
        (_REPLY, (_IPV4, _THEIR)),
        (frames.arp_probe(_THEIR, _IPV4), (_IPV4, _THEIR)),
        (advertisement(), (_IPV6, _THEIR)),
        (frames.neighbour_probe(_THEIR, _IPV6), (_IPV6, _THEIR)),
        (advertisement(hops=64), None),
        (advertisement(kind=135), None),
        (_REPLY[:30], None),
        (advertisement()[:60], None),
        (b"", None),
    ],
)
def test_who_claims_an_address(frame: bytes, claim: tuple[bytes, bytes] | None) -> None:
    assert frames.claimed(frame) == claim


@given(st.binary(max_size=120))
def test_any_frame_can_come(frame: bytes) -> None:
    for kind in (b"\x08\x06", b"\x86\xdd"):
        frames.claimed(frame[:12] + kind + frame[12:])
