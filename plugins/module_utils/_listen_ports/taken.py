# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which ports something has on this host, running or only configured, so that they are not for us."""

from typing import Dict, List

from .. import _ports
from .._files import Files
from .._kernel.errors import KernelReadError
from .._kernel.running import RunningKernel
from .._service_ports import configuration, listening, node_ports, service_units, socket_units
from .._service_ports.claim import Claim
from .._transaction import TransactionError
from .choice import Host

_RANGE = "/proc/sys/net/ipv4/ip_local_port_range"
_RESERVED = "/proc/sys/net/ipv4/ip_local_reserved_ports"


def read(kernel: RunningKernel, files: Files) -> Host:
    """The ports of the host.

    :raises TransactionError: when what listens, or the ephemeral ports, cannot be read.
    """
    claims: List[Claim] = []
    try:
        claims += listening.find(kernel)[0]
        ephemeral = _ports.parse_range(kernel.read_text(_RANGE))
        reserved = _ports.parse_list(kernel.read_text(_RESERVED))
    except (KernelReadError, _ports.PortListError) as error:
        raise TransactionError("whether a port is free cannot be told: %s" % error) from None
    for found, _unread in (
        socket_units.find(files), service_units.find(files), configuration.find(files),
        node_ports.find(kernel, files, "auto"),
    ):  # fmt: skip
        claims += found
    taken: Dict[int, str] = {}
    for claim in claims:
        for port in range(claim.first, claim.last + 1):
            taken.setdefault(port, "%s (%s)" % (claim.what, claim.where))
    return Host(taken, ephemeral, reserved)
