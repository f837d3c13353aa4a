# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What listens in the network namespace of the process, as the kernel tells it."""

from __future__ import annotations

import ipaddress
import struct
from pathlib import Path


def listening() -> set[tuple[str, int]]:
    """``(address, port)`` of every listening TCP socket."""
    found = set()
    for name in ("tcp", "tcp6"):
        for line in Path("/proc/self/net", name).read_text().splitlines()[1:]:
            words = line.split()
            if words[3] == "0A":
                address, port = words[1].split(":")
                size = len(address) // 8
                raw = struct.pack(f"={size}I", *struct.unpack(f">{size}I", bytes.fromhex(address)))
                found.add((str(ipaddress.ip_address(raw)), int(port, 16)))
    return found
