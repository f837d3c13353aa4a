# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""New ports get the type of the existing one, where SELinux is enforced.

``semanage`` writes into the policy's store and loads it. The store is a database of its own: so it is no file of the
transaction, and undoing is the opposite command, which looks first whether there is anything to undo.
"""

from typing import List, NamedTuple, Optional, Sequence, Tuple

from .. import _opened_record
from .._files import FileError, Files
from .._ports import listed
from .._programs import PROGRAMS, Programs, Seen
from .._transaction.errors import TransactionError
from .._transaction.steps import RunCommand, Step
from . import port_types
from .port_types import PortType

NAME = "selinux"
_ENFORCE = "/sys/fs/selinux/enforce"
_SEMANAGE = "semanage"
#: it builds the whole policy anew
_SECONDS = 180
#: $1 semanage, $2 what the administrator's entry looks like when there is something to do; a list that cannot be had
#: is a failure, and an entry that is gone is none
_IF_LISTED = (
    'listed=$("$1" port -l -C -n) || exit 1; printf "%s\\n" "$listed" | grep -Eq "$2" || exit 0; '
    'program=$1; shift 2; exec "$program" "$@"'
)
#: $3 the type, $4 the port
_UNLESS_LISTED = (
    'listed=$("$1" port -l -C -n) || exit 1; printf "%s\n" "$listed" | grep -Eq "$2" && exit 0; '
    '"$1" port -a -t "$3" -p tcp "$4" > /dev/null 2>&1 || exec "$1" port -m -t "$3" -p tcp "$4"'
)


class Typed(NamedTuple):
    """A port that this collection gave a type. ``before``: the administrator's own type of that time, or empty."""

    existing_port: int
    port: int
    type: str
    before: str


def allow_ports(
    files: Files, existing_port: int, ports: Sequence[int], programs: Programs = PROGRAMS
) -> Tuple[List[Step], List[str]]:
    """``(steps, advice)``: no step where SELinux is not enforced, or the ports have the type already.

    :raises TransactionError: when semanage is needed and missing, or fails.
    """
    wanted = sorted(set(ports) - {existing_port})
    if not wanted or not _is_enforced(files):
        return [], []
    program = programs.find(_SEMANAGE)
    if program is None:
        raise TransactionError(
            "SELinux is enforced, and whether port %s may be listened on cannot be told without semanage: install it "
            "(dnf install policycoreutils-python-utils), then run this again" % listed(wanted)
        )
    entries, local = _list(programs), _list(programs, "-C")
    existing = port_types.of_port(entries, local, existing_port)
    new: List[Typed] = []
    steps: List[Step] = []
    advice: List[str] = []
    for port in wanted:
        present = port_types.of_port(entries, local, port)
        if existing is None or (present and present.type == existing.type):
            continue
        advice += _cautions(port, present, existing_port, existing)
        if port_types.is_generic(existing):
            continue
        before = _exact(local, port)
        known = bool(before or _exact(entries, port))
        new.append(Typed(existing_port, port, existing.type, before.type if before else ""))
        steps.append(_command(program, new[-1], known))
    record = _opened_record.read(files, NAME, Typed) if steps else []
    merged = _opened_record.merged(record, new, ("existing_port", "port"))
    return _opened_record.steps(NAME, record, merged) + steps, advice


def forget_ports(
    files: Files, existing_port: int, ports: Sequence[int], programs: Programs = PROGRAMS
) -> Tuple[List[Step], List[str]]:
    """``(steps, advice)``: what ``allow_ports`` added goes, also where SELinux is not enforced any more.

    :raises TransactionError: when semanage fails.
    """
    record = _opened_record.read(files, NAME, Typed)
    ours = [entry for entry in record if entry.existing_port == existing_port and entry.port in ports]
    if not ours:
        return [], []
    program = programs.find(_SEMANAGE)
    if program is None:
        return [], [
            "ports %s keep the types of SELinux that they were given, since semanage is gone: install it (dnf install "
            "policycoreutils-python-utils), then run this again" % listed(entry.port for entry in ours)
        ]
    local = _list(programs, "-C")
    steps: List[Step] = []
    for entry in ours:
        present = _exact(local, entry.port)
        if present and present.type == entry.type:
            again = ("sh", "-c", _UNLESS_LISTED, "sh", program, _pattern(entry), entry.type, str(entry.port))
            steps.append(RunCommand(_takes_back(program, entry), again, _SECONDS))
    left = [entry for entry in record if entry not in ours]
    return _opened_record.steps(NAME, record, left) + steps, []


def _cautions(port: int, present: Optional[PortType], existing_port: int, existing: PortType) -> List[str]:
    """What a port that belongs to another service may cost."""
    if present is None or port_types.is_generic(present):
        return []
    if port_types.is_generic(existing):
        told = "SELinux: port %d has the type %s and port %d none of its own: if the server is refused, take another"
        return [told % (port, present.type, existing_port)]
    told = "SELinux: port %d had the type %s and gets %s: who listened on it for that type may not any more"
    return [told % (port, present.type, existing.type)]


def _is_enforced(files: Files) -> bool:
    try:
        return files.read_text(_ENFORCE).strip() == "1"
    except FileError:
        return False


def _list(programs: Programs, *options: str) -> List[PortType]:
    seen: Optional[Seen] = programs.look(_SEMANAGE, "port", "-l", "-n", *options)
    if seen is None or seen.problem:
        raise TransactionError("types of ports cannot be listed: %s" % (seen.problem if seen else "semanage is gone"))
    return port_types.parse(seen.output)


def _exact(entries: List[PortType], port: int) -> Optional[PortType]:
    return next((one for one in entries if one.first == one.last == port), None)


def _command(program: str, entry: Typed, known: bool) -> RunCommand:
    """A port that the policy or the administrator has an entry for is modified, since it cannot be added."""
    argv = (program, "port", "-m" if known else "-a", "-t", entry.type, "-p", "tcp", str(entry.port))
    return RunCommand(argv, _takes_back(program, entry), _SECONDS)


def _takes_back(program: str, entry: Typed) -> Tuple[str, ...]:
    """An entry goes, or gets the type that the administrator gave it before."""
    port = str(entry.port)
    back = ("port", "-m", "-t", entry.before, "-p", "tcp", port) if entry.before else ("port", "-d", "-p", "tcp", port)
    return ("sh", "-c", _IF_LISTED, "sh", program, _pattern(entry), *back)


def _pattern(entry: Typed) -> str:
    return "^%s +tcp +([0-9, -]*[, ])?%d(,|$)" % (entry.type, entry.port)
