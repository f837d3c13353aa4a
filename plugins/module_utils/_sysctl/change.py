# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Carries a change of sysctls out in one transaction, or shows what it would do."""

import time
from functools import partial
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Tuple

from .._kernel.defaults import read_defaults
from .._kernel.errors import KernelReadError
from .._kernel.running import RunningKernel
from .._transaction import Journal, Outcome, TransactionError, preview, run
from .._transaction.changes import States
from .._transaction.steps import Step
from .._transaction.targets import SysctlTarget
from . import keys, request, scripts, settings
from .decided import decided
from .errors import FileReadError, RequestError
from .files import ChangedFiles, Files

#: where ``ip netns`` keeps its namespaces, ip-netns(8)
_NAMED = "/run/netns/"


class Result(NamedTuple):
    """``before`` and ``after`` by dotted key: ``{running, persisted}``. ``skipped``: ``{key, reason}``. ``scripts``:
    lines that set the same keys behind the loaders' back, ``{path, line, key, value}``; they are never edited."""

    outcome: Outcome
    before: Dict[str, Any]
    after: Dict[str, Any]
    skipped: List[Dict[str, str]]
    scripts: List[Dict[str, Any]]
    warnings: List[str]


def namespace_file(name: Optional[str]) -> Optional[str]:
    """The file of a network namespace that is given by its name or its path; None for none."""
    if not name:
        return None
    return name if name.startswith("/") else _NAMED + name


def change(asked: request.Request, journal: Journal, check: bool) -> Result:
    """Bring the host into the state that is asked for, or only tell what that would take.

    :raises TransactionError: when it cannot be done, or must not, or failed; what was done is undone.
    """
    seen: List[Tuple[settings.Host, settings.Settings]] = []

    def steps(states: States) -> List[Step]:
        """Called once the host is as it will be after an interrupted transaction was undone."""
        host = look(asked, states)
        try:
            found = settings.plan(asked, host)
        except (FileReadError, KernelReadError, RequestError) as error:
            raise TransactionError(str(error)) from None
        seen[:] = [(host, found)]
        before.update(_describe(asked, host, host.running, host.files))
        return found.steps

    before: Dict[str, Any] = {}
    if check:
        outcome = preview(steps, journal)
    else:
        summary = "%s %s" % (", ".join(keys.dotted(key) for key in asked.keys), asked.state)
        outcome = run(journal, "sysctl_settings", summary, steps, lambda: _verify(asked))
    host, found = seen[0]
    return Result(
        outcome,
        before,
        _describe(asked, host, dict(host.running, **found.running), ChangedFiles(host.files, found.edits)),
        [{"key": keys.dotted(key), "reason": reason} for key, reason in found.skipped],
        _scripts(asked, host.files),
        found.warnings,
    )


def _scripts(asked: request.Request, files: Files) -> List[Dict[str, Any]]:
    if not asked.files_too:
        return []
    return [
        {"path": one.path, "line": one.line, "key": keys.dotted(one.key), "value": one.value}
        for one in scripts.find(files).lines
        if one.key in asked.keys
    ]


def look(asked: request.Request, states: States) -> settings.Host:
    """The host as it is for a request, or as it will be once an interrupted transaction is undone.

    :raises TransactionError: when it shows no sysctl of TCP.
    """
    running = {key: states.of(SysctlTarget(key, asked.namespace)).value for key in keys.OURS}
    if all(value is None for value in running.values()):
        raise TransactionError(
            "%s shows no sysctl of TCP: there is no such network namespace, or no /proc/sys"
            % (asked.namespace or "this host")
        )
    date = time.strftime("%Y-%m-%d", time.gmtime())
    files = ChangedFiles(Files(), states.pretended_files())
    return settings.Host(files, running, partial(read_defaults, RunningKernel()), date)


def _verify(asked: request.Request) -> None:
    """Ask every loader again, with the files as they are now: nothing may be left to do.

    :raises TransactionError: when there is.
    """
    left = settings.plan(asked, look(asked, States())).edits
    if left:
        raise TransactionError("the loaders would not leave what was set, because of %s" % ", ".join(sorted(left)))


def _describe(
    asked: request.Request, host: settings.Host, running: Mapping[str, Optional[str]], files: Files
) -> Dict[str, Any]:
    lines = decided(files, asked.keys, {key for key, value in host.running.items() if value is not None})
    return {
        keys.dotted(key): {
            "running": running.get(key),
            "persisted": dict(lines[key]._asdict()) if key in lines and asked.files_too else None,
        }
        for key in asked.keys
    }
