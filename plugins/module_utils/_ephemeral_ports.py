# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which local ports connect() gives: tried, by connections on loopback that leave nothing behind."""

import random
import socket
import struct
import time
from typing import AbstractSet, Any, Dict, List, NamedTuple, Optional

from . import _ports
from ._kernel.errors import KernelReadError
from ._kernel.running import RunningKernel

MOST_CONNECTIONS = 500
_MOST_SECONDS = 2.0
_RANGE = "/proc/sys/net/ipv4/ip_local_port_range"
_RESERVED = "/proc/sys/net/ipv4/ip_local_reserved_ports"
_WHAT = "connections on loopback"
#: with both on and no seconds, close() sends a reset instead of a FIN: neither end keeps a TIME-WAIT (tcp_close)
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)

#: the range is judged in so many parts ...
_PARTS = 8
#: ... and one that no connection reached counts only where chance would do that less often than this
_CHANCE = 1e-9


class Part(NamedTuple):
    """A part of the range.

    ``taken``: ports given out of it. ``share``: of all starting points of a search, those that end in it on an idle
    host.
    """

    low: int
    high: int
    taken: int
    share: float


def observe(
    kernel: RunningKernel,
    expected: Optional[_ports.PortRange],
    reserved: Optional[AbstractSet[int]],
    connections: int,
) -> Dict[str, Any]:
    """The result of module ephemeral_ports_info, for the namespace that the process is in.

    :param expected: the range that ports should come from; None: the running one.
    :param reserved: the ports that must not be given; None: the running list.
    :raises KernelReadError: when the settings cannot be read, or no connection can be made.
    """
    expected = expected or _read(kernel, _RANGE, _ports.parse_range)
    reserved = _read(kernel, _RESERVED, _ports.parse_list) if reserved is None else reserved
    return judge(chosen_ports(connections), expected, reserved)


def chosen_ports(connections: int) -> List[int]:
    """Local ports of so many connections one after the other, or of as many as fit into two seconds.

    Each goes to a listener of its own on another address of 127.0.0.0/8. A search starts at a hash of both addresses
    and the remote port, and the next one to the same place where the last one stopped (``__inet_hash_connect``):
    connections to one listener would show but a stretch of the range.

    :raises KernelReadError: when one fails.
    """
    ports: List[int] = []
    deadline = time.time() + _MOST_SECONDS
    for address in _loopback_addresses(connections):
        if ports and time.time() >= deadline:
            break
        try:
            ports.append(_chosen_port(address))
        except OSError as error:
            reason = "number %d, to %s, failed: %s" % (len(ports) + 1, address, error.strerror or error)
            raise KernelReadError(_WHAT, reason) from None
    return ports


def _loopback_addresses(count: int) -> List[str]:
    """Different addresses of 127.0.0.0/8 without those at the ends of its networks."""
    numbers = random.sample(range(1 << 22), count)
    return ["127.%d.%d.%d" % (1 + (number >> 15), number >> 7 & 255, 1 + (number & 127)) for number in numbers]


def _chosen_port(address: str) -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
        listener.settimeout(_MOST_SECONDS)
        listener.bind((address, 0))
        listener.listen(1)
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as client:
            client.settimeout(_MOST_SECONDS)
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
            client.connect(listener.getsockname())
            port = int(client.getsockname()[1])
            accepted, _peer = listener.accept()
            accepted.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        # the client's reset has arrived: delivery on loopback is part of its close()
        accepted.close()
        return port


def judge(ports: List[int], expected: _ports.PortRange, reserved: AbstractSet[int]) -> Dict[str, Any]:
    """What the ports show."""
    parts = split(ports, expected, reserved)
    unreached = [part for part in parts if part.taken == 0 and (1 - part.share) ** len(ports) < _CHANCE]
    return {
        "range": {"low": expected.low, "high": expected.high, "reserved": _ports.format_list(reserved)},
        "count": len(ports),
        "lowest": min(ports),
        "highest": max(ports),
        "outside": sorted({port for port in ports if not expected.low <= port <= expected.high}),
        "reserved_taken": sorted(set(ports) & set(reserved)),
        "parity_of_low": sum(port % 2 == expected.low % 2 for port in ports),
        "parts": [part._asdict() for part in parts],
        "unreached": ["%d-%d" % (part.low, part.high) for part in unreached],
        "judged_parts": sum((1 - part.share) ** len(ports) < _CHANCE for part in parts),
    }


def split(ports: List[int], expected: _ports.PortRange, reserved: AbstractSet[int]) -> List[Part]:
    """The range in parts of nearly equal size, with how many ports came from each.

    The kernel starts anywhere in the half of the ports that have the parity of the lowest one, and takes the next of
    them that is not reserved: what would have fallen on a reserved stretch falls on the port behind it.
    """
    choosable = expected.choosable()
    first_half = choosable[::2]
    size = max(2, -(-len(choosable) // _PARTS))
    size += size % 2
    landed = [0] * _PARTS
    landing = next((port for port in first_half if port not in reserved), None)
    for port in reversed(first_half):
        if port not in reserved:
            landing = port
        if landing is not None:
            landed[(landing - expected.low) // size] += 1
    parts = []
    for number, starts in enumerate(landed):
        low = expected.low + number * size
        high = min(low + size - 1, expected.high) if number < _PARTS - 1 else expected.high
        if low <= high:
            count = sum(low <= port <= high for port in ports)
            parts.append(Part(low, high, count, round(starts / len(first_half), 4)))
    return parts


def _read(kernel: RunningKernel, path: str, parse: Any) -> Any:
    text = kernel.read_text(path)
    try:
        return parse(text)
    except _ports.PortListError as error:
        raise KernelReadError(path, str(error)) from None
