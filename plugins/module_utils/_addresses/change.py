# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Carries a change of addresses out in one transaction, or shows what it would do."""

from typing import Any, Dict, List, NamedTuple, Optional

from .._kernel.errors import KernelReadError
from .._transaction import Journal, Outcome, TransactionError, preview, run
from .._transaction.changes import States
from .._transaction.steps import Step
from . import choose, running, users
from .errors import AddressError
from .managers.manager import Manager
from .plan import Plan, interface_of
from .request import ABSENT, Request
from .verify import verify


class Result(NamedTuple):
    """``before`` and ``after``: addresses of the interface. ``manager``: {name, evidence, path}, None where files are
    no concern. ``in_use``: what uses the addresses that go. ``taken``: candidates that others on the link have.
    ``chosen``: what was asked for or picked, without prefix lengths. ``advice``: what to know about the manager."""

    outcome: Outcome
    before: List[str]
    after: List[str]
    added: List[str]
    removed: List[str]
    manager: Optional[Dict[str, str]]
    in_use: List[Dict[str, Any]]
    taken: Dict[str, str]
    chosen: List[str]
    advice: List[str]
    warnings: List[str]


def change(asked: Request, journal: Journal, check: bool) -> Result:
    """Bring the interface into the state that is asked for, or only tell what that would take.

    :raises TransactionError: when it cannot be done, or must not, or failed; what was done is undone.
    """
    seen: List[Plan] = []

    def steps(states: States) -> List[Step]:
        try:
            seen[:] = [Plan(asked, states, check)]
        except (AddressError, KernelReadError) as error:
            raise TransactionError(str(error)) from None
        return seen[0].steps

    if check:
        outcome = preview(steps, journal)
    else:
        if asked.state == ABSENT and asked.wait and not asked.force:
            _drain(asked)
        summary = "addresses of %s %s" % (asked.interface, asked.state)
        outcome = run(journal, "ip_addresses", summary, steps, lambda: verify(seen[0]))
    plan = seen[0]
    return Result(
        outcome,
        plan.addresses,
        plan.addresses_after,
        [str(one) for one in plan.add],
        [str(one) for one in plan.remove],
        _described(plan.manager),
        plan.in_use,
        plan.taken,
        plan.chosen,
        plan.advice,
        plan.warnings,
    )


def _drain(asked: Request) -> None:
    """Wait for connections to end, before the journal is locked: others may go on meanwhile."""
    try:
        view = running.look(asked.namespace)
        going = choose.to_remove(asked, view, interface_of(asked, view))
        users.wait(asked.namespace, [one.address for one in going], asked.wait)
    except (AddressError, KernelReadError) as error:
        raise TransactionError(str(error)) from None


def _described(manager: Optional[Manager]) -> Optional[Dict[str, str]]:
    return manager and {"name": manager.name, "evidence": manager.evidence, "path": manager.parts[0].path}
