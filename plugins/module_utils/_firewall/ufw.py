# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ufw: rules beside those of the existing port in its files, and its chains then set to what the files say.

One run of iptables-restore over a file replaces the chains at once, so that no connection is refused meanwhile. It is
what ufw itself does after it has inserted a rule, and at boot; undoing is the same run over the old file. ufw's own
commands would write the whole file anew, and ``ufw reload`` takes all chains away before it makes them again.
"""

import re
from typing import List, NamedTuple, Optional, Sequence, Tuple

from .._files import FileError, Files, MissingFileError
from .._ports import listed
from .._programs import Programs
from .._transaction.steps import RunCommand, Step, WriteFile
from . import ufw_rules
from .opening import Opening, joined, nothing
from .ufw_rules import RulesFileError

NAME = "ufw"
_SECONDS = 60
_DEFAULTS = "/etc/default/ufw"
#: ufw says of its chains whether it has been started: without them, nothing may make them
_APPLY = '"$1" -n -L "$2" > /dev/null 2>&1 || exit 0; rules=$3; shift 3; exec "$@" < "$rules"'
_WAITS = (1, 6, 2)  # since when iptables-restore can wait for others
_COMMENTS = (0, 35)


class _Family(NamedTuple):
    iptables: str
    chain: str
    path: str


_FAMILIES = (
    _Family("iptables", "ufw-user-input", "/etc/ufw/user.rules"),
    _Family("ip6tables", "ufw6-user-input", "/etc/ufw/user6.rules"),
)


def open_ports(files: Files, programs: Programs, existing_port: int, ports: Sequence[int]) -> Opening:
    """For each rule that names the existing port, the like for the new ones, behind it."""
    seen = programs.look("ufw", "status")
    if seen is None:
        return nothing()
    if seen.problem:
        told = "ufw cannot be asked (%s): so whether it bars ports %s cannot be told"
        return nothing(told % (seen.problem, listed(ports)))
    if not re.search(r"(?m)^Status: active\b", seen.output):
        return nothing()
    version = programs.look("ufw", "version")
    if version is None or _version(version.output) < _COMMENTS:
        return nothing("ufw is older than 0.35 and has no comments: ports %s are not opened; ufw allow PORT/tcp does"
                       % listed(ports))
    return joined([_open_in(family, files, programs, existing_port, ports) for family in _FAMILIES])


def close_ports(files: Files, programs: Programs, existing_port: int, ports: Sequence[int]) -> Opening:
    """The rules that carry the mark for these ports go, from the files also when ufw is off."""
    found = []
    for family in _FAMILIES:
        try:
            content = files.read_bytes(family.path)
            edited = ufw_rules.taken_out(content, existing_port, ports)
        except MissingFileError:
            continue
        except (FileError, RulesFileError) as error:
            found.append(nothing("%s is left alone: %s" % (family.path, _reason(error))))
            continue
        if edited != content:
            running = programs.look(family.iptables, "-S", family.chain)
            on = running is not None and not running.problem
            edit = _Edit(content, edited, running.output if running and on else None)
            found.append(_apply(family, programs, edit, ports))
    return joined(found)


def _open_in(
    family: _Family, files: Files, programs: Programs, existing_port: int, ports: Sequence[int]
) -> Opening:
    running = programs.look(family.iptables, "-S", family.chain)
    if running is None or running.problem:
        return nothing()  # IPV6=no: ufw has no such chain then
    try:
        content = files.read_bytes(family.path)
        others = ufw_rules.parse(ufw_rules.taken_out(content, existing_port))
        wanted = sorted({*ufw_rules.marked_ports(ufw_rules.parse(content), existing_port), *ports})
        if not _lets_through(others.rules, existing_port) and not _accepts_all(files):
            return nothing()
        cloned = ufw_rules.cloned(ufw_rules.taken_out(content, existing_port), existing_port, wanted)
    except (FileError, RulesFileError) as error:
        return nothing("ufw: ports %s are not opened: %s: %s" % (listed(ports), family.path, _reason(error)))
    done = _apply(family, programs, _Edit(content, cloned.content, running.output), wanted)
    advice = [
        "ufw: a rule in %s is left alone (%s); see whether ports %s need the like" % (family.path, text, listed(ports))
        for text in cloned.odd
    ]
    return done._replace(advice=done.advice + advice)


def _lets_through(rules: Sequence[ufw_rules.Rule], port: int) -> bool:
    return any(rule.concerns(port) and rule.incoming and rule.action in ("allow", "limit") for rule in rules)


def _accepts_all(files: Files) -> bool:
    """Then a rule that bars somebody from the existing port has to bar it from the new ones."""
    try:
        return bool(re.search(r"(?m)^\s*DEFAULT_INPUT_POLICY=[\"']?ACCEPT\b", files.read_text(_DEFAULTS)))
    except FileError:
        return False


class _Edit(NamedTuple):
    """A file now and then. ``running``: the chain as it is, None where ufw is off."""

    before: bytes
    after: bytes
    running: Optional[str]


def _apply(family: _Family, programs: Programs, edit: _Edit, ports: Sequence[int]) -> Opening:
    """Write a file and set the chains to it; not where that would change more than the ports."""
    if edit.running is not None and not _in_step(family, edit, edit.running, ports):
        return nothing(
            "ufw: chain %s does not run as %s says, so nothing is opened or closed in it for ports %s: see which of "
            "the two is right (ufw reload loads the file), then try again" % (family.chain, family.path, listed(ports))
        )
    if edit.before == edit.after:
        return nothing()
    steps: List[Step] = [WriteFile(family.path, edit.after, 0o640)]
    command = programs.find(family.iptables)
    restore = programs.find(family.iptables + "-restore")
    if command and restore:
        wait = ("-w", "10") if _version(_output(programs, family.iptables, "-V")) >= _WAITS else ()
        argv = ("sh", "-c", _APPLY, "sh", command, family.chain, family.path, restore, *wait, "-n")
        steps.append(RunCommand(argv, argv, _SECONDS))
    return Opening(steps, [NAME], [])


def _in_step(family: _Family, edit: _Edit, running: str, ports: Sequence[int]) -> bool:
    """Whether what runs is what the file says.

    In check mode after a run that was killed the chain may be a step ahead, as far as our ports go.
    """
    loaded = ufw_rules.essences(running, family.chain)
    written = ufw_rules.essences(edit.before.decode("latin-1"), family.chain)
    if edit.before == edit.after:
        return loaded == written
    ours = {str(port) for port in ports}
    return [one for one in loaded if one.ports not in ours] == [one for one in written if one.ports not in ours]


def _output(programs: Programs, *argv: str) -> str:
    seen = programs.look(*argv)
    return seen.output if seen else ""


def _version(text: str) -> Tuple[int, ...]:
    match = re.search(r"\d+(?:\.\d+)+", text)
    return tuple(int(part) for part in match.group().split(".")) if match else ()


def _reason(error: Exception) -> str:
    return error.reason if isinstance(error, FileError) else str(error)
