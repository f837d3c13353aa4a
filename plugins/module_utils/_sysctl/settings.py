# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From a request and the host as it is to the steps of one transaction. Nothing is changed here."""

import os
from typing import Callable, Dict, FrozenSet, List, Mapping, NamedTuple, Optional, Tuple

from .. import _ports
from .._transaction.steps import RemoveFile, SetSysctl, Step, WriteFile
from . import edit, keys, loader_tuned, request
from .decided import decided
from .errors import RequestError
from .files import ChangedFiles, Files

_RANGE = "net/ipv4/ip_local_port_range"
_RESERVED = "net/ipv4/ip_local_reserved_ports"
_HEADER = (
    "Written by the Ansible module tcpops.timewait.sysctl_settings, which keeps values that are\n"
    "added here by hand, but no comments. tcpops.timewait.rollback puts back what was before."
)
_SHOWN_LINES = 5

Values = Dict[str, Optional[str]]
#: gives the kernel's own values of some keys
Defaults = Callable[[List[str]], Values]


class Host(NamedTuple):
    """``running``: values by path below /proc/sys, white space folded, None for a key that the kernel lacks; of all
    our keys. ``date`` is that of today, for comments: ``2026-11-22``."""

    files: Files
    running: Mapping[str, Optional[str]]
    defaults: Defaults
    date: str


class Settings(NamedTuple):
    """``running`` and ``edits`` are what will be there after ``steps``: values by path, contents by file (None for one
    that is taken away). ``skipped`` are pairs of a key and why nothing was done about it."""

    steps: List[Step]
    running: Dict[str, str]
    edits: edit.Edits
    skipped: List[Tuple[str, str]]
    warnings: List[str]


def plan(asked: request.Request, host: Host) -> Settings:
    """What to do so that the host is as asked; no steps that the transaction would not leave out on the second run.

    :raises RequestError: when it cannot be done, or must not.
    :raises FileReadError: when a file that a loader reads cannot be read.
    """
    if asked.state == request.PRESENT:
        return _present(asked, host)
    if asked.state == request.ABSENT:
        return _absent(asked, host)
    return _purged(asked, host)


def _present(asked: request.Request, host: Host) -> Settings:
    skipped = [(key, "this kernel has no such sysctl") for key in asked.keys if host.running.get(key) is None]
    if skipped and asked.missing == request.FAIL:
        raise RequestError(
            "%s: this kernel has no such sysctl, or not in this network namespace; missing: skip goes on without it"
            % ", ".join(keys.dotted(key) for key, _why in skipped)
        )
    gone = {key for key, _why in skipped}
    running = {key: value for key, value in asked.values if key not in gone}
    _refuse_narrower(running, host.running)
    if not asked.files_too:
        return _settings(asked, host, running, {})._replace(skipped=skipped)
    if running.get(_RESERVED) == "":
        raise RequestError(
            "%s: no sysctl file can say that the list is empty, since nothing is written for it; use state: absent"
            % keys.dotted(_RESERVED)
        )
    style = edit.Style(_HEADER, host.date, asked.conflicts == request.COMMENT)
    found = edit.plan(host.files, running, _present_keys(host), style)
    settings = _settings(asked, host, running, found.edits)
    return settings._replace(skipped=skipped, warnings=_objections(asked, found.left) + _held_by_tuned(found.solved))


def _absent(asked: request.Request, host: Host) -> Settings:
    edits: edit.Edits = {}
    if asked.files_too:
        style = edit.Style(_HEADER, host.date, False)
        edits = edit.plan(host.files, dict.fromkeys(asked.keys), _present_keys(host), style).edits
    there = [key for key in asked.keys if host.running.get(key) is not None]
    running: Dict[str, str] = {}
    if asked.namespace is None:
        for key, line in decided(ChangedFiles(host.files, edits), there, _present_keys(host)).items():
            running[key] = line.value
    warnings = []
    unset = [key for key in there if key not in running]
    own = host.defaults(unset) if unset else {}
    for key in unset:
        value = own.get(key)
        if value is None:
            warnings.append(
                "%s stays %s: no file sets it, and the kernel's own value cannot be known"
                % (keys.dotted(key), host.running[key])
            )
        else:
            running[key] = value
    return _settings(asked, host, running, edits)._replace(warnings=warnings)


