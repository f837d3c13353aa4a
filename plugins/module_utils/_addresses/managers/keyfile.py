# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Addresses of IPv4 in a profile of NetworkManager, nm-settings-keyfile(5): a line each; all other bytes stay."""

import ipaddress
import re
from typing import List, Optional, Sequence, Tuple

from ..errors import AddressError
from ..request import Address

_SECTION = re.compile(r"\s*\[([^\]]*)\]")
_VALUE = re.compile(r"\s*(?:address|addresses)(\d*)\s*=\s*([0-9.]+/\d+)")
_METHOD = re.compile(r"\s*method\s*=\s*(\S+)")
_NAME = "ipv4"
_METHODS = ("auto", "manual")


class _Line:
    """An address in the section: which line it is, its number in the name of the key, and itself."""

    def __init__(self, place: int, number: int, address: Address) -> None:
        self.place = place
        self.number = number
        self.address = address


def read(content: Optional[bytes]) -> List[Address]:
    """The addresses of IPv4 that the profile gives, whoever wrote them."""
    return [one.address for one in _lines(_split(content))[1]]


def write(content: Optional[bytes], addresses: Sequence[Address]) -> Optional[bytes]:
    """The profile with these and no others.

    :raises AddressError: when it has no place for them.
    """
    lines = _split(content)
    start, found, method = _lines(lines)
    if method not in _METHODS:
        raise AddressError(
            "the profile's ipv4.method is %s, with which it gives no addresses: make it auto or manual, or use "
            "persist: false" % (method or "not set")
        )
    gone = {one.place for one in found if one.address not in addresses}
    kept = [one for one in found if one.address in addresses]
    number = max([one.number for one in found], default=0)
    place = max([one.place for one in found], default=start)
    ending = b"\r\n" if lines[start].endswith(b"\r\n") else b"\n"
    new = []
    for one in addresses:
        if one not in [other.address for other in kept]:
            number += 1
            new.append(("address%d=%s" % (number, one)).encode("ascii") + ending)
    before = [line for at, line in enumerate(lines[: place + 1]) if at not in gone]
    if new and before and not before[-1].endswith(b"\n"):
        before[-1] += ending
    written = before + new + lines[place + 1 :]
    if not lines[-1].endswith(b"\n") and written[-1].endswith(ending):
        written[-1] = written[-1][: -len(ending)]  # a last line without an end stays one
    return b"".join(written)


def _split(content: Optional[bytes]) -> List[bytes]:
    return (content or b"").splitlines(keepends=True)


def _lines(lines: List[bytes]) -> Tuple[int, List[_Line], Optional[str]]:
    """``(line of the section's name, addresses, method)``."""
    inside = False
    start, method = -1, None
    found = []
    for place, line in enumerate(lines):
        text = line.decode("utf-8", "replace")
        section = _SECTION.match(text)
        if section:
            inside = section.group(1).strip() == _NAME
            start = place if inside else start
            continue
        value = _VALUE.match(text) if inside else None
        if value:
            # a gateway may follow the address of the first
            found.append(_Line(place, int(value.group(1) or 0), ipaddress.ip_interface(value.group(2))))
        elif inside and _METHOD.match(text):
            method = _METHOD.match(text).group(1)  # type: ignore[union-attr]
    return start, found, method
