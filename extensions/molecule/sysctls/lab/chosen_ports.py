# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Connect 400 times to this host, and print the local ports that the kernel chose, as JSON."""

import json
import socket
import struct

CONNECTIONS = 400


def main():
    """Each to another address of loopback: the search for a port starts elsewhere for each."""
    # Reset, so that nothing stays in TIME-WAIT.
    at_once = struct.pack("ii", 1, 0)
    ports = []
    with socket.socket() as server:
        server.bind(("", 0))
        server.listen(1)
        for number in range(CONNECTIONS):
            with socket.socket() as client:
                client.settimeout(10)
                client.connect(("127.1.%d.%d" % divmod(number + 1, 250), server.getsockname()[1]))
                ports.append(client.getsockname()[1])
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, at_once)
                server.accept()[0].close()
    print(json.dumps(sorted(ports)))


if __name__ == "__main__":
    main()
