# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Adds ports to what listens on a host, or takes them away, in one transaction; or only tells what that would take."""

from typing import Dict, List, NamedTuple, Set, Tuple

from .. import _running_units, _sockets
from .._answers import Spoken
from .._files import FileError, Files
from .._kernel.errors import KernelReadError
from .._kernel.running import RunningKernel
from .._listeners.edited import EditedFiles
from .._listeners.errors import ConfigurationRefusedError
from .._listeners.plan import Listener
from .._service_ports.listening import owners_by_port
from .._transaction import Journal, Outcome, TransactionError, preview, run
from .._transaction.changes import States
from .._transaction.steps import Step
from . import planning, trying
from .asked import Asked
from .planning import Host, Planned
from .servers import SERVERS, Server


class Result(NamedTuple):
    """``before`` and ``after``: the existing port and those beside it. ``running``: whether the server runs.

    ``listeners``: the lines that listen on the ports that were asked for, with their places after the change.
    ``advice``: what is to be done or known besides; ``warnings``: what is wrong.
    """

    outcome: Outcome
    server: str
    before: List[int]
    after: List[int]
    listeners: List[Listener]
    running: bool
    advice: List[str]
    warnings: List[str]


def change(asked: Asked, journal: Journal, check: bool) -> Result:
    """Bring the host into the state that is asked for.

    :raises TransactionError: when it cannot be done, or must not, or failed; what was done is undone.
    """
    kernel = RunningKernel()
    last: List[Tuple[Server, Planned]] = []
    spoken: Dict[str, Spoken] = {}

    def steps(states: States) -> List[Step]:
        """Called once the host is as it will be after an interrupted transaction was undone."""
        pretended = {path: content or b"" for path, content in states.pretended_files().items()}
        host = Host(kernel, EditedFiles(Files(), pretended), states, _owners(kernel), _running_units.running_units())
        try:
            server = _server(asked, host)
            planned = planning.plan(asked, host, server)
            last[:] = [(server, planned)]
        except ConfigurationRefusedError as error:
            raise TransactionError("%s; nothing was changed" % error) from None
        except FileError as error:
            raise TransactionError("%s cannot be read: %s" % (error.what, error.reason)) from None
        if planned.new and planned.running and not check:
            spoken.update(trying.find_spoken(planned.origins, planned.new, server.spoken, asked))
        return planned.steps

    if check:
        outcome = preview(steps, journal)
    else:
        outcome = run(journal, "listen_ports", _summary(asked), steps, lambda: _verify(asked, kernel, *last[0], spoken))
    server, found = last[0]
    warnings = [] if outcome.changed else _not_in_force(asked, kernel, server, found)
    existing = asked.existing_port
    return Result(outcome, server.name, [existing, *found.before], [existing, *found.after], found.plan.listeners,
                  found.running, found.advice, warnings)


def _summary(asked: Asked) -> str:
    ports = ", ".join(map(str, asked.ports)) or ("%d" % asked.number if asked.adds else "all")
    return "%s ports beside %d %s" % (ports, asked.existing_port, asked.state)


def _server(asked: Asked, host: Host) -> Server:
    """
    :raises TransactionError: when it is not said and cannot be told.
    """
    if asked.server:
        return SERVERS[asked.server](host.files, asked.units)
    owners = host.owners.get(asked.existing_port, set())
    heard = asked.existing_port in host.owners
    found = sorted(name for name, server in SERVERS.items() if owners & set(server.programs))
    # the service that systemd hands a socket to has it as well
    if "systemd_socket" in found:
        found = ["systemd_socket"]
    if len(found) == 1:
        return SERVERS[found[0]](host.files, asked.units)
    nobody = "something that root may not look at here listens" if heard else "nothing listens"
    who = "%s listens" % ", ".join(sorted(owners)) if owners else nobody
    raise TransactionError(
        "%s on port %d, so that it cannot be told whose configuration to edit: say it with server, one of %s"
        % (who, asked.existing_port, ", ".join(sorted(SERVERS)))
    )


def _owners(kernel: RunningKernel) -> Dict[int, Set[str]]:
    try:
        owners = owners_by_port(kernel)
        return {port: owners.get(port, set()) for _address, port in _sockets.read_listeners(kernel).listeners}
    except KernelReadError as error:
        raise TransactionError("what listens on this host cannot be told: %s" % error) from None


def _verify(
    asked: Asked, kernel: RunningKernel, server: Server, planned: Planned, spoken: Dict[str, Spoken]
) -> None:
    """Wait until the new ports answer as the old one does, or until those that go are listened on no more.

    :param spoken: at the existing port, by address, before the server was told.
    :raises TransactionError: when they do not in time.
    """
    if planned.new and planned.running:
        trying.wait_for_listening(kernel, planned.new, asked.wait)
        trying.wait_for_answers(spoken, planned.new, asked)
    if planned.going and planned.running:
        still = {one.port for one in SERVERS[server.name](Files(), asked.units).find()}
        trying.wait_for_silence(kernel, [port for port in planned.going if port not in still], asked.wait)


def _not_in_force(asked: Asked, kernel: RunningKernel, server: Server, found: Planned) -> List[str]:
    """What the configuration says and the running server does not do."""
    deaf = trying.deaf_ports(kernel, found.plan.listeners) if asked.adds and found.running else []
    if not deaf:
        return []
    ports = ", ".join(map(str, deaf))
    return ["%s runs and does not listen on %s, which is in its configuration: it was edited and not reloaded"
            % (server.name, ports)]
