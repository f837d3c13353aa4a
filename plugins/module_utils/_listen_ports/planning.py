# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From what is asked and the host as it is to what is to be done. Nothing is changed here."""

from typing import FrozenSet, List, Mapping, NamedTuple, Optional, Set

from .. import _firewall, _selinux
from .._files import Files
from .._kernel.running import RunningKernel
from .._listeners.plan import Listener, Plan
from .._listeners.request import Request
from .._transaction import TransactionError
from .._transaction.changes import States
from .._transaction.command import run_command
from .._transaction.steps import RemoveFile, RunCommand, Step, WriteFile
from . import binding, choice, reserving, taken
from .asked import Asked
from .servers import Moment, Server

_CHECK_SECONDS = 60
_TELL_SECONDS = 120


class Host(NamedTuple):
    """``files``, ``states``: as they are once an interrupted transaction is undone. ``owners``: programs that listen,
    by port; none where the kernel does not tell, as in a container without CAP_SYS_PTRACE. ``units``: those that run.
    """

    kernel: RunningKernel
    files: Files
    states: States
    owners: Mapping[int, Set[str]]
    units: FrozenSet[str]


class Planned(NamedTuple):
    """``before``, ``after``: ports beside the existing one. ``new``: lines for ports that are not there yet; ``going``:
    ports that go. ``origins``: lines of the existing port, that somebody else wrote. ``running``: the server runs."""

    steps: List[Step]
    before: List[int]
    after: List[int]
    plan: Plan
    new: List[Listener]
    going: List[int]
    origins: List[Listener]
    running: bool
    advice: List[str]


class _Parts(NamedTuple):
    """``first``, ``last``: steps around the edits. The rest as in ``Planned``."""

    first: List[Step]
    last: List[Step]
    plan: Plan
    after: List[int]
    new: List[Listener]
    going: List[int]
    advice: List[str]


def plan(asked: Asked, host: Host, server: Server) -> Planned:
    """What to do so that the host is as asked; no steps that the transaction would not leave out on the second run.

    :raises ConfigurationRefusedError: for a configuration that is not understood, or that the request does not fit.
    :raises TransactionError: when it cannot be done, or must not.
    """
    before = server.beside(asked.existing_port)
    origins = [one for one in server.find() if one.port == asked.existing_port and not one.added]
    running = _runs(host.owners.get(asked.existing_port), server)
    parts = (_more if asked.adds else _fewer)(asked, host, server, before)
    concerned = tuple(sorted({one.port for one in parts.new} | set(parts.going)))
    middle: List[Step] = []
    advice = list(parts.advice)
    if parts.plan.edits:
        check = RunCommand(server.check(parts.plan), (), _CHECK_SECONDS)
        _refuse_broken(server, check)
        told = server.tell(parts.plan, Moment(host.units, running, concerned, asked.adds))
        middle = [*_edits(parts.plan), check,
                  *(RunCommand(one.argv, one.undo_argv, _TELL_SECONDS) for one in told)]
        if not running:
            advice.append("%s does not run, so that nothing was tried: once started it does as its configuration says"
                          % server.name)
    return Planned([*parts.first, *middle, *parts.last], before, parts.after, parts.plan, parts.new, parts.going,
                   origins, running, advice)


def _runs(owners: Optional[Set[str]], server: Server) -> bool:
    """Whether it is what listens. :param owners: None where nothing does."""
    return owners is not None and (not owners or bool(owners & set(server.programs)))


def _more(asked: Asked, host: Host, server: Server, before: List[int]) -> _Parts:
    ports = taken.read(host.kernel, host.files)
    wanted = list(asked.ports)
    if asked.number:
        missing = max(0, asked.number - len(before))
        wanted = before + choice.pick(ports, asked.existing_port, missing, asked.reserve)
    more = server.add(Request(asked.existing_port, tuple(wanted)))
    new = [one for one in more.listeners if one.port not in before]
    new_ports = sorted({one.port for one in new})
    choice.refuse_taken(ports, new_ports)
    ephemeral = {port for port in wanted if ports.ephemeral(port)}
    if not asked.reserve:
        choice.refuse_ephemeral(ports, new_ports)
    binding.refuse_busy(new, host.owners)
    first, advice = _selinux.allow_ports(asked.existing_port, wanted)
    if ephemeral and asked.reserve:
        first += reserving.steps(host.states, ports.reserved | ephemeral)
    last: List[Step] = []
    if asked.firewall:
        opening = _firewall.open_ports(host.files, asked.existing_port, wanted)
        last, advice = opening.steps, advice + opening.advice
    return _Parts(first, last, more, sorted({*before, *new_ports}), new, [], more.warnings + advice)


def _fewer(asked: Asked, host: Host, server: Server, before: List[int]) -> _Parts:
    going = [port for port in (asked.ports or before) if port in before]
    fewer = server.remove(Request(asked.existing_port, tuple(going)))
    first: List[Step] = []
    last: List[Step] = []
    advice: List[str] = []
    if going:
        last, advice = _selinux.forget_ports(asked.existing_port, going)
        if asked.firewall:
            closing = _firewall.close_ports(host.files, asked.existing_port, going)
            first, advice = closing.steps, advice + closing.advice
        if asked.reserve:
            reserved = taken.read(host.kernel, host.files).reserved
            last = reserving.steps(host.states, reserved - set(going)) + last
    left = [port for port in before if port not in going]
    return _Parts(first, last, fewer, left, [], going, fewer.warnings + advice)


def _edits(found: Plan) -> List[Step]:
    """A file of which nothing is left goes."""
    return [WriteFile(path, content) if content else RemoveFile(path) for path, content in sorted(found.edits.items())]


def _refuse_broken(server: Server, check: RunCommand) -> None:
    """Have the server check its configuration as it is.

    :raises TransactionError: when it does not take it: then nothing of it is edited.
    """
    try:
        run_command(check.argv, check.timeout)
    except TransactionError as error:
        reason = "%s does not take its configuration as it is, before any edit: %s; nothing was changed"
        raise TransactionError(reason % (server.name, error)) from None
