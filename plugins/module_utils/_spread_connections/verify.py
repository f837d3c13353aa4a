# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Looks whether the connections go where they should, once the client has read its configuration again."""

from typing import List, NamedTuple, Optional, Tuple

from .. import _ports
from .._kernel.errors import KernelReadError
from .._kernel.running import RunningKernel
from .._spread import deferred
from .._spread.deferred import Judgement
from .._spread.plan import Pool, ServerPools
from .._transaction import TransactionError
from . import evenness, seen
from .asked import Asked
from .planning import Planned
from .reach import described
from .seen import Seen

_RANGE = "/proc/sys/net/ipv4/ip_local_port_range"
#: without a new connection in a pool, it is taken for one that is used no more
_QUIET_SECONDS = 2.0


class Found(NamedTuple):
    """``counts``: server, pool and connections that were opened in it. ``even``: None when it cannot be told.

    ``deferred``: whether connect() chooses the port, None where no address is bound.
    """

    counts: List[Tuple[str, Pool, int]]
    even: Optional[bool]
    deferred: Optional[Judgement]
    warnings: List[str]


def verify_added(asked: Asked, kernel: RunningKernel, name: str, planned: Planned) -> Found:
    """Watch connections, whether they come from everywhere and go everywhere, and evenly.

    :raises TransactionError: when they do not.
    """
    if not asked.watch:
        return Found([], None, None, ["whether connections are spread was not looked at, since watch is 0"])
    found = seen.watch(kernel, planned.servers, asked.watch)
    counts = [(server.server, pool, count) for server in planned.servers for pool, count in
              zip(server.pools, found.of(server))]
    port = _deferred(kernel, planned, found)
    if port and port.deferred is False:
        _refuse_bound_ports(name, planned, port)
    warnings = _bound_ports(name, port)
    verdicts = []
    for server in planned.servers:
        verdict, sentence = _judged(server, found.of(server), planned.plan.even, asked.watch)
        verdicts.append(verdict)
        warnings += [sentence] if sentence else []
    if not any(sum(found.of(server)) for server in planned.servers):
        # once is enough
        warnings = ["no connection of %s was opened within %d s, so that it was not seen whether they are spread: have"
                    " requests come, and look at the pools of timewait_facts" % (asked.request.backend, asked.watch)]
    even = None if None in verdicts else all(verdicts)
    return Found(counts, even, port, warnings)


def verify_removed(asked: Asked, kernel: RunningKernel, name: str, planned: Planned) -> Found:
    """Wait until no connection is opened any more in the pools that go: processes from before may go on for a while."""
    busy = seen.wait_for_quiet(kernel, planned.removed, asked.wait, _QUIET_SECONDS) if planned.removed else []
    warnings = ["connections to %s are still opened after %d s: by processes of %s from before the reload, or by"
                " something else" % (described(pool), asked.wait, name) for pool in busy]
    return Found([], None, None, warnings)


def _judged(server: ServerPools, counts: List[int], takes_turns: bool, seconds: int) -> Tuple[Optional[bool], str]:
    """The verdict, and what to say of it.

    :raises TransactionError: when they are not spread.
    """
    judgement = evenness.judge(counts)
    if judgement.even is None:
        told = "only %d connections to %s were opened within %d s: too few to tell whether they are spread evenly"
        return None, told % (sum(counts), server.server, seconds)
    if judgement.even:
        return True, ""
    pool, count = server.pools[judgement.at], counts[judgement.at]
    told = "of %d connections to %s, %d go to %s, which is not an even part of %d" % (
        sum(counts), server.server, count, described(pool), len(counts),
    )  # fmt: skip
    if takes_turns:
        raise TransactionError(told)
    return False, told + ": they are not taken by turns, so that it may take longer"


def _deferred(kernel: RunningKernel, planned: Planned, found: Seen) -> Optional[Judgement]:
    """The clearest of what the connections from each bound address show."""
    bound = sorted({pool.source for server in planned.servers for pool in server.pools if pool.source})
    if not bound:
        return None
    try:
        ephemeral = _ports.parse_range(kernel.read_text(_RANGE))
    except (KernelReadError, _ports.PortListError) as error:
        return Judgement(None, "the range of ports cannot be read: %s" % error)
    judged = []
    for source in bound:
        mine = [(port, address, there) for here, port, address, there in found.quadruplets if here == source]
        judged.append(deferred.judge(mine, ephemeral.low, ephemeral.high))
    return next((one for one in judged if one.deferred is not None), judged[0])


def _refuse_bound_ports(name: str, planned: Planned, port: Judgement) -> None:
    """
    :raises TransactionError: when pools were added that such a client cannot use.
    """
    places = {(pool.address, pool.port) for server in planned.servers for pool in server.pools}
    if len(places) > 1 and (planned.after.ports or planned.after.addresses):
        raise TransactionError(
            "this %s binds its port before it connects (%s), so that one port serves one connection whatever the"
            " destination: more ports or addresses of servers add nothing; spread over sources alone, or use a version"
            " that sets IP_BIND_ADDRESS_NO_PORT" % (name, port.evidence)
        )


def _bound_ports(name: str, port: Optional[Judgement]) -> List[str]:
    if port and port.deferred is False:
        return ["this %s binds its port before it connects (%s): each address has the range once, for all servers"
                " together" % (name, port.evidence)]
    return []
