# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Make a known number of connections on loopback, here and in another network namespace.

usage: make_connections.py PORT HERE NAMESPACE THERE
       make_connections.py PORT HERE

HERE and THERE are numbers of connections, a JSON object: client_closes, client_closes_ipv6,
server_closes, established. The client closes first those to PORT, the server those to the port
after it. NAMESPACE is made. The listeners, and with them the established connections, stay for
ten minutes. Prints what ss counts in TIME-WAIT at these ports, here and there.
"""

import json
import os
import socket
import subprocess
import sys
import time

# Outside of the range: what the server keeps in TIME-WAIT must not meet a port that the kernel chooses.
FIRST_OWN_PORT = 20001
SECONDS_TO_STAY = 600


def listener(family, address, port):
    """A listening socket."""
    server = socket.socket(family, socket.SOCK_STREAM)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    server.bind((address, port))
    server.listen(16)
    return server


def connect(server, own_port=0):
    """Both ends of a new connection."""
    client = socket.socket(server.family, socket.SOCK_STREAM)
    if own_port:
        client.bind(("127.0.0.1", own_port))
    client.connect(server.getsockname()[:2])
    return client, server.accept()[0]


def close(first, second):
    """One end after the other, each end seen by the other: the first is left in TIME-WAIT."""
    first.close()
    if second.recv(1):
        raise SystemExit("make_connections: bytes from an end that sent none")
    second.close()


def make(port, numbers):
    """All connections of one namespace; what has to stay open."""
    client_closes = listener(socket.AF_INET, "127.0.0.1", port)
    client_closes_ipv6 = listener(socket.AF_INET6, "::1", port)
    server_closes = listener(socket.AF_INET, "127.0.0.1", port + 1)
    for _number in range(numbers["client_closes"]):
        close(*connect(client_closes))
    for _number in range(numbers["client_closes_ipv6"]):
        close(*connect(client_closes_ipv6))
    for number in range(numbers["server_closes"]):
        client, server = connect(server_closes, FIRST_OWN_PORT + number)
        close(server, client)
    established = [connect(client_closes) for _number in range(numbers["established"])]
    return client_closes, client_closes_ipv6, server_closes, established


def stay(_open):
    """In the background, where what is open stays so for a while."""
    if os.fork() == 0:
        os.setsid()
        null = os.open(os.devnull, os.O_RDWR)
        for descriptor in (0, 1, 2):
            os.dup2(null, descriptor)
        time.sleep(SECONDS_TO_STAY)
        os._exit(0)


def count(port):
    """As ss sees them: here it is another reader of the same kernel."""
    ends = "( sport = :{0} or sport = :{1} or dport = :{0} or dport = :{1} )".format(port, port + 1)
    command = ("ss", "--no-header", "--tcp", "--numeric", "state", "time-wait", ends)
    return len(subprocess.check_output(command, universal_newlines=True).splitlines())


def main():
    """The other namespace first, so that what is here is youngest."""
    port, here = int(sys.argv[1]), json.loads(sys.argv[2])
    counted = []
    if len(sys.argv) > 3:
        namespace, there = sys.argv[3:]
        subprocess.check_call(("ip", "netns", "add", namespace))
        subprocess.check_call(("ip", "-n", namespace, "link", "set", "lo", "up"))
        inside = ("ip", "netns", "exec", namespace, sys.executable, __file__, str(port), there)
        counted = json.loads(subprocess.check_output(inside, universal_newlines=True))
    stay(make(port, here))
    print(json.dumps([count(port), *counted]))


if __name__ == "__main__":
    main()
