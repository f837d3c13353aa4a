# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The facts about sysctl files: each line, and what wins for each key."""

from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Set, Tuple, Union

from .._kernel import sysctls
from . import decided, keys, loader_procps, loader_systemd, loaders, precedence, scripts, values
from .files import Files
from .reading import Reading
from .statement import Statement

Facts = Dict[str, Any]
Problem = Dict[str, str]
Outcomes = Dict[str, precedence.Outcome]

#: they load what is meant for the whole system; what the others leave out, they leave to these
_GENERAL = (loader_systemd.NAME, loader_procps.NAME)
_MOST_LINES = 500
_LONGEST_TEXT = 200

#: key of the facts -> path below /proc/sys
_PATHS = {name: path[len("/proc/sys/") :] for name, path in sysctls.FILES.items()}


class _Read(NamedTuple):
    """One loader, and what it does about each key."""

    reading: Reading
    outcomes: Outcomes


def describe(files: Files, running: Mapping[str, Union[int, str, None]]) -> Tuple[Facts, List[Problem]]:
    """``(facts, problems)``: ``sysctl_files`` and ``sysctl_persisted`` of docs/schema.md.

    :param running: running values by the names of the facts; None for a key that the kernel lacks, absent for one that
        could not be read.
    """
    absent = frozenset(_PATHS[name] for name, value in running.items() if value is None)
    followed = keys.Followed(frozenset(keys.OURS), frozenset(keys.OURS) - absent)
    found = [_Read(one, precedence.outcomes(one, followed)) for one in loaders.read_all(files)]
    in_scripts = scripts.find(files)
    problems = [
        {"what": "sysctl_files", "reason": "%s: %s" % (one.reading.loader, problem)}
        for one in found
        for problem in one.reading.problems
    ]
    problems += [{"what": "sysctl_files", "reason": "scripts: %s" % problem} for problem in in_scripts.problems]
    lines = [line for one in found for line in _lines(one)]
    if len(lines) > _MOST_LINES:
        reason = "%d lines about these keys are more than are told: the first %d" % (len(lines), _MOST_LINES)
        problems.append({"what": "sysctl_files", "reason": reason})
    facts = {
        "sysctl_files": lines[:_MOST_LINES],
        "sysctl_persisted": {
            "loaders": [_loader(one.reading) for one in found],
            "keys": _keys(found, in_scripts.lines, running),
            "scripts": [
                {"path": one.path, "line": one.line, "key": keys.dotted(one.key), "value": _text(one.value)}
                for one in in_scripts.lines
            ],
        },
    }
    return facts, _unique(problems)


def _loader(found: Reading) -> Facts:
    return {
        "name": found.loader,
        "evidence": _text(found.evidence),
        "at_boot": found.at_boot,
        "complete": not found.problems,
        "files": [_text(path) for path in found.files],
        "hidden": [_text(path) for path in found.hidden],
        "skipped": [
            {"path": _text(one.path), "line": one.line, "reason": one.reason} for one in found.skipped[:_MOST_LINES]
        ],
    }


def _lines(one: _Read) -> List[Facts]:
    """Every line about one of our keys, a pattern once for each key that it is about, in the order of reading."""
    order = {id(statement): index for index, statement in enumerate(one.reading.statements)}
    found = []
    for path, outcome in one.outcomes.items():
        for statement in [*outcome.losers, *([outcome.winner] if outcome.winner else [])]:
            fact = {
                "path": _text(statement.path),
                "line": statement.line,
                "key": keys.dotted(path),
                "value": _text(statement.value),
                "loader": one.reading.loader,
                "wins": statement is outcome.winner,
            }
            if statement.target != path:
                fact["pattern"] = _text(keys.dotted(statement.target))
            found.append((order.get(id(statement), 0), path, fact))
    return [fact for _order, _path, fact in sorted(found, key=lambda entry: entry[:2])]


def _keys(
    found: List[_Read], in_scripts: List[scripts.ScriptLine], running: Mapping[str, Union[int, str, None]]
) -> Dict[str, Facts]:
    facts = {}
    scripted = {one.key for one in in_scripts}
    for name, path in sorted(_PATHS.items()):
        outcomes = {one.reading.loader: one.outcomes[path] for one in found if path in one.outcomes}
        if not outcomes and path not in scripted:
            continue
        last = decided.last_word(found, path)
        runs = running.get(name)
        persisted = last[1].value if last else None
        drift = None
        if last and last[1].sure and persisted is not None and runs is not None:
            same = values.same(path, persisted, str(runs))
            drift = None if same is None else not same
        facts[keys.dotted(path)] = {
            "in_kernel": runs is not None if name in running else None,
            "loaders": {loader: _outcome(outcome) for loader, outcome in outcomes.items()},
            "agree": _agree(found, path),
            "persisted": _text(persisted),
            "persisted_by": last[0] if last else None,
            "running": runs,
            "drift": drift,
        }
    return facts


def _outcome(outcome: precedence.Outcome) -> Facts:
    return {
        "value": _text(outcome.value),
        "sure": outcome.sure,
        "winner": _place(outcome.winner) if outcome.winner else None,
        "losers": [_place(one) for one in outcome.losers],
    }


def _place(statement: Statement) -> Facts:
    return {"path": _text(statement.path), "line": statement.line, "value": _text(statement.value)}


def _agree(found: List[_Read], path: str) -> Optional[bool]:
    """Whether every loader would leave the same; None when that is not sure.

    One for the whole system that does not set a key that another one for the whole system sets does not agree.
    """
    general: Set[Optional[str]] = set()
    others: Set[Optional[str]] = set()
    for one in found:
        outcome = one.outcomes.get(path)
        if not (outcome.sure if outcome else not one.reading.problems):
            return None
        value = outcome.value if outcome else None
        (general if one.reading.loader in _GENERAL else others).add(value)
    return len(general) <= 1 and len((general | others) - {None}) <= 1


def _text(text: Optional[str]) -> Optional[str]:
    """For JSON: bytes that were no UTF-8 replaced, and not too long."""
    if text is None:
        return None
    plain = text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return plain if len(plain) <= _LONGEST_TEXT else plain[:_LONGEST_TEXT] + "…"


def _unique(problems: List[Problem]) -> List[Problem]:
    found: List[Problem] = []
    for problem in problems:
        text = {"what": problem["what"], "reason": str(_text(problem["reason"]))}
        if text not in found:
            found.append(text)
    return found
