# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a new port can be bound, tried before anything is changed."""

import errno
import os
import socket
from typing import Iterable, Iterator, Mapping, Set, Tuple

from .._listeners.plan import Listener
from .._transaction import TransactionError

#: bind() takes an address that the host does not have: whether the server may is not what is tried (ip(7))
_IP_FREEBIND = 15
#: of a listener on ::, that it takes IPv4 too: nginx, HAProxy
_BOTH_FAMILIES = ("ipv6only=off", "v4v6")

Endpoint = Tuple[socket.AddressFamily, str]


def endpoints(listener: Listener) -> Iterator[Endpoint]:
    """The families and addresses that a listener takes; nothing for a name."""
    address = listener.address
    if address in ("", "*") or (address == "::" and any(one in listener.options for one in _BOTH_FAMILIES)):
        yield socket.AF_INET, "0.0.0.0"  # noqa: S104  # nothing is listened on here
    if address in ("", "::"):
        yield socket.AF_INET6, "::"
    for family in (socket.AF_INET, socket.AF_INET6):
        if address not in ("", "*", "::") and _is_literal(family, address):
            yield family, address


def refuse_busy(listeners: Iterable[Listener], owners: Mapping[int, Set[str]]) -> None:
    """Bind each address and port as servers do, with SO_REUSEADDR, and let go of it again.

    What is only bound takes no connection, so that no client notices.

    :param owners: programs that listen, by port, for the sentence.
    :raises TransactionError: when one cannot be had.
    """
    for listener in listeners:
        for family, address in endpoints(listener):
            reason = _why_not(family, address, listener.port)
            if reason:
                who = ", ".join(sorted(owners.get(listener.port, ())))
                text = ("%s listens on it" % who) if who else reason
                where = ("[%s]:%d" if ":" in address else "%s:%d") % (address, listener.port)
                raise TransactionError("%s cannot be bound: %s; choose another port" % (where, text))


def _why_not(family: socket.AddressFamily, address: str, port: int) -> str:
    """The reason, or nothing."""
    try:
        with socket.socket(family, socket.SOCK_STREAM) as tried:
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            tried.setsockopt(socket.IPPROTO_IP, _IP_FREEBIND, 1)
            if family == socket.AF_INET6:
                tried.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            tried.bind((address, port))
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            return "a connection or a program has it (ss -tanp sport = :%d)" % port
        if error.errno in (errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL):
            return ""  # a kernel without IPv6: then the server has no such socket either
        return os.strerror(error.errno or 0)
    return ""


def _is_literal(family: socket.AddressFamily, address: str) -> bool:
    try:
        socket.inet_pton(family, address)
    except OSError:
        return False
    return True
