# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Opens short connections from one address of a host to another one, again and again.

usage: python3 -m tests.lab.opening FROM TO SECONDS HOW

HOW: closed, which leaves TIME-WAIT, or reset, which leaves nothing. Prints a line once the first one was open, and at
the end how many could not be opened.
"""

from __future__ import annotations

import socket
import struct
import sys
import time

_PAUSE_SECONDS = 0.1
_OPEN_SECONDS = 0.02


def main() -> None:
    source, target, seconds, how = sys.argv[1], sys.argv[2], float(sys.argv[3]), sys.argv[4]
    listener = socket.create_server((target, 0))
    end = time.monotonic() + seconds
    failed = number = 0
    while time.monotonic() < end:
        try:
            client = socket.create_connection(listener.getsockname(), 2, source_address=(source, 0))
        except OSError:
            failed += 1
        else:
            server, _address = listener.accept()
            time.sleep(_OPEN_SECONDS)
            if how == "reset":
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            client.close()
            server.close()
        if not number:
            print("open", flush=True)
        number += 1
        time.sleep(_PAUSE_SECONDS)
    print(failed, flush=True)


if __name__ == "__main__":
    main()
