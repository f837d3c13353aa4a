# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One measurement in a process of its own: seconds, peak memory and sockets seen, as JSON.

usage: probe.py idle | floor | census | pyroute2

Imports stay inside the functions: each measurement pays for its own and for nothing else's.
"""

from __future__ import annotations

import sys
import time


def idle() -> int:
    """The interpreter with nothing to do: what memory is compared with."""
    return 0


def floor() -> int:
    """The kernel's dump of what an IPv4 host has, TIME-WAIT and established, read and thrown away."""
    import socket
    import struct

    request = struct.pack("=IHHII", 72, 20, 0x301, 1, 0) + struct.pack(
        "=4BI48s", socket.AF_INET, 6, 0, 0, 1 << 6 | 1 << 1, b""
    )
    buffer = bytearray(65536)
    total = 0
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 4) as channel:
        channel.send(request)
        receive = channel.recv_into
        while True:
            length = receive(buffer)
            # NLMSG_DONE comes in a datagram of its own, or behind the last sockets
            if buffer[4] == 3:
                return total
            total += length // buffer[0]


def census() -> int:
    """What the facts module does for gather_subset=census, history included."""
    from ansible_collections.tcpops.timewait.plugins.module_utils import _facts
    from ansible_collections.tcpops.timewait.plugins.module_utils._kernel.running import RunningKernel

    options = _facts.Options(frozenset(["census"]), 20, 28232, 30)
    namespace = _facts.gather(RunningKernel(), options)["namespaces"][0]
    if namespace["source"] != "sock_diag":
        raise SystemExit("the census did not come out of the kernel's dump")
    if not any(any(pool["history"]) for pool in namespace["pools"]):
        raise SystemExit("the census has no history")
    return int(sum(total["time_wait"] for total in namespace["totals"].values()))


def pyroute2() -> int:
    """The same dump through pyroute2's DiagSocket."""
    import socket

    from pyroute2 import DiagSocket

    with DiagSocket() as channel:
        channel.bind()
        return sum(1 for _one in channel.get_sock_stats(family=socket.AF_INET, states=1 << 6))


def peak_kib() -> int:
    with open("/proc/self/status", encoding="ascii") as stream:
        for line in stream:
            if line.startswith("VmHWM:"):
                return int(line.split()[1])
    raise SystemExit("no VmHWM in /proc/self/status")


def main() -> None:
    measured = {"idle": idle, "floor": floor, "census": census, "pyroute2": pyroute2}[sys.argv[1]]
    if measured is census:
        # imports are not part of the census: in a run of Ansible they come with the module
        import ansible_collections.tcpops.timewait.plugins.module_utils._facts
        import ansible_collections.tcpops.timewait.plugins.module_utils._kernel.running  # noqa: F401
    elif measured is pyroute2:
        import pyroute2 as _imported  # noqa: F401
    start = time.perf_counter()
    sockets = measured()
    seconds = time.perf_counter() - start
    print('{"seconds": %.6f, "peak_kib": %d, "sockets": %d}' % (seconds, peak_kib(), sockets))


if __name__ == "__main__":
    main()
