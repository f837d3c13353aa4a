# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Capabilities that only the kernel's own types and functions show."""

from typing import Callable

from .capability import Capability, unknown
from .errors import KernelReadError, MissingError
from .symbols import Symbols

_MODULE = "tcp_diag"
_DESTROY = "tcp_diag_destroy"


def bind2_hash(symbols: Symbols) -> Capability:
    """A second table of bound ports, by port and address (28044fc1d495)."""

    def probe() -> Capability:
        try:
            there = symbols.structure("inet_bind2_bucket") is not None
            return Capability(there, None, "struct inet_bind2_bucket is%s in BTF" % ("" if there else " not"))
        except MissingError:
            there, told = symbols.has_function("inet_bind2_bucket_destroy")
            return Capability(there, None, told)

    return _told(probe)


def connect_bucket_recovery(symbols: Symbols) -> Capability:
    """A port that explicit binds held serves connect() again once they are gone (d57f4b874946)."""

    def probe() -> Capability:
        bucket = symbols.structure("inet_bind2_bucket")
        entry = symbols.structure("inet_timewait_sock")
        if entry is None:
            return Capability(None, None, "cannot tell: no struct inet_timewait_sock in BTF")
        there = "tw_connect_bind" in entry.members and bucket is not None and "fastreuse" in bucket.members
        told = "inet_timewait_sock.tw_connect_bind and inet_bind2_bucket.fastreuse are%s in BTF"
        return Capability(there, None, told % ("" if there else " not both"))

    return _told(probe)


def rcu_port_search(symbols: Symbols) -> Capability:
    """connect() passes over live connections without a lock (86c2bc293b81), and hashes once (d4438ce68bf1)."""

    def probe() -> Capability:
        told = []
        there = True
        for function, name in (("__inet_check_established", "rcu_lookup"), ("__inet_hash_connect", "hash_port0")):
            parameters = symbols.parameters(function)
            if parameters is None:
                return Capability(None, None, "cannot tell: no function %s in BTF" % function)
            there = there and name in parameters
            told.append("%s() has %s %s" % (function, "a parameter" if name in parameters else "no parameter", name))
        return Capability(there, None, "; ".join(told))

    return _told(probe)


def timestamp_offset(symbols: Symbols) -> Capability:
    """``value``: ``none``, ``per_connection``, ``per_host_pair`` or ``per_4_tuple``.

    By 4-tuple, a client behind NAT that gets the port of its last connection may come with an older timestamp, which
    TIME-WAIT refuses (``tcp_timewait_state_process``).
    """

    def probe() -> Capability:
        pair, of_pair = symbols.has_function("secure_tcp_ts_off")
        if pair:
            return Capability(True, "per_host_pair", of_pair)  # 84b114b98452
        tuple4, of_tuple = symbols.has_function("secure_tcp_seq_and_ts_off")
        if tuple4:
            return Capability(True, "per_4_tuple", "%s, %s" % (of_tuple, of_pair))  # 165573e41f2f
        if symbols.has_function("secure_tcp_seq_and_tsoff")[0]:
            return Capability(True, "per_host_pair", "secure_tcp_seq_and_tsoff")  # 28ee1b746f49
        if symbols.has_function("secure_tcp_sequence_number")[0]:
            # 95a22caee396 gave the old function one parameter more, which kallsyms does not show
            parameters = symbols.parameters("secure_tcp_sequence_number")
            if parameters is not None:
                there = "tsoff" in parameters
                value = "per_connection" if there else "none"
                return Capability(there, value, "secure_tcp_sequence_number(%s)" % ", ".join(parameters))
        return Capability(None, None, "cannot tell: none of the functions that would compute it is to be seen")

    return _told(probe)


def sock_destroy(symbols: Symbols) -> Capability:
    """SOCK_DESTROY of TCP sockets. Nothing is destroyed to find out.

    ``tcp_abort`` alone does not tell, it serves others too: CONFIG_INET_DIAG_DESTROY decides about the function of
    ``tcp_diag`` that calls it, which may be a module.
    """

    def probe() -> Capability:
        there, told = symbols.has_function(_DESTROY)
        if there:
            return Capability(True, None, told)
        if not symbols.has_function("tcp_abort")[0]:
            return Capability(False, None, "neither tcp_abort nor %s" % told)
        if symbols.has_function("tcp_diag_dump")[0]:
            return Capability(False, None, "tcp_diag_dump is there and %s" % told)
        try:
            there = symbols.module_has_function(_MODULE, _DESTROY)
        except MissingError:
            return Capability(None, None, "cannot tell: no module %s is loaded, or it shows no functions" % _MODULE)
        return Capability(there, None, "%s is%s in the BTF of module %s" % (_DESTROY, "" if there else " not", _MODULE))

    return _told(probe)


def _told(probe: Callable[[], Capability]) -> Capability:
    try:
        return probe()
    except KernelReadError as error:
        return unknown(error)
