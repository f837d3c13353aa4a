# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Direction of a connection by its local port, for one socket or for a whole datagram of them.

A port is a server's when a socket of the namespace listens on it, a client's when it is in the range of automatic
choices, and undecided otherwise: then the remote ports that share it tell.
"""

from typing import AbstractSet, Dict, Optional

from ._ports import PortRange

OUTBOUND_PORT = 0
INBOUND_PORT = 1
UNDECIDED_PORT = 2

#: where the range is unknown: that of every Linux since 2.4
_USUAL_LOW = 32768

#: stands for the class of a block of 256 ports that are not all of one class
_MIXED = 0


class PortClasses:
    """Class of each of the 65 536 local ports."""

    def __init__(self, listening: AbstractSet[int], port_range: Optional[PortRange]) -> None:
        low, high = (port_range.low, port_range.high) if port_range else (_USUAL_LOW, 65535)
        self._by_port = bytearray([UNDECIDED_PORT]) * 65536
        self._by_port[low:high + 1] = bytes([OUTBOUND_PORT]) * (high + 1 - low)
        for port in listening:
            self._by_port[port] = INBOUND_PORT
        self._by_block = bytearray(256)  # class of each block
        self._mixed: Dict[int, bytes] = {}  # block -> class by the low byte of the port
        self._all_outbound = b""
        for block in range(256):
            self._settle(block)

    def __getitem__(self, port: int) -> int:
        return self._by_port[port]

    def decide(self, port: int, port_class: int) -> None:
        """Give an undecided port its class."""
        self._by_port[port] = port_class
        self._settle(port >> 8)

    def _settle(self, block: int) -> None:
        ports = bytes(self._by_port[block << 8:(block + 1) << 8])
        self._mixed.pop(block, None)
        self._all_outbound = self._all_outbound.replace(bytes((block,)), b"")
        self._by_block[block] = _MIXED
        if ports.count(ports[0]) < len(ports):
            self._mixed[block] = ports
            return
        self._by_block[block] = ports[0]
        if ports[0] == OUTBOUND_PORT:
            self._all_outbound += bytes((block,))

    def of_ports(self, high: bytes, low: bytes) -> bytes:
        """One class for each port; the ports given as their high bytes and their low bytes."""
        if not high.translate(None, self._all_outbound):
            return bytes(len(high))
        # the bytes of all ports as one number: operations on it do eight ports at a time
        classes = int.from_bytes(high.translate(self._by_block), "big")
        for block, ports in self._mixed.items():
            if block in high:
                in_block = int.from_bytes(high.translate(_BITS[block]), "big")
                classes |= in_block & int.from_bytes(low.translate(ports), "big")
        return classes.to_bytes(len(high), "big")


def bits(wanted: int) -> bytes:
    """For ``bytes.translate``: all bits set where a byte is the wanted one, else none."""
    table = bytearray(256)
    table[wanted] = 0xFF
    return bytes(table)


_BITS = [bits(block) for block in range(256)]
