# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""firewalld: its zones get ports in their files and, by ``firewall-cmd``, in what runs.

It is never reloaded: that would take away what others opened for as long as it runs. The daemon watches the files, and
takes a new one over some seconds later; until then, a permanent change of the same zone by somebody else would undo it.
"""

from typing import List, NamedTuple, Sequence, Tuple

from .. import _opened_record
from .._files import FileError, Files
from .._ports import listed
from .._programs import Programs
from .._transaction.steps import RunCommand, Step
from . import firewalld_advice, firewalld_permanent, firewalld_running, firewalld_state
from .firewalld_running import COMMAND
from .firewalld_zone import ZoneFileError
from .opening import Opening, nothing

NAME = "firewalld"
_SECONDS = 60
#: what is wanted of a firewall that is off by then is only what its files say
_IF_RUNNING = '"$1" --state > /dev/null 2>&1 || exit 0; exec "$@"'


class Opened(NamedTuple):
    """A port that this collection opened in a zone. ``made``: the zone's file in /etc, too."""

    existing_port: int
    port: int
    zone: str
    made: bool


_KEY = ("existing_port", "port", "zone")


def open_ports(files: Files, programs: Programs, existing_port: int, ports: Sequence[int]) -> Opening:
    """Ports in every zone in use that has the existing one, permanently and in what runs, wherever that one is."""
    running = firewalld_running.look(files, programs)
    if running.problem:
        return nothing("%s: so whether it bars ports %s cannot be told" % (running.problem, listed(ports)))
    if not running.zones:
        return nothing()
    before = _opened_record.read(files, NAME, Opened)
    made = {entry.zone for entry in before if entry.made}
    steps: List[Step] = []
    commands: List[Step] = []
    advice = firewalld_advice.advise(files, running, existing_port, ports)
    new: List[Opened] = []
    for zone in running.zones_in_use:
        if "ACCEPT" in zone.words("target"):
            continue
        missing: List[int] = []
        if firewalld_state.opens(zone, running.services, existing_port):
            missing = [port for port in ports if not firewalld_state.opens(zone, running.services, port)]
        if missing:
            commands.append(_command(programs, zone.name, "add", missing))
        try:
            file = firewalld_permanent.read(files, zone.name)
            kept = firewalld_permanent.missing(file, running.services, existing_port, ports)
            if kept:
                steps.append(firewalld_permanent.add(file, kept))
                made |= set() if file.content else {zone.name}
        except (FileError, ZoneFileError) as error:
            kept = []
            told = "ports %s are not opened for good in zone %s of firewalld: %s"
            advice.append(told % (listed(ports), zone.name, firewalld_permanent.told(zone.name, error)))
        new += [Opened(existing_port, port, zone.name, zone.name in made) for port in sorted({*missing, *kept})]
    steps += _opened_record.steps(NAME, before, _opened_record.merged(before, new, _KEY))
    return Opening(steps + commands, [NAME] if steps or commands else [], advice)


def close_ports(files: Files, programs: Programs, existing_port: int, ports: Sequence[int]) -> Opening:
    """What the record says that was opened here for these ports goes, from the files also when firewalld is off."""
    before = _opened_record.read(files, NAME, Opened)
    ours = [entry for entry in before if entry.existing_port == existing_port and entry.port in ports]
    if not ours:
        return nothing()
    running = firewalld_running.look(files, programs)
    steps: List[Step] = []
    commands: List[Step] = []
    advice: List[str] = []
    if running.problem:
        told = "%s: so ports %s stay open, until it is reloaded, where they are"
        advice.append(told % (running.problem, listed(sorted({entry.port for entry in ours}))))
    closed: List[Opened] = []
    for name in sorted({entry.zone for entry in ours}):
        here = [entry for entry in ours if entry.zone == name]
        gone = sorted(entry.port for entry in here)
        try:
            steps += firewalld_permanent.remove(firewalld_permanent.read(files, name), gone, here[0].made)
        except (FileError, ZoneFileError) as error:
            told = "ports %s stay open in zone %s of firewalld: %s"
            advice.append(told % (listed(gone), name, firewalld_permanent.told(name, error)))
            continue
        closed += here
        for zone in running.zones:
            shown = [port for port in gone if firewalld_state.has_port(zone.words("ports"), port)]
            if zone.name == name and shown:
                commands.append(_command(programs, name, "remove", shown))
    steps += _opened_record.steps(NAME, before, [entry for entry in before if entry not in closed])
    return Opening(steps + commands, [NAME] if steps or commands else [], advice)


def _command(programs: Programs, zone: str, verb: str, ports: Sequence[int]) -> RunCommand:
    """Both ways are harmless twice: firewall-cmd only warns of what is so already."""
    command = programs.find(COMMAND) or COMMAND

    def argv(one: str) -> Tuple[str, ...]:
        options = ["--%s-port=%d/tcp" % (one, port) for port in ports]
        return ("sh", "-c", _IF_RUNNING, "sh", command, "--zone=%s" % zone, *options)

    return RunCommand(argv(verb), argv("remove" if verb == "add" else "add"), _SECONDS)
