# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""firewalld: its zones get ports in their files and, by ``firewall-cmd``, in what runs.

It is never reloaded: that would take away what others opened for as long as it runs. The daemon watches the files, and
takes a new one over some seconds later; until then, a permanent change of the same zone by somebody else would undo it.
"""

import posixpath
import re
from typing import Dict, List, NamedTuple, Optional, Sequence, Tuple

from .. import _opened_record
from .._files import FileError, Files, MissingFileError
from .._ports import listed
from .._programs import Programs
from .._transaction.steps import RemoveFile, RunCommand, Step, WriteFile
from . import firewalld_state, firewalld_zone
from .firewalld_state import Shown
from .firewalld_zone import ZoneFileError
from .opening import Opening, nothing

NAME = "firewalld"
_COMMAND = "firewall-cmd"
_ETC, _USR = "/etc/firewalld/zones", "/usr/lib/firewalld/zones"
_SERVICES_ETC, _SERVICES_USR = "/etc/firewalld/services", "/usr/lib/firewalld/services"
_DIRECT = "/etc/firewalld/direct.xml"
_BUS = "/run/dbus/system_bus_socket"
_SECONDS = 60
_NOT_RUNNING = 252
#: all that is in the way of a command that may be run when firewalld is off by then
_IF_RUNNING = '"$1" --state > /dev/null 2>&1 || exit 0; exec "$@"'


class Opened(NamedTuple):
    """A port that this collection opened in a zone. ``made``: the zone's file in /etc, too."""

    existing_port: int
    port: int
    zone: str
    made: bool


class _State(NamedTuple):
    """``zones``: those that connections can be in now. ``problem``: why the state is not known."""

    running: bool
    zones: List[Shown]
    services: Dict[str, Shown]
    policies: List[Shown]
    problem: str = ""


_OFF = _State(False, [], {}, [])


class _Permanent(NamedTuple):
    """A zone's file. ``vendor``: content of the package's, which counts where /etc has none."""

    path: str
    content: Optional[bytes]
    vendor: Optional[bytes]

    @property
    def present(self) -> Optional[bytes]:
        return self.vendor if self.content is None else self.content


def open_ports(files: Files, programs: Programs, existing_port: int, ports: Sequence[int]) -> Opening:
    """Ports in every zone in use that has the existing one, permanently and in what runs, wherever that one is."""
    state = _look(files, programs)
    if state.problem:
        return nothing("%s: so whether it bars ports %s cannot be told" % (state.problem, listed(ports)))
    if not state.running:
        return nothing()
    before = _opened_record.read(files, NAME, Opened)
    steps: List[Step] = []
    commands: List[Step] = []
    advice: List[str] = []
    new: List[Opened] = []
    for zone in state.zones:
        advice += _by_hand(zone, "zone", existing_port, ports)
        if "ACCEPT" in zone.words("target"):
            continue
        if firewalld_state.opens(zone, state.services, existing_port):
            missing = [port for port in ports if not firewalld_state.opens(zone, state.services, port)]
            if missing:
                commands.append(_command(programs, zone.name, "add", missing))
        else:
            missing = []
        written, problem = _write(files, zone.name, state.services, existing_port, ports)
        advice += problem
        steps += [step for step, _ports, _made in written]
        changed = {port for _step, found, _made in written for port in found} | set(missing)
        made = any(made for _step, _ports, made in written)
        new += [Opened(existing_port, port, zone.name, made) for port in sorted(changed)]
    for policy in state.policies:
        if firewalld_state.opens(policy, state.services, existing_port):
            advice.append(_left("policy %s opens" % policy.name, existing_port, ports))
        advice += _by_hand(policy, "policy", existing_port, ports)
    advice += _direct(files, existing_port, ports)
    steps += _opened_record.steps(NAME, before, _opened_record.merged(before, _kept_made(before, new), _KEY))
    return Opening(steps + commands, [NAME] if steps or commands else [], advice)


def close_ports(files: Files, programs: Programs, existing_port: int, ports: Sequence[int]) -> Opening:
    """What the record says that was opened here for these ports goes, from the files also when firewalld is off."""
    before = _opened_record.read(files, NAME, Opened)
    ours = [entry for entry in before if entry.existing_port == existing_port and entry.port in ports]
    if not ours:
        return nothing()
    state = _look(files, programs)
    steps: List[Step] = []
    commands: List[Step] = []
    advice = [state.problem] if state.problem else []
    for name in sorted({entry.zone for entry in ours}):
        here = [entry for entry in ours if entry.zone == name]
        gone = [entry.port for entry in here]
        try:
            steps += _erase(_permanent(files, name), gone, any(entry.made for entry in here))
        except (FileError, ZoneFileError) as error:
            advice.append("ports %s stay open in %s/%s.xml: %s" % (listed(gone), _ETC, name, error))
        for zone in state.zones:
            shown = [port for port in gone if firewalld_state.has_port(zone.words("ports"), port)]
            if zone.name == name and shown:
                commands.append(_command(programs, name, "remove", shown))
    steps += _opened_record.steps(NAME, before, [entry for entry in before if entry not in ours])
    return Opening(steps + commands, [NAME], advice)


_KEY = ("existing_port", "port", "zone")


def _kept_made(before: Sequence[Opened], new: Sequence[Opened]) -> List[Opened]:
    """A file that was made for the first port of a zone was made for the others too."""
    made = {entry.zone for entry in [*before, *new] if entry.made}
    return [entry._replace(made=entry.zone in made) for entry in new]


