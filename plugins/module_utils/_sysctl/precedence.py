# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which line wins, by the rules of each loader."""

from collections import OrderedDict
from typing import Dict, List, NamedTuple, Optional

from . import keys, reading, values
from .statement import Statement


class Outcome(NamedTuple):
    """What one loader does about one key.

    ``winner`` sets the value that stays; None when no line does. ``losers`` are the other lines about the key: those
    that a later one overrides, those that the kernel refuses, and those that keep it out of a pattern. ``value`` is
    what the kernel shows in the end; None when nothing is set. ``sure`` is False when the value depends on more than
    the files.
    """

    winner: Optional[Statement]
    losers: List[Statement]
    value: Optional[str]
    sure: bool

    def leaves(self, value: Optional[str]) -> bool:
        """Whether a line sets this value, and nothing but the kernel can make it another."""
        return self.winner is not None and self.winner.sure and self.value == value


def outcomes(found: reading.Reading, followed: keys.Followed) -> Dict[str, Outcome]:
    """The outcome of each key asked for that any line of the loader is about."""
    patterns = found.rule in (reading.SYSTEMD, reading.PROCPS_4)
    if found.rule in (reading.SYSTEMD, reading.SYSTEMD_BEFORE_PATTERNS):
        writes = _writes_systemd(found.statements, followed, patterns)
    elif found.rule == reading.PROCPS_4:
        writes = _writes_procps_4(found.statements, followed)
    else:
        writes = _writes_in_order(found.statements, followed)
    about = _about(found.statements, followed, patterns)
    complete = not found.problems
    return {path: _decide(path, writes.get(path, []), lines, complete) for path, lines in sorted(about.items())}


def _decide(path: str, writes: List[Statement], about: List[Statement], complete: bool) -> Outcome:
    """The last write that the kernel takes stays; one that it refuses changes nothing."""
    for statement in reversed(writes):
        shown = values.shown(path, statement.value or "")
        if shown.text is None and statement.sure:
            continue
        return Outcome(
            statement,
            [one for one in about if one is not statement],
            statement.value if shown.text is None else shown.text,
            complete and statement.sure and shown.sure,
        )
    return Outcome(None, about, None, complete)


def _about(statements: List[Statement], followed: keys.Followed, patterns: bool) -> Dict[str, List[Statement]]:
    found: Dict[str, List[Statement]] = {}
    for statement in statements:
        for path in _keys_of(statement, followed, patterns):
            found.setdefault(path, []).append(statement)
    return found


def _keys_of(statement: Statement, followed: keys.Followed, patterns: bool) -> List[str]:
    if patterns and keys.is_pattern(statement.target):
        # an exception from patterns is no pattern itself
        both = followed.asked & followed.present
        return [] if statement.value is None else keys.matching(statement.target, sorted(both))
    return [statement.target] if statement.target in followed.asked else []


def _writes_systemd(
    statements: List[Statement], followed: keys.Followed, patterns: bool
) -> Dict[str, List[Statement]]:
    """A later line replaces an earlier one of the same key or pattern; a key by name beats any pattern (``apply_all``).

    Patterns are applied in the order of the lines that are left. A line with the value of the earlier one leaves it in
    its place.
    """
    table: "OrderedDict[str, Statement]" = OrderedDict()
    for statement in statements:
        earlier = table.get(statement.target)
        if earlier is None or earlier.value != statement.value:
            table.pop(statement.target, None)
        table[statement.target] = statement
    writes: Dict[str, List[Statement]] = {}
    for statement in table.values():
        if statement.value is None:
            continue
        for path in _keys_of(statement, followed, patterns):
            if path == statement.target or path not in table:
                writes.setdefault(path, []).append(statement)
    return writes


def _writes_procps_4(statements: List[Statement], followed: keys.Followed) -> Dict[str, List[Statement]]:
    """Every line is written in turn, but a pattern leaves out what any line names, also one that comes later
    (``write_setting_list``). A line without a value only takes keys out of patterns."""
    named = {statement.target for statement in statements}
    writes: Dict[str, List[Statement]] = {}
    for statement in statements:
        if statement.value is None:
            continue
        for path in _keys_of(statement, followed, True):
            if path == statement.target or path not in named:
                writes.setdefault(path, []).append(statement)
    return writes


def _writes_in_order(statements: List[Statement], followed: keys.Followed) -> Dict[str, List[Statement]]:
    writes: Dict[str, List[Statement]] = {}
    for statement in statements:
        if statement.target in followed.asked and statement.value is not None:
            writes.setdefault(statement.target, []).append(statement)
    return writes