def _purged(asked: request.Request, host: Host) -> Settings:
    edits: edit.Edits = {}
    left: List[edit.Conflict] = []
    solved: List[edit.Conflict] = []
    if asked.files_too:
        for key in asked.keys:
            found = edit.remove_key(ChangedFiles(host.files, edits), key, asked.reason, host.date)
            edits.update(found.edits)
            solved += found.solved
            left += found.left if asked.conflicts != request.FAIL else found.left + found.solved
    running = {key: value for key, value in asked.values if host.running.get(key) is not None}
    _refuse_narrower(running, host.running)
    skipped = [(key, "this kernel has no such sysctl") for key, _value in asked.values if key not in running]
    settings = _settings(asked, host, running, edits)
    return settings._replace(skipped=skipped, warnings=_objections(asked, left) + _held_by_tuned(solved))


def _settings(asked: request.Request, host: Host, running: Dict[str, str], edits: edit.Edits) -> Settings:
    """Running values first: the kernel may refuse one, and nothing is cheaper to undo."""
    ordered = sorted(running, key=lambda key: _rank(key, running, host.running))
    steps: List[Step] = [SetSysctl(key, running[key], asked.namespace) for key in ordered]
    for path, content in sorted(edits.items()):
        steps.append(RemoveFile(path) if content is None else WriteFile(path, content))
    return Settings(steps, running, edits, [], [])


def _rank(key: str, running: Mapping[str, str], before: Mapping[str, Optional[str]]) -> Tuple[bool, str]:
    """A range is never live without what was reserved for it: that comes before it grows, and goes after it shrank."""
    if key == _RANGE:
        return (_within(running[key], before.get(_RANGE)) is not True, key)
    if key == _RESERVED:
        return (_within(running.get(_RANGE, ""), before.get(_RANGE)) is True, key)
    return (False, key)


def _within(one: str, other: Optional[str]) -> Optional[bool]:
    """Whether a range lies inside another; None when one of them is none."""
    try:
        inner, outer = _ports.parse_range(one), _ports.parse_range(other or "")
    except _ports.PortListError:
        return None
    return outer.low <= inner.low and inner.high <= outer.high


def _refuse_narrower(running: Mapping[str, str], before: Mapping[str, Optional[str]]) -> None:
    """The number of quadruplets is never made smaller, but by undoing what made it larger."""
    if _RANGE not in running:
        return
    wanted, present = _ports.parse_range(running[_RANGE]), _ports.parse_range(before[_RANGE] or "")
    if wanted.high - wanted.low < present.high - present.low:
        raise RequestError(
            "%s = %s has fewer ports than the running %s: it would take quadruplets away; give a range that is no"
            " narrower, or use rollback or state: absent to undo what widened it"
            % (keys.dotted(_RANGE), running[_RANGE], before[_RANGE])
        )


def _present_keys(host: Host) -> FrozenSet[str]:
    return frozenset(key for key, value in host.running.items() if value is not None)


def _held_by_tuned(solved: List[edit.Conflict]) -> List[str]:
    """A TuneD that runs has loaded the line already: when it stops it puts back what was there before it started."""
    places = sorted({
        "%s:%d" % (one.statement.path, one.statement.line)
        for one in solved
        if one.loader == loader_tuned.NAME and os.path.basename(one.statement.path) == loader_tuned.PROFILE_FILE
    })
    if not places:
        return []
    return [
        "%s: a TuneD that runs still holds this line, and when it is stopped or restarted puts back, once, the value"
        " from before its start; restart it when it suits (systemctl restart tuned), then run this again"
        % ", ".join(places)
    ]


def _objections(asked: request.Request, left: List[edit.Conflict]) -> List[str]:
    """Warnings about lines that stay.

    :raises RequestError: where they were not to be ignored.
    """
    told = []
    for one in left:
        why = one.left or "conflicts: fail"
        told.append("%s:%d sets %s (%s)" % (one.statement.path, one.statement.line, keys.dotted(one.key), why))
    told = sorted(set(told))
    if not told:
        return []
    if asked.conflicts == request.IGNORE:
        return ["%s, and would win" % line if asked.state == request.PRESENT else line for line in told]
    more = "; and %d more" % (len(told) - _SHOWN_LINES) if len(told) > _SHOWN_LINES else ""
    raise RequestError(
        "the files of others would win: %s%s; change them, or go on with conflicts: ignore%s"
        % ("; ".join(told[:_SHOWN_LINES]), more, " or comment" if asked.conflicts == request.FAIL else "")
    )
