# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is asked of the module, checked as far as that goes without looking at the host."""

import ipaddress
from typing import NamedTuple, Optional, Tuple

from .._spread.request import Request, ServerAddresses, normal
from .._transaction import TransactionError

PRESENT, ABSENT = "present", "absent"
#: how a new pool is compared with the one that is there
AUTO, HTTP, TCP = "auto", "http", "tcp"


class Asked(NamedTuple):
    """``server``: whose configuration, None to find it out. ``keep_source``: whether connections go on to come from the
    address that they come from now, too. ``wait``: seconds that a new pool may take to answer. ``watch``: seconds that
    connections are looked at after the reload.
    """

    server: Optional[str]
    request: Request
    keep_source: bool
    state: str
    probe: str
    wait: int
    watch: int

    @property
    def adds(self) -> bool:
        return self.state == PRESENT


def request(
    backend: str, sources: Tuple[str, ...], ports: Tuple[int, ...], addresses: Tuple[ServerAddresses, ...]
) -> Request:
    """What is to be spread over, each thing once.

    :raises TransactionError: for what is no name, address or port.
    """
    if not backend or backend.split() != [backend]:
        raise TransactionError("backend is '%s': it takes the name of a backend of HAProxy or of an upstream of nginx,"
                               " or the address with port that nginx passes requests to" % backend)
    for source in sources:
        try:
            ipaddress.ip_address(source)
        except ValueError:
            raise TransactionError("sources has '%s', which is no address: give addresses of this host, without prefix"
                                   " lengths" % source) from None
    try:
        return normal(Request(backend, sources, ports, addresses))
    except ValueError as error:
        raise TransactionError(str(error)) from None


def check(asked: Asked) -> None:
    """
    :raises TransactionError: when it makes no sense.
    """
    if asked.adds and asked.request.empty:
        raise TransactionError("none of sources, ports and server_addresses is given: say what connections of %s are to"
                               " be spread over" % asked.request.backend)
    if asked.wait < 1:
        raise TransactionError("wait is %d: it takes seconds, 1 or more" % asked.wait)
    if asked.watch < 0:
        raise TransactionError("watch is %d: it takes seconds, 0 for not at all" % asked.watch)
