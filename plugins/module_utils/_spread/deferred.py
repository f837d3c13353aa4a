# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a client that binds the address of its connections leaves the port to connect(). Pure.

Asked of what it does, as no option of another process's socket can be read: bind() with an address and port 0 takes a
port that no other socket of the address has (``inet_csk_find_open_port``), and looks first at ports of the other parity
than the first one of the range. With IP_BIND_ADDRESS_NO_PORT connect() chooses (``__inet_hash_connect``), which looks
first at those of the same parity, and may take a port that is in use to another server. So it shows in the ports of
live connections, as long as less than half of the range is in use.
"""

from collections import Counter
from typing import Iterable, NamedTuple, Optional, Tuple

#: as many of one kind by chance, of ports chosen anywhere, less than once in 10**6 times
_ENOUGH = 20
#: of them, so many may come from somewhere else: an earlier configuration, a range that was fuller
_STRAY = 0.1


class Judgement(NamedTuple):
    """``deferred``: None when it cannot be told. ``evidence``: a sentence."""

    deferred: Optional[bool]
    evidence: str


def judge(connections: Iterable[Tuple[int, str, int]], low: int, high: int) -> Judgement:
    """Judge connections from one address that was bound.

    :param connections: ``(local port, remote address, remote port)``, of live ones or in TIME-WAIT.
    :param low: the first port of ``net.ipv4.ip_local_port_range``. :param high: the last one.
    """
    ports = [port for port, _address, _port in set(connections) if low <= port <= high]
    shared = [port for port, count in Counter(ports).items() if count > 1]
    if shared:
        # connect() after bind() would have found no second one
        return Judgement(True, "port %d goes to two servers, so that connect() chose it" % shared[0])
    if len(ports) < _ENOUGH:
        return Judgement(None, "%d connections are too few to tell: %d would do" % (len(ports), _ENOUGH))
    if len(ports) * 4 > high - low + 1:
        return Judgement(None, "%d ports of %d are in use, too many to tell" % (len(ports), high - low + 1))
    same = sum(1 for port in ports if (port - low) % 2 == 0)
    told = "%d of %d ports have the parity of the first one of the range" % (same, len(ports))
    if same >= (1 - _STRAY) * len(ports):
        return Judgement(True, told + ", as connect() chooses them")
    if same <= _STRAY * len(ports):
        return Judgement(False, told + ", the others being those that bind() chooses")
    return Judgement(None, told + ", which shows neither")
