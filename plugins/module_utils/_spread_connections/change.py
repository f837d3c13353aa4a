# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Spreads the connections of a client in one transaction, or takes that back; or only tells what that would take."""

from typing import List, NamedTuple, Optional, Tuple

from .. import _running_units
from .._files import FileError, Files
from .._kernel.running import RunningKernel
from .._listeners.edited import EditedFiles
from .._listeners.errors import ConfigurationRefusedError
from .._transaction import Journal, Outcome, TransactionError, preview, run
from .._transaction.changes import States
from .._transaction.steps import Step
from . import planning
from .asked import Asked
from .clients import Client
from .planning import Host, Planned
from .verify import Found, verify_added, verify_removed


class Result(NamedTuple):
    """``found``: what was seen of connections after the reload, None where nothing was told to reload."""

    outcome: Outcome
    client: str
    planned: Planned
    found: Optional[Found]


def change(asked: Asked, journal: Journal, check: bool) -> Result:
    """Bring the host into the state that is asked for.

    :raises TransactionError: when it cannot be done, or must not, or failed; what was done is undone.
    """
    kernel = RunningKernel()
    last: List[Tuple[Client, Planned]] = []
    found: List[Found] = []

    def steps(states: States) -> List[Step]:
        """Called once the host is as it will be after an interrupted transaction was undone."""
        pretended = {path: content or b"" for path, content in states.pretended_files().items()}
        host = Host(kernel, EditedFiles(Files(), pretended), _running_units.running_units())
        try:
            client = planning.client_of(asked, host)
            last[:] = [(client, planning.plan(asked, host, client))]
        except ConfigurationRefusedError as error:
            raise TransactionError("%s; nothing was changed" % error) from None
        except FileError as error:
            raise TransactionError("%s cannot be read: %s" % (error.what, error.reason)) from None
        return last[0][1].steps

    def verify() -> None:
        client, planned = last[0]
        if planned.running:
            found.append((verify_added if asked.adds else verify_removed)(asked, kernel, client.name, planned))

    summary = _summary(asked)
    outcome = preview(steps, journal) if check else run(journal, "spread_connections", summary, steps, verify)
    client, planned = last[0]
    return Result(outcome, client.name, planned, found[0] if found else None)


def _summary(asked: Asked) -> str:
    request = asked.request
    what = [*request.sources, *map(str, request.ports)]
    what += [address for one in request.addresses for address in one.addresses]
    return "connections of %s over %s %s" % (request.backend, ", ".join(what) or "all", asked.state)
