# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sets of ports: reading and writing the kernel's lists, and the range that automatic choices come from."""

import re
from typing import AbstractSet, Iterable, List, NamedTuple, Set

_NUMBER = re.compile(r"[0-9]{1,5}\Z")  # str.isdigit() takes the digits of every script


class PortListError(ValueError):
    """A list of ports that the kernel would not have written."""


class PortRange(NamedTuple):
    """``ip_local_port_range``, both ends included."""

    low: int
    high: int

    def choosable(self) -> range:
        """Ports that an automatic choice of connect() looks at, reserved and held ones included.

        The search goes through one parity and then the other, in halves of equal size, so that each search of a
        range of odd size leaves one port out (``__inet_hash_connect``: ``remaining &= ~1U``). Which one depends on
        where it starts: the last one is as good as any, and such a pool may hold one quadruplet more than said.
        Kernels before 4.2 search them all.
        """
        count = self.high - self.low + 1
        if count > 1:
            count &= ~1
        return range(self.low, self.low + count)


def parse_range(text: str) -> PortRange:
    """``ip_local_port_range``: two numbers.

    :raises PortListError: when it is not.
    """
    fields = text.split()
    if len(fields) != 2 or not all(_NUMBER.match(field) for field in fields):
        raise PortListError("not two port numbers: %.60r" % text)
    low, high = int(fields[0]), int(fields[1])
    if not 0 <= low <= high <= 65535:
        raise PortListError("not a range of ports: %.60r" % text)
    return PortRange(low, high)


def widened(present: PortRange, low: int, high: int, lowest: int) -> PortRange:
    """A range that holds ``present`` and as much of ``low`` to ``high`` as the kernel takes.

    Ends of different parity where there is room, or the search of connect() leaves one port out.

    :param lowest: ip_unprivileged_port_start: the kernel refuses a range that begins below it.
    """
    low = min(present.low, max(low, lowest))
    high = max(present.high, high)
    if (low ^ high) & 1 == 0:
        if low - 1 >= max(1024, lowest):
            low -= 1
        elif high < 65535:
            high += 1
    return PortRange(low, high)


def parse_list(text: str) -> Set[int]:
    """``ip_local_reserved_ports``: ports and ranges with commas, as a set; any white space around them is fine.

    :raises PortListError: at anything else.
    """
    ports: Set[int] = set()
    for item in (part.strip() for part in text.replace("\n", ",").split(",")):
        if not item:
            continue
        first, dash, last = (part.strip() for part in item.partition("-"))
        if not dash:
            last = first
        if not (_NUMBER.match(first) and _NUMBER.match(last)) or not int(first) <= int(last) <= 65535:
            raise PortListError("not a port or a range of ports: %.60r" % item)
        ports.update(range(int(first), int(last) + 1))
    return ports


def format_list(ports: AbstractSet[int]) -> str:
    """A set of ports as the kernel writes it: ``80,8000-8010``."""
    spans: List[List[int]] = []
    for port in sorted(ports):
        if spans and port == spans[-1][1] + 1:
            spans[-1][1] = port
        else:
            spans.append([port, port])
    return ",".join(str(first) if first == last else "%d-%d" % (first, last) for first, last in spans)


def listed(ports: Iterable[int]) -> str:
    """For a sentence: ``81``, ``81 and 82``, ``81, 82 and 83``."""
    names = [str(port) for port in ports]
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
