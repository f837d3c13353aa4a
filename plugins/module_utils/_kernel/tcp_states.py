# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""TCP states as the kernel numbers them (``include/net/tcp_states.h``)."""

ESTABLISHED = 1
SYN_SENT = 2
SYN_RECV = 3
FIN_WAIT_1 = 4
FIN_WAIT_2 = 5
TIME_WAIT = 6
CLOSE = 7
CLOSE_WAIT = 8
LAST_ACK = 9
LISTEN = 10
CLOSING = 11
NEW_SYN_RECV = 12
#: bound and neither listening nor connected; dumped since Linux 6.8 (91051f003948), shown there as CLOSE
BOUND_INACTIVE = 13

#: the states in which a socket holds a quadruplet, by the names that the facts use
NAMES = {
    ESTABLISHED: "established",
    SYN_SENT: "syn_sent",
    SYN_RECV: "syn_recv",
    NEW_SYN_RECV: "syn_recv",
    FIN_WAIT_1: "fin_wait_1",
    FIN_WAIT_2: "fin_wait_2",
    TIME_WAIT: "time_wait",
    CLOSE_WAIT: "close_wait",
    LAST_ACK: "last_ack",
    CLOSING: "closing",
}

LISTENING = 1 << LISTEN
CONNECTED = sum(1 << state for state in NAMES)
LIVE = CONNECTED & ~(1 << TIME_WAIT)
#: a kernel before 6.8 has no socket in that state, and answers with none
BOUND_ONLY = 1 << BOUND_INACTIVE
