# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether two addresses may take the same connection. Pure."""

import re


def overlap(one: str, other: str, v6only: bool = False) -> bool:
    """Whether they may, on the same port. A name may be any address.

    :param one: "" for every address, "*" for every IPv4 one, "::" for every IPv6 one, else without brackets.
    :param v6only: whether "::" among them leaves IPv4 alone.
    """
    if one == other or not (_is_literal(one) and _is_literal(other)):
        return True
    if "" in (one, other):
        return True
    if "::" in (one, other):
        return not (v6only and (_is_v4(one) or _is_v4(other)))
    return "*" in (one, other) and _is_v4(one) and _is_v4(other)


def _is_v4(address: str) -> bool:
    return address == "*" or bool(re.match(r"[0-9.]+\Z", address))


def _is_literal(address: str) -> bool:
    return not address or _is_v4(address) or ":" in address
