# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Family TW-SYS: what sysctl files make of the host at its next boot, and who else sets what they set."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping

from .facts_reader import Facts
from .persisted_reader import FileLine, Persisted, PersistedKey
from .rule import HOST, Match, Remedy, Rule

Thresholds = Mapping[str, float]

_RECYCLE = "net.ipv4.tcp_tw_recycle"
#: where the modules of this collection write
_OURS = re.compile(r"/etc/sysctl\.d/z{2,}-tcpops-timewait\.conf\Z")
_SHOWN = 8


def _dangerous_recycle(facts: Facts, _thresholds: Thresholds) -> Match | None:
    persisted = facts.persisted
    if persisted is None or _has_recycle(persisted) is not True:
        return None
    lines = [line for line in _recycle_lines(persisted) if line.value != "0"]
    if not lines:
        return None
    return _recycle_match(lines, 1.0 if any(line.wins for line in lines) else 0.5)


def _dead_recycle(facts: Facts, _thresholds: Thresholds) -> Match | None:
    persisted = facts.persisted
    if persisted is None or _has_recycle(persisted) is not False:
        return None
    lines = _recycle_lines(persisted)
    return _recycle_match(lines, 0.0) if lines else None


def _has_recycle(persisted: Persisted) -> bool | None:
    """Whether the kernel has the key; None where no line is about it, or the host did not tell."""
    return next((key.in_kernel for key in persisted.keys if key.key == _RECYCLE), None)


def _recycle_lines(persisted: Persisted) -> list[FileLine]:
    """Lines that set it; those that only keep it out of a pattern set nothing."""
    lines = [line for line in persisted.lines if line.key == _RECYCLE and line.value is not None]
    return lines + [line for line in persisted.scripts if line.key == _RECYCLE]


def _recycle_match(lines: list[FileLine], weight: float) -> Match:
    note = "Comment these lines out, or set them to 0 where an old kernel may still boot."
    remedy = Remedy(None, note, "remove_tw_recycle")
    return Match(_RECYCLE, _evidence(_line_text(line) for line in lines), remedy, weight)


def _drift(facts: Facts, _thresholds: Thresholds) -> Match | None:
    keys = _where(facts, lambda key: key.drift is True)
    if not keys:
        return None
    evidence = []
    for key in keys:
        place = next((one.place for one in key.loaders if one.loader == key.persisted_by), None)
        evidence.append(f"{key.key} runs with {key.running}; {place or key.persisted_by} says {key.persisted}")
    note = "Decide which of the two is meant: write it to the file, or set it with sysctl -w. A reboot takes the file."
    return Match(_subject(keys), _evidence(evidence), Remedy(None, note))


def _disagreement(facts: Facts, _thresholds: Thresholds) -> Match | None:
    keys = _where(facts, lambda key: key.agree is False)
    if not keys:
        return None
    evidence = []
    for key in keys:
        said = [f"{one.loader} {f'{one.value} ({one.place})' if one.place else 'nothing'}" for one in key.loaders]
        evidence.append(f"{key.key}: " + ", ".join(said) + ("" if len(said) > 1 else "; the others nothing"))
    note = (
        "systemd-sysctl runs at boot; sysctl --system runs when people or packages call it, and reads /etc/sysctl.conf"
        " last. Keep one line for each key, in a file below /etc/sysctl.d."
    )
    return Match(_subject(keys), _evidence(evidence), Remedy(None, note))


def _beaten(facts: Facts, _thresholds: Thresholds) -> Match | None:
    persisted = facts.persisted
    if persisted is None:
        return None
    winners = {(line.loader, line.key): line for line in persisted.lines if line.wins}
    evidence = []
    beaten = []
    for line in persisted.lines:
        winner = winners.get((line.loader, line.key))
        if line.wins or not _OURS.match(line.path) or (winner and _OURS.match(winner.path)):
            continue
        beaten.append(line)
        by = _line_text(winner) if winner else "no line sets it in the end"
        evidence.append(f"{line.key} = {line.value} in {line.place} loses under {line.loader}: {by}")
    if not beaten:
        return None
    note = "Run the role or module again that wrote our file: it comments such a line out, or says why it cannot."
    return Match(beaten[0].path, _evidence(evidence), Remedy(None, note))


