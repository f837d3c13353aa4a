# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Addresses that connections come from: which ones the kernel chooses, and whether this host has those asked for."""

import errno
import ipaddress
import socket
from typing import Iterable, List, Set, Tuple

from .._spread.plan import Connection
from .._spread.request import version_of
from .._transaction import TransactionError


def refuse_foreign(sources: Iterable[str]) -> None:
    """Bind each one for a moment.

    :raises TransactionError: when one is not an address of this host, or cannot be bound.
    """
    for source in sources:
        family = socket.AF_INET6 if version_of(source) == 6 else socket.AF_INET
        try:
            with socket.socket(family, socket.SOCK_STREAM) as throw_away:
                throw_away.bind((source, 0))
        except OSError as error:
            if error.errno == errno.EADDRNOTAVAIL:
                reason = "it is no address of this host, or not ready yet: add it first (tcpops.timewait.ip_addresses)"
            else:
                reason = "it cannot be bound: %s" % (error.strerror or error)
            raise TransactionError("sources has %s: %s" % (source, reason)) from None


def of_now(connections: Iterable[Connection], versions: Set[int]) -> List[str]:
    """The addresses that connections come from as they are configured, one for each family.

    :param versions: the families that matter.
    :raises TransactionError: when they come from several: then it is for the user to say which ones are wanted.
    """
    found = []
    for version in sorted(versions):
        chosen = {}
        for one in connections:
            source = one.source if version_of(one.source) else _chosen(one.address, one.port, version)
            if version_of(source) == version:
                chosen[source] = one
        if len(chosen) > 1:
            first, second = sorted(chosen)[:2]
            raise TransactionError(
                "connections to %s come from %s and those to %s from %s: name all that each of them is to come from in"
                " sources, and say keep_source: false"
                % (chosen[first].address, first, chosen[second].address, second)
            )
        found += list(chosen)
    return found


def resolved(host: str, version: int = 0) -> Set[str]:
    """The addresses of a host, itself where it is one; none where its name has none of that family now."""
    if version_of(host):
        return {str(ipaddress.ip_address(host))}
    family = {4: socket.AF_INET, 6: socket.AF_INET6}.get(version, 0)
    try:
        return {str(one[4][0]) for one in socket.getaddrinfo(host, None, family, socket.SOCK_STREAM)}
    except OSError:
        return set()


def _chosen(host: str, port: int, version: int) -> str:
    """The address that the kernel takes for connections there, empty where it has none: nothing is sent for UDP."""
    for address in sorted(resolved(host, version)):
        if version_of(address) != version:
            continue
        family = socket.AF_INET6 if version == 6 else socket.AF_INET
        try:
            with socket.socket(family, socket.SOCK_DGRAM) as throw_away:
                throw_away.connect((address, port or 1))
                name: Tuple[str, ...] = throw_away.getsockname()
                return str(ipaddress.ip_address(name[0]))
        except OSError:
            continue
    return ""
