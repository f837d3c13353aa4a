# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Send back every line of every connection, until killed.

usage: echo_server.py --port PORT
"""

import argparse
import socketserver


class Echo(socketserver.StreamRequestHandler):
    """One connection: it ends when the client ends it."""

    def handle(self):
        for line in self.rfile:
            self.wfile.write(line)


class Server(socketserver.ThreadingTCPServer):
    """One thread a connection."""

    allow_reuse_address = True
    daemon_threads = True


def main():
    """Serve."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    with Server(("", parser.parse_args().port), Echo) as server:
        server.serve_forever()


if __name__ == "__main__":
    main()
