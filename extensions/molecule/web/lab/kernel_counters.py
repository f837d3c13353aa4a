# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the kernel counts of the connections of this network namespace: nobody forgets to count there."""

# Reset while open, failed while being opened, and first packets that had to be sent again.
WANTED = ("EstabResets", "AttemptFails", "TCPSynRetrans")


def read():
    """Each by its name."""
    found = {}
    for path in ("/proc/net/snmp", "/proc/net/netstat"):
        with open(path, encoding="ascii") as file:
            lines = [line.split() for line in file]
        for names, values in zip(lines[::2], lines[1::2], strict=True):
            found.update((name, int(value)) for name, value in zip(names, values, strict=True) if name in WANTED)
    return found


def since(before):
    """What was added."""
    return {name: value - before[name] for name, value in read().items()}
