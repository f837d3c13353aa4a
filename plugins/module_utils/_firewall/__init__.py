# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What has to be opened in a host's firewall when a server listens on more TCP ports, and closed again.

firewalld and ufw are changed where they are active and the existing port is open in them. Rules that somebody
loaded by hand, with nft or iptables, are only advised on.
"""

from typing import Sequence

from .._files import Files
from .._programs import PROGRAMS, Programs
from . import firewalld, raw, ufw
from .opening import Opening, joined

__all__ = ["Opening", "close_ports", "open_ports"]


def open_ports(files: Files, existing_port: int, ports: Sequence[int], programs: Programs = PROGRAMS) -> Opening:
    """What lets the new ports through wherever the existing one is let through; no step for what is so already.

    :param files: the host's, as they will be when the steps are done.
    :raises TransactionError: when the record of what was opened before cannot be read.
    """
    wanted = sorted(set(ports) - {existing_port})
    if not wanted:
        return Opening([], [], [])
    return joined(
        [
            firewalld.open_ports(files, programs, existing_port, wanted),
            ufw.open_ports(files, programs, existing_port, wanted),
            raw.advise(programs, existing_port, wanted),
        ]
    )


def close_ports(files: Files, existing_port: int, ports: Sequence[int], programs: Programs = PROGRAMS) -> Opening:
    """What takes away again what ``open_ports`` added for these ports, also from files of a firewall that is off.

    :raises TransactionError: when the record of what was opened before cannot be read.
    """
    unwanted = sorted(set(ports))
    return joined(
        [
            firewalld.close_ports(files, programs, existing_port, unwanted),
            ufw.close_ports(files, programs, existing_port, unwanted),
        ]
    )