def _look(files: Files, programs: Programs) -> _State:
    try:
        files.read_link(_BUS)
    except MissingFileError:
        return _OFF  # it ends without
    except FileError:
        pass
    default = programs.look(_COMMAND, "--get-default-zone")
    if default is None or default.status == _NOT_RUNNING:
        return _OFF
    every = programs.look(_COMMAND, "--list-all-zones")
    if default.problem or every is None or every.problem:
        return _OFF._replace(problem="firewalld cannot be asked (%s)" % (default.problem or (every and every.problem)))
    # what no interface and no source belongs to is in the default zone
    zones = [
        zone
        for zone in firewalld_state.parse(every.output)
        if zone.is_active or zone.name == default.output.strip()
    ]
    shown = programs.look(_COMMAND, "--list-all-policies")  # not before 0.9
    policies = firewalld_state.parse(shown.output) if shown and not shown.problem else []
    policies = [one for one in policies if one.is_active and "HOST" in one.words("egress-zones")]
    return _State(True, zones, _services(files), policies)


def _services(files: Files) -> Dict[str, Shown]:
    """Services by name, out of their files: to ask for each of them would take a second or more."""
    found: Dict[str, Shown] = {}
    for folder in (_SERVICES_USR, _SERVICES_ETC):
        try:
            names = [name[: -len(".xml")] for name in files.list_names(folder) if name.endswith(".xml")]
        except FileError:
            continue
        for name in names:
            try:
                found[name] = firewalld_zone.service(name, files.read_bytes("%s/%s.xml" % (folder, name)))
            except (FileError, ZoneFileError):
                continue  # firewalld leaves it out, too
    return found


def _command(programs: Programs, zone: str, verb: str, ports: Sequence[int]) -> RunCommand:
    """Both ways are harmless twice: firewall-cmd only warns of what is so already."""
    command = programs.find(_COMMAND) or _COMMAND

    def argv(one: str) -> Tuple[str, ...]:
        options = ["--%s-port=%d/tcp" % (one, port) for port in ports]
        return ("sh", "-c", _IF_RUNNING, "sh", command, "--zone=%s" % zone, *options)

    return RunCommand(argv(verb), argv("remove" if verb == "add" else "add"), _SECONDS)


def _permanent(files: Files, zone: str) -> _Permanent:
    """:raises FileError: when a file is there and cannot be read."""
    found: List[Optional[bytes]] = []
    path = "%s/%s.xml" % (_ETC, zone)
    for one in (path, "%s/%s.xml" % (_USR, zone)):
        try:
            found.append(files.read_bytes(one))
        except MissingFileError:
            found.append(None)
    return _Permanent(path, found[0], found[1])


def _write(
    files: Files, zone: str, services: Dict[str, Shown], existing_port: int, ports: Sequence[int]
) -> Tuple[List[Tuple[Step, List[int], bool]], List[str]]:
    """``(step, ports that it adds, whether it makes the file), advice)`` for the permanent zone."""
    try:
        permanent = _permanent(files, zone)
        if permanent.present is None:
            return [], []  # a zone in a folder of its own, or only in memory
        shown = firewalld_zone.parse(permanent.present).shown(zone)
        if not firewalld_state.opens(shown, services, existing_port):
            return [], []
        missing = [port for port in ports if not firewalld_state.opens(shown, services, port)]
        if not missing:
            return [], []
        step = WriteFile(permanent.path, firewalld_zone.add(permanent.present, missing))
        return [(step, missing, permanent.content is None)], []
    except (FileError, ZoneFileError) as error:
        told = "ports %s are not opened for good in zone %s of firewalld: %s/%s.xml: %s"
        return [], [told % (listed(ports), zone, _ETC, zone, error)]


def _erase(permanent: _Permanent, ports: Sequence[int], made: bool) -> List[Step]:
    """A file that was made as a copy of the package's goes when it is one again."""
    if permanent.content is None:
        return []
    content = firewalld_zone.remove(permanent.content, ports)
    if made and content == permanent.vendor:
        return [RemoveFile(permanent.path)]
    return [] if content == permanent.content else [WriteFile(permanent.path, content)]


def _by_hand(one: Shown, kind: str, existing_port: int, ports: Sequence[int]) -> List[str]:
    left = [port for port in ports if not firewalld_state.rules_naming(one, port)]
    rules = firewalld_state.rules_naming(one, existing_port)
    return [_left("%s %s has a rule (%s) for" % (kind, one.name, rule), existing_port, left) for rule in rules if left]


def _direct(files: Files, existing_port: int, ports: Sequence[int]) -> List[str]:
    try:
        text = files.read_text(_DIRECT)
    except FileError:
        return []
    named = [port for port in ports if _named(text, port)]
    left = [port for port in ports if port not in named]
    if not left or not _named(text, existing_port):
        return []
    return [_left("%s has a direct rule for" % posixpath.basename(_DIRECT), existing_port, left)]


def _named(text: str, port: int) -> bool:
    return bool(re.search(r"--dports? (?:[\d:,]*,)?%d(?![\d:])" % port, text))


def _left(what: str, existing_port: int, ports: Sequence[int]) -> str:
    return "firewalld: %s port %d, which is left alone; add the like for %s" % (what, existing_port, listed(ports))
