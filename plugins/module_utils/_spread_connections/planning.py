# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From what is asked and the host as it is to what is to be done. Nothing is changed here."""

from typing import FrozenSet, List, NamedTuple, Tuple

from .._files import Files
from .._kernel.errors import KernelReadError
from .._kernel.running import RunningKernel
from .._listen_ports.servers import Moment
from .._spread.plan import Connection, Plan, Pool, ServerPools
from .._spread.request import Request, joined, version_of, without
from .._transaction import TransactionError
from .._transaction.command import run_command
from .._transaction.steps import RemoveFile, RunCommand, Step, WriteFile
from . import reach, sources
from .asked import Asked
from .clients import CLIENTS, Client

_CHECK_SECONDS = 60
_TELL_SECONDS = 120


class Host(NamedTuple):
    """``files``: as they are once an interrupted transaction is undone. ``units``: those that run."""

    kernel: RunningKernel
    files: Files
    units: FrozenSet[str]


class Planned(NamedTuple):
    """``before``, ``after``: what the backend is spread over. ``pools_before``, ``pools``: of its connections."""

    steps: List[Step]
    before: Request
    after: Request
    pools_before: List[Pool]
    pools: List[Pool]
    plan: Plan
    running: bool
    advice: List[str]

    @property
    def servers(self) -> Tuple[ServerPools, ...]:
        return self.plan.servers

    @property
    def added(self) -> List[Pool]:
        return [pool for pool in self.pools if pool not in self.pools_before]

    @property
    def removed(self) -> List[Pool]:
        return [pool for pool in self.pools_before if pool not in self.pools]


def client_of(asked: Asked, host: Host) -> Client:
    """The client that has the backend.

    :raises ConfigurationRefusedError: for a configuration that is not understood.
    :raises TransactionError: when it is not said and cannot be told.
    """
    if asked.server:
        return CLIENTS[asked.server](host.files)
    there = [client for client in (maker(host.files) for _name, maker in sorted(CLIENTS.items())) if client.is_there()]
    name = asked.request.backend
    found = [one for one in there if name.lower() in [connection.backend.lower() for connection in one.connections()]]
    if len(found) == 1:
        return found[0]
    if found:
        raise TransactionError("HAProxy and nginx both have a backend %s: say with server which one is meant" % name)
    backends = sorted({connection.backend for one in there for connection in one.connections()})
    raise TransactionError("neither HAProxy nor nginx has a backend %s here; there are %s"
                           % (name, ", ".join(backends) or "none"))


def plan(asked: Asked, host: Host, client: Client) -> Planned:
    """What to do so that the connections of the backend are as asked; no steps where they are so already.

    :raises ConfigurationRefusedError: for a configuration that is not understood, or that the request does not fit.
    :raises TransactionError: when it cannot be done, or must not.
    """
    before = client.present(asked.request.backend)
    connections = [one for one in client.connections() if one.backend.lower() == asked.request.backend.lower()]
    pools = _pools(connections)
    running = _runs(client, host)
    if asked.adds:
        wanted = _with_kept(asked, before, connections)
        made, after = client.add(wanted), joined(before, wanted)
        sources.refuse_foreign(source for source in wanted.sources if source not in before.sources)
        advice = reach.try_new(made.servers, pools, asked.probe, asked.wait) if made.edits else []
    else:
        away = _with_default(asked.request, before, connections)
        made, after, advice = client.remove(away), without(before, away), _unknown(client, asked, connections)
    steps: List[Step] = []
    if made.edits:
        check = RunCommand(client.check(made), (), _CHECK_SECONDS)
        _refuse_broken(client, check)
        told = client.tell(made, Moment(host.units, running, (), asked.adds))
        steps = [*_edits(made), check, *(RunCommand(one.argv, one.undo_argv, _TELL_SECONDS) for one in told)]
        if not running:
            advice.append("%s does not run: once started it connects as its configuration says" % client.name)
    return Planned(steps, before, after, pools, _pools(made.connections), made, running, made.warnings + advice)


def _with_kept(asked: Asked, before: Request, connections: List[Connection]) -> Request:
    """The request, with the address that connections come from now among the sources: it would be lost otherwise."""
    request = asked.request
    if not request.sources or before.sources or not asked.keep_source:
        return request
    now = sources.of_now(connections, {version_of(source) for source in request.sources})
    return joined(request, Request(request.backend, tuple(now)))


def _with_default(away: Request, before: Request, connections: List[Connection]) -> Request:
    """What goes, with the last source where it is the one that the kernel takes by itself: then none need be named."""
    left = without(before, away).sources
    if away.empty or not away.sources or not left:
        return away
    bare = [one._replace(source="") for one in connections]
    usual = sources.of_now(bare, {version_of(source) for source in left})
    return joined(away, Request(away.backend, left)) if set(left) == set(usual) else away


def _runs(client: Client, host: Host) -> bool:
    """Whether it runs: as its unit, or as a process of this network namespace."""
    if client.unit in host.units:
        return True
    here = _namespace(host.kernel, "self")
    for name in host.kernel.list_names("/proc"):
        if name.isdigit():
            try:
                command = host.kernel.read_text("/proc/%s/comm" % name).strip()
            except KernelReadError:
                continue  # it ended meanwhile
            if command in client.programs and _namespace(host.kernel, name) in ("", here):
                return True
    return False


def _namespace(kernel: RunningKernel, process: str) -> str:
    """Empty where it may not be looked at."""
    try:
        return kernel.read_link("/proc/%s/ns/net" % process)
    except KernelReadError:
        return ""


def _edits(found: Plan) -> List[Step]:
    """A file of which nothing is left goes."""
    return [WriteFile(path, content) if content else RemoveFile(path) for path, content in sorted(found.edits.items())]


def _refuse_broken(client: Client, check: RunCommand) -> None:
    """Have the client check its configuration as it is.

    :raises TransactionError: when it does not take it: then nothing of it is edited.
    """
    try:
        run_command(check.argv, check.timeout)
    except TransactionError as error:
        reason = "%s does not take its configuration as it is, before any edit: %s; nothing was changed"
        raise TransactionError(reason % (client.name, error)) from None


def _unknown(client: Client, asked: Asked, connections: List[Connection]) -> List[str]:
    """What is not there has nothing to take away; a name that is written wrongly should be noticed all the same."""
    reason = "%s has no backend %s: nothing was taken away"
    return [] if connections else [reason % (client.name, asked.request.backend)]


def _pools(connections: List[Connection]) -> List[Pool]:
    """Each once, in their order."""
    return list(dict.fromkeys(Pool(one.source, one.address, one.port) for one in connections))
