# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is asked of the module, checked as far as that goes without looking at the host."""

from typing import NamedTuple, Optional, Sequence, Tuple

from .._transaction import TransactionError

PRESENT, ABSENT = "present", "absent"
#: how new ports are compared with the old one
AUTO, HTTP, TCP = "auto", "http", "tcp"


class Asked(NamedTuple):
    """``ports``: to add or to take away; empty: as many as ``number``, or all. ``server``: None to find it out.

    ``reserve``: whether ports of the ephemeral range may be taken, and are reserved. ``units``: socket units, None for
    those that are started. ``wait``: seconds for the ports to answer.
    """

    server: Optional[str]
    existing_port: int
    ports: Tuple[int, ...]
    number: int
    state: str
    reserve: bool
    firewall: bool
    units: Optional[Tuple[str, ...]]
    probe: str
    wait: int

    @property
    def adds(self) -> bool:
        return self.state == PRESENT


def check(asked: Asked) -> None:
    """
    :raises TransactionError: when it makes no sense.
    """
    _check_port("existing_port", asked.existing_port)
    for port in asked.ports:
        _check_port("add_ports", port)
    if asked.existing_port in asked.ports:
        raise TransactionError("add_ports has %d, which is existing_port: leave it out" % asked.existing_port)
    if len(set(asked.ports)) < len(asked.ports):
        raise TransactionError("add_ports has %d twice: give it once" % _twice(asked.ports))
    if asked.adds and not (asked.ports or asked.number):
        raise TransactionError("neither add_ports nor count is given: say which ports, or how many, there are to be")
    if asked.number < 0:
        raise TransactionError("count is %d: it takes a number of ports, 1 or more" % asked.number)
    if asked.number and not asked.adds:
        raise TransactionError("count goes with state present: name the ports to take away in add_ports, or none")
    if asked.units is not None and asked.server not in (None, "systemd_socket"):
        raise TransactionError("units goes with server systemd_socket, not with %s" % asked.server)
    if asked.wait < 1:
        raise TransactionError("wait is %d: it takes seconds, 1 or more" % asked.wait)


def _check_port(option: str, port: int) -> None:
    if not 1 <= port <= 65535:
        raise TransactionError("%s has %d, which is no port: ports go from 1 to 65535" % (option, port))


def _twice(ports: Sequence[int]) -> int:
    return next(port for at, port in enumerate(ports) if port in ports[:at])