def _where(facts: Facts, wanted: Callable[[PersistedKey], bool]) -> list[PersistedKey]:
    return [key for key in (facts.persisted.keys if facts.persisted else []) if wanted(key)]


def _subject(keys: list[PersistedKey]) -> str:
    return keys[0].key if len(keys) == 1 else f"{keys[0].key} and {len(keys) - 1} more"


def _line_text(line: FileLine) -> str:
    who = f"{line.loader}{', wins' if line.wins else ''}" if line.loader else "script"
    return f"{line.place} sets {'a value made by the script' if line.value is None else line.value} ({who})"


def _evidence(lines: Iterable[str]) -> list[str]:
    found = list(dict.fromkeys(lines))
    return found if len(found) <= _SHOWN else [*found[:_SHOWN], f"and {len(found) - _SHOWN} more"]


RULES = (
    Rule(
        id="TW-SYS-014",
        severity="HIGH",
        title="A file turns tcp_tw_recycle on",
        scope=HOST,
        when="A line of a sysctl file or of a script sets `tcp_tw_recycle` to anything but 0, and the kernel has it.",
        why=(
            "When the host boots, or somebody loads the files, clients behind NAT cannot connect any more, or are"
            " dropped at random. Whether the line wins today is a matter of which loader runs last."
        ),
        reference="tcp_tw_recycle: 95a22caee396 (4.10), 4396e46187ca (4.12); sysctl.d(5)",
        check=_dangerous_recycle,
        needs=frozenset({"sysctl_files"}),
    ),
    Rule(
        id="TW-SYS-015",
        severity="LOW",
        title="A file sets tcp_tw_recycle, which this kernel does not have",
        scope=HOST,
        when="A line of a sysctl file or of a script sets `tcp_tw_recycle`, and the kernel has no such key.",
        why=(
            "sysctl says an error for it and fails, at boot and in every script that loads the files; the same line"
            " is dangerous where an older kernel boots."
        ),
        reference="tcp_tw_recycle was removed by 4396e46187ca (4.12)",
        check=_dead_recycle,
        needs=frozenset({"sysctl_files"}),
    ),
    Rule(
        id="TW-SYS-016",
        severity="MEDIUM",
        title="A running value is not the one in the files",
        scope=HOST,
        when="A sysctl about TIME-WAIT or ports has another value than the loaders that run at boot would leave.",
        why="The next boot changes it, and nobody will think of this change when the host behaves otherwise after it.",
        reference="sysctl.d(5), systemd-sysctl.service(8), sysctl(8)",
        check=_drift,
        needs=frozenset({"sysctl_files"}),
    ),
    Rule(
        id="TW-SYS-017",
        severity="LOW",
        title="The loaders of sysctl files disagree",
        scope=HOST,
        when=(
            "Two of systemd-sysctl, `sysctl --system`, ufw and TuneD leave different values of one key; the first two"
            " also when only one of them sets it."
        ),
        why=(
            "Each reads other files, or the same ones in another order. Which value runs depends on who loaded them"
            " last: a boot, a package's script, a reload of the firewall or a change of profile."
        ),
        reference="sysctl.d(5), sysctl(8), tuned.conf(5), ufw-framework(8)",
        check=_disagreement,
        needs=frozenset({"sysctl_files"}),
    ),
    Rule(
        id="TW-SYS-018",
        severity="MEDIUM",
        title="A file of somebody else's beats the one of this collection",
        scope=HOST,
        when="A line of `/etc/sysctl.d/zz-tcpops-timewait.conf` loses under a loader, to a line of another file.",
        why="What was put right there comes back wrong, at the next boot or when that loader runs.",
        reference="sysctl.d(5), sysctl(8)",
        check=_beaten,
        needs=frozenset({"sysctl_files"}),
    ),
)
