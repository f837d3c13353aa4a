# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asks the kernel again, once everything is done."""

import time

from .._kernel.errors import KernelReadError
from .._transaction import TransactionError
from . import running, users
from .errors import AddressError
from .objections import becoming
from .plan import Plan
from .request import PRESENT

#: it asks once, and waits for a second, up to another one before it begins (RFC 4862, 5.4.2)
_DAD_SECONDS = 8
_ROUND_SECONDS = 0.05
_TOLD = 3


def verify(plan: Plan) -> None:
    """Whether the addresses are as was asked for, nobody else has them, and no other traffic comes from them.

    :raises TransactionError: when not.
    """
    try:
        if plan.asked.state == PRESENT:
            _wait_for_dad(plan)
            after = running.sources(plan.asked.namespace, list(plan.sources), plan.link.master)
            problems = becoming(plan.sources, after, plan.add)
            if problems:
                raise TransactionError("; ".join(problems[:_TOLD]))
        else:
            _verify_gone(plan)
    except (AddressError, KernelReadError) as error:
        raise TransactionError(str(error)) from None


def _verify_gone(plan: Plan) -> None:
    left = [one for one in running.look(plan.asked.namespace).on(plan.link) if one.address in plan.remove]
    if left:
        raise TransactionError("%s is on %s still, or again" % (left[0].address, plan.link.name))
    if not plan.asked.force:
        # one that began after the last look goes on when the address is back
        told = users.sentence(users.describe(plan.asked.namespace, plan.remove))
        if told:
            raise TransactionError(told)


def _wait_for_dad(plan: Plan) -> None:
    """The kernel's own duplicate address detection has the last word for IPv6."""
    deadline = time.monotonic() + _DAD_SECONDS
    while True:
        held = {one.address: one for one in running.look(plan.asked.namespace).on(plan.link)}
        missing = [one for one in plan.add if one not in held]
        if missing:
            raise TransactionError("%s is not on %s any more" % (missing[0], plan.link.name))
        mine = [held[one] for one in plan.add]
        double = [one for one in mine if one.duplicate]
        if double:
            raise TransactionError("the kernel found that somebody on the link has %s already" % double[0].address)
        # without a carrier, the kernel puts the question off until there is one
        if not plan.link.carrier or not any(one.tentative for one in mine) or time.monotonic() >= deadline:
            return
        time.sleep(_ROUND_SECONDS)
