# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Listen on ports, and let nobody in.

usage: listen.py PORT...
"""

import signal
import socket
import sys


def main():
    """Until killed."""
    heard = [socket.create_server(("", int(port))) for port in sys.argv[1:]]
    print("%d ports" % len(heard))
    signal.pause()


if __name__ == "__main__":
    main()
