# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes sock_diag messages, for what no capture holds."""

import itertools
import socket
import struct

from ansible_collections.tcpops.timewait.plugins.module_utils._kernel import addresses, sock_diag, tcp_states

_cookies = itertools.count(1)


def message(
    local, local_port, remote, remote_port, state=tcp_states.TIME_WAIT, left_ms=30000, length=96, timer=None,
    family=None, cookie=None, message_type=sock_diag.TCPDIAG_GETSOCK, sequence=1,
):
    """One message as ``inet_twsk_diag_fill`` or ``inet_sk_diag_fill`` writes it."""
    if family is None:
        family = addresses.AF_INET6 if ":" in local else addresses.AF_INET
    if timer is None:
        timer = sock_diag.TIMER_TIMEWAIT if state == tcp_states.TIME_WAIT else 0
    body = struct.pack(
        "=4B2s2s16s16sI8sI16x", family, state, timer, 0, local_port.to_bytes(2, "big"), remote_port.to_bytes(2, "big"),
        _packed(local), _packed(remote), 0, (cookie or next(_cookies)).to_bytes(8, "little"), left_ms,
    )
    body += b"\0" * (length - 16 - len(body))
    return sock_diag.HEADER.pack(length, message_type, 2, sequence, 77) + body


def _packed(address):
    if ":" in address:
        return socket.inet_pton(socket.AF_INET6, address)
    return socket.inet_pton(socket.AF_INET, address) + b"\0" * 12


def end(number=0, sequence=1):
    """NLMSG_DONE, or NLMSG_ERROR with an errno."""
    kind = sock_diag.NLMSG_ERROR if number else sock_diag.NLMSG_DONE
    return sock_diag.HEADER.pack(20, kind, 2, sequence, 77) + struct.pack("=i", -number)


def dump(*datagrams):
    """What the reader of a whole dump gets."""
    return list(sock_diag.until_done(iter(datagrams)))
