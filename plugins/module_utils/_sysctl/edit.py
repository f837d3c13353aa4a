# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which files to change so that every loader of the host leaves a wanted value. Nothing is changed here.

The result is checked before it is given: each step asks all loaders what they would do with the files as edited so far.
"""

import os
from typing import AbstractSet, Dict, List, Mapping, NamedTuple, Optional, Tuple

from . import comment, drop_in, keys, loader_systemd, loaders, precedence, values
from .errors import AbsentError
from .files import ChangedFiles, Files
from .statement import Statement

#: packages own these; what is in sysctl.d there can be overridden by a file of the same name in /etc
_VENDOR = ("/usr/", "/lib/")
_VOLATILE = "/run/"
_MOST_STEPS = 1000

Edits = Dict[str, Optional[bytes]]


class Style(NamedTuple):
    """How to write. ``header``: comment on top of our drop-in. ``date``: for the comments, ``2026-11-22``.

    ``comment_out``: whether lines of others may be made comments."""

    header: str
    date: str
    comment_out: bool = True


class Conflict(NamedTuple):
    """A line of somebody else's: under a loader it would win over ours, or keep ours from being set.

    ``left`` is why it stays as it is; empty where it does not.
    """

    loader: str
    key: str
    statement: Statement
    left: str


class Plan(NamedTuple):
    """``path``: our drop-in. ``edits``: new content by path, None for a file to be taken away; only real changes.

    ``solved``: the lines that these edits make comments, or whose file they override. ``left``: those that still win.
    """

    path: str
    edits: Edits
    solved: List[Conflict]
    left: List[Conflict]


def plan(files: Files, wanted: Mapping[str, Optional[str]], present: AbstractSet[str], style: Style) -> Plan:
    """Edits after which each wanted value wins under every loader that the host has.

    :param wanted: values by path below /proc/sys; None takes our line for the key away, and what others say counts.
    :param present: paths of all keys that the kernel has and that matter to patterns, the wanted ones among them.
    :raises FileReadError: when a file that a loader reads cannot be read: nothing could be promised.
    :raises ValueError: when a key or value cannot stand in a sysctl file, or the kernel would refuse the value.
    """
    aims = {key: value for key, value in wanted.items() if value is not None}
    for key, value in aims.items():
        if values.shown(key, value).text is None:
            raise ValueError("%s = %s: the kernel refuses the value" % (keys.dotted(key), value))
    edits, path = _our_edits(files, wanted, style.header)
    solved: List[Conflict] = []
    left: List[Conflict] = []
    for _step in range(_MOST_STEPS):
        found = _first_conflict(ChangedFiles(files, edits), aims, present, left)
        if found is None:
            break
        why_not = "lines of others are not to be commented out"
        if style.comment_out:
            reason = "%s = %s is set in %s, and this line would win under %s" % (
                keys.dotted(found.key), aims[found.key], path, found.loader)
            why_not = _take_out(files, edits, found.statement, reason, style.date)
        (left if why_not else solved).append(found._replace(left=why_not))
    return Plan(path, edits, solved, left)


def remove_key(files: Files, key: str, reason: str, date: str) -> Plan:
    """Edits after which no loader reads a line that names a key, so that none complains of a key that is gone.

    :param key: path below /proc/sys.
    :param reason: for the comments, a sentence without line ends.
    :param date: for the comments, ``2026-11-22``.
    :raises FileReadError: when a file that a loader reads cannot be read.
    """
    edits, path = _our_edits(files, {key: None}, "")
    solved: List[Conflict] = []
    left: List[Conflict] = []
    for _step in range(_MOST_STEPS):
        found = _first_naming(ChangedFiles(files, edits), key, left)
        if found is None:
            break
        why_not = _take_out(files, edits, found.statement, reason, date)
        (left if why_not else solved).append(found._replace(left=why_not))
    return Plan(path, edits, solved, left)


def winner_after(
    files: Files, edits: Mapping[str, Optional[bytes]], followed: keys.Followed
) -> Dict[str, Dict[str, precedence.Outcome]]:
    """Outcomes by loader and key as they would be after some edits."""
    after = ChangedFiles(files, edits)
    return {one.loader: precedence.outcomes(one, followed) for one in loaders.read_all(after)}


def _first_conflict(
    files: Files, aims: Mapping[str, str], present: AbstractSet[str], settled: List[Conflict]
) -> Optional[Conflict]:
    """A line because of which a loader would not leave what is aimed at, and of which nothing was said yet."""
    said = {(one.loader, one.key, one.statement) for one in settled}
    for reading in loaders.read_all(files):
        if reading.problems:
            raise reading.problems[0]
        outcomes = precedence.outcomes(reading, keys.Followed(frozenset(aims), frozenset(present)))
        for key, value in sorted(aims.items()):
            outcome = outcomes.get(key)
            # a loader with files of its own that does not set the key leaves what others set
            if outcome is None or outcome.leaves(values.shown(key, value).text):
                continue
            # where no line wins, the last one took ours out of what is set
            line = outcome.winner or outcome.losers[-1]
            if (reading.loader, key, line) not in said:
                return Conflict(reading.loader, key, line, "")
    return None


def _first_naming(files: Files, key: str, settled: List[Conflict]) -> Optional[Conflict]:
    said = {one.statement for one in settled}
    for reading in loaders.read_all(files):
        if reading.problems:
            raise reading.problems[0]
        for line in reading.statements:
            if line.target == key and line not in said:
                return Conflict(reading.loader, key, line, "")
    return None


def _take_out(files: Files, edits: Edits, statement: Statement, reason: str, date: str) -> str:
    """Add the edit that makes a line a comment. The answer is why that cannot be; empty when it was done."""
    if not statement.editable:
        return "it goes on over several lines"
    target = files.real(statement.path)
    if target.startswith(_VENDOR):
        if os.path.dirname(statement.path) not in loader_systemd.FOLDERS:
            return "its file belongs to a package: copy it to /etc under the same name and edit it there"
        target = "%s/%s" % (drop_in.FOLDER, os.path.basename(statement.path))
    elif target.startswith(_VOLATILE):
        return "its file is made anew at each boot: change what makes it"
    content = ChangedFiles(files, edits).read(statement.path)
    edits[target] = comment.comment_line(content, statement.line, reason, date)
    return ""


def _our_edits(files: Files, wanted: Mapping[str, Optional[str]], header: str) -> Tuple[Edits, str]:
    """``(edits of our own drop-ins, path of the one that stays)``."""
    there = drop_in.ours(files)
    merged: Dict[str, str] = {}
    for path in there:
        merged.update(drop_in.read_values(path, files.read(path)))
    if all(merged.get(key) == value for key, value in wanted.items()) and there == [drop_in.best_path(files)]:
        return {}, there[0]
    for key, value in wanted.items():
        merged.pop(key, None)
        if value is not None:
            merged[key] = value
    path = drop_in.best_path(files)
    edits: Edits = {one: None for one in there if one != path}
    text = drop_in.render(merged, header) if merged else None
    try:
        before: Optional[bytes] = files.read(path)
    except AbsentError:
        before = None
    if text != before:
        edits[path] = text
    return edits, path
