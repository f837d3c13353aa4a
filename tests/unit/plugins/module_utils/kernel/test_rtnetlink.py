# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Addresses on the wire: as the kernel tells them, as it is asked for them, and what is no answer."""

from __future__ import annotations

import struct

import pytest
from ansible_collections.tcpops.timewait.plugins.module_utils._kernel import rtnetlink
from ansible_collections.tcpops.timewait.plugins.module_utils._kernel.errors import KernelReadError
from ansible_collections.tcpops.timewait.plugins.module_utils._kernel.rtnetlink import FOREVER, HeldAddress

_DONE = struct.pack("=IHHIIi", 20, 3, 2, 1, 0, 0)

#: what Linux 6.18 told of "ip address add 10.0.0.10/24 broadcast + dev eth0", eth0 being number 2
_TOLD = bytes.fromhex(
    "50000000140002000100000000000000"
    "0218800002000000"
    "080001000a00000a080002000a00000a080004000a0000ff"
    "0900030065746830000000000800080080000000"
    "14000600ffffffffffffffff0000000000000000"
)  # fmt: skip

_ADDRESSES = [
    HeldAddress(2, "10.0.0.70/32"),
    HeldAddress(7, "10.0.0.10/24", 253, 0x200, "eth0:1", "10.0.0.255", "", 10, 20),
    HeldAddress(3, "10.0.0.1/32", 0, 0, "tun0", "", "10.0.0.2"),
    HeldAddress(3, "2001:db8::70/128", 0, 0x02, preferred=0),
    HeldAddress(3, "2001:db8::1/64", peer="2001:db8::2"),
]


def test_as_the_kernel_tells_it() -> None:
    told = struct.pack("=I", len(_TOLD)) + _TOLD[4:]
    assert rtnetlink.read_dump([told, _DONE]) == [
        HeldAddress(2, "10.0.0.10/24", 0, rtnetlink.PERMANENT, "eth0", "10.0.0.255", "", FOREVER, FOREVER)
    ]


@pytest.mark.parametrize("wanted", _ADDRESSES, ids=str)
def test_what_is_asked_for_is_what_was_told(wanted: HeldAddress) -> None:
    """A request has the form of an answer: what the kernel would make of it, is what went in."""
    assert rtnetlink.read_dump([rtnetlink.add_request(wanted), _DONE]) == [wanted]


def test_flags_that_the_kernel_makes_are_not_asked_for() -> None:
    found = HeldAddress(2, "2001:db8::1/64", flags=rtnetlink.PERMANENT | rtnetlink.TENTATIVE | 0x200)
    assert rtnetlink.read_dump([rtnetlink.add_request(found), _DONE])[0].flags == 0x200


def test_a_delete_is_none_of_a_dump() -> None:
    request = rtnetlink.delete_request(_ADDRESSES[0])
    assert struct.unpack_from("=IH", request) == (len(request), 21)


@pytest.mark.parametrize(("number", "told"), [(0, 0), (-17, 17)])
def test_an_answer_to_a_change(number: int, told: int) -> None:
    assert rtnetlink.acknowledged(struct.pack("=IHHIIi", 20, 2, 0, 1, 0, number)) == told


@pytest.mark.parametrize(
    "datagrams",
    [[], [_TOLD[:8]], [struct.pack("=I", 500) + _TOLD[4:]], [struct.pack("=IHHIIi", 20, 2, 0, 1, 0, -1)], [_DONE[:16]]],
)
def test_what_is_no_answer(datagrams: list[bytes]) -> None:
    with pytest.raises(KernelReadError):
        rtnetlink.acknowledged(datagrams[0] if datagrams and datagrams[0][4:6] == b"\x03\x00" else b"")
    if datagrams != [_DONE[:16]]:
        with pytest.raises(KernelReadError):
            rtnetlink.read_dump(datagrams)
