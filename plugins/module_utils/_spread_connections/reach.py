# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tries pools before they are used: from each address to each server, which has to answer as it does now."""

import time
from typing import Iterable, List, Optional

from .. import _answers
from .._answers import Answer, NoAnswerError, Spoken
from .._spread.plan import Pool, ServerPools
from .._transaction import TransactionError
from .asked import AUTO, HTTP

_PAUSE = 0.2
#: of the pool that is there, so that what changes from one answer to the next is known
_REPEATS = 2


class _Known:
    """What the pool that is there answers. ``spoken`` None where it does not answer, so that nothing is known."""

    def __init__(self, pool: Pool, expected: Spoken, probe: str) -> None:
        self._pool = pool
        self.spoken: Optional[Spoken] = None
        self.answers: List[Answer] = []
        guess = expected if probe == AUTO else expected._replace(http=probe == HTTP)
        try:
            self.spoken = _answers.found_out(pool.address, pool.port, guess)
            self.answers = [self.ask(pool, self.spoken) for _time in range(_REPEATS)]
        except NoAnswerError:
            self.spoken = None

    def ask(self, pool: Pool, spoken: Spoken) -> Answer:
        """:raises NoAnswerError: when there is none."""
        return _answers.ask(pool.address, pool.port, spoken, pool.source, self._pool.address)


def try_new(servers: Iterable[ServerPools], present: Iterable[Pool], probe: str, seconds: int) -> List[str]:
    """Wait until every pool answers that is not there yet.

    :param servers: all pools that are wanted. :param present: those in use.
    :returns: sentences about what could not be compared.
    :raises TransactionError: when one does not answer in time, or not as the server does now.
    """
    known = set(present)
    deadline = time.monotonic() + seconds
    unknown = []
    for server in servers:
        new = [pool for pool in server.pools if pool not in known]
        if not new:
            continue
        # what is there may be bound already, and may be one of those that are asked for
        there = _Known(server.pools[0]._replace(source=""), server.spoken, probe)
        if there.spoken is None:
            unknown.append("%s does not answer now, so that it is not known how its new pools should: they accept" %
                           server.server)
        for pool in new:
            _wait(pool, there, deadline, seconds)
    return unknown


def _wait(pool: Pool, there: _Known, deadline: float, seconds: int) -> None:
    while True:
        reason = _difference(pool, there)
        if not reason:
            return
        if time.monotonic() > deadline:
            raise TransactionError("%s within %d s: nothing was changed" % (reason, seconds))
        time.sleep(_PAUSE)


def _difference(pool: Pool, there: _Known) -> str:
    """How a pool does not answer as it has to; nothing when it does."""
    where = described(pool)
    try:
        found = there.ask(pool, there.spoken or Spoken(False))
    except NoAnswerError as error:
        return "%s did not answer (%s)" % (where, error)
    if there.spoken is None or _answers.alike(found, there.answers):
        return ""
    told = _answers.described(found), _answers.described(there.answers[0])
    return "%s did not answer as the server does now (%s instead of %s)" % (where, *told)


def described(pool: Pool) -> str:
    """For a sentence."""
    host = "[%s]" % pool.address if ":" in pool.address else pool.address
    return "%s:%d%s" % (host, pool.port, " from %s" % pool.source if pool.source else "")
