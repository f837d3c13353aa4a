# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the kernel makes of a value that is written to one of our sysctls."""

import re
from typing import Dict, List, NamedTuple, Optional, Tuple

from .. import _ports
from . import keys

#: strtoul() with base 0, and what may follow it (``proc_get_long``, kernel/sysctl.c)
_NUMBER = re.compile(r"[ \t\n\v\f\r]*(-?)(0[xX][0-9A-Fa-f]+|0[0-7]*|[1-9][0-9]*)(?=[ \t\n]|\Z)")
_INT = (-(1 << 31), (1 << 31) - 1)

#: values that every kernel with the key takes; others depend on its version or on other sysctls
_LIMITS: Dict[str, Tuple[int, int]] = {
    "net/ipv4/ip_autobind_reuse": (0, 1),
    "net/ipv4/ip_unprivileged_port_start": (0, 1024),
    "net/ipv4/tcp_fin_timeout": (0, 1 << 20),
    "net/ipv4/tcp_max_orphans": (0, _INT[1]),
    "net/ipv4/tcp_max_syn_backlog": (0, _INT[1]),
    "net/ipv4/tcp_max_tw_buckets": (0, _INT[1]),
    "net/ipv4/tcp_rfc1337": (0, 1),
    "net/ipv4/tcp_timestamps": (0, 2),
    "net/ipv4/tcp_tw_recycle": (0, _INT[1]),
    "net/ipv4/tcp_tw_reuse": (0, 2),
    "net/netfilter/nf_conntrack_tcp_timeout_time_wait": (0, 1 << 20),
}
#: the kernel takes no write to these, also not from root
_READ_ONLY = ("net/ipv4/tcp_ehash_entries",)


class Shown(NamedTuple):
    """``text`` is what the kernel shows after the write, white space folded. ``sure`` is False where that depends on
    more than the value. Text is None where the kernel refuses it, and then it is sure."""

    text: Optional[str]
    sure: bool


_REFUSED = Shown(None, True)


def shown(path: str, value: str) -> Shown:
    """What the kernel shows of a key, by its path below /proc/sys, after this was written to it."""
    if path == "net/ipv4/ip_local_port_range":
        return _range(value)
    if path == "net/ipv4/ip_local_reserved_ports":
        return _list(value)
    if path not in keys.OURS:
        return Shown(" ".join(value.split()), False)
    match = _NUMBER.match(value)
    if not match or path in _READ_ONLY:
        return _REFUSED
    number = _number(match)
    if not _INT[0] <= number <= _INT[1]:
        return _REFUSED
    low, high = _LIMITS.get(path, (1, 0))
    return Shown(str(number), low <= number <= high)


def same(path: str, value: str, running: str) -> Optional[bool]:
    """Whether a value is the one that runs; None when it cannot be told."""
    found = shown(path, value)
    if found.text is None:
        return None
    if path == "net/ipv4/ip_local_reserved_ports":
        running = shown(path, running).text or ""
    if found.text == " ".join(running.split()):
        return True
    return False if found.sure else None


def _number(match: "re.Match[str]") -> int:
    sign, digits = match.groups()
    base = 10
    if digits[:2].lower() == "0x":
        base = 16
    elif digits[0] == "0" and len(digits) > 1:
        base = 8
    return int(sign + digits, base)


def _range(value: str) -> Shown:
    """Two numbers; the kernel leaves the second as it is where there is only one (``ipv4_local_port_range``)."""
    numbers: List[int] = []
    at = 0
    while len(numbers) < 2:
        match = _NUMBER.match(value, at)
        if not match:
            break
        numbers.append(_number(match))
        at = match.end()
    if not numbers or (len(numbers) < 2 and value[at:].strip()):
        return _REFUSED
    if not all(1 <= number <= 65535 for number in numbers) or sorted(numbers) != numbers:
        return _REFUSED
    return Shown(" ".join(str(number) for number in numbers), len(numbers) == 2 and numbers[0] >= 1024)


def _list(value: str) -> Shown:
    """Ports and ranges with commas and no white space between them (``proc_do_large_bitmap``)."""
    try:
        ports = _ports.parse_list(value)
    except _ports.PortListError:
        return _REFUSED
    return Shown(_ports.format_list(ports), not re.search(r"\s", value.strip()))
