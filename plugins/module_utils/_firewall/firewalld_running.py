# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What firewalld says of itself."""

from typing import Dict, List, NamedTuple

from .._files import FileError, Files, MissingFileError
from .._programs import Programs
from . import firewalld_state, firewalld_zone
from .firewalld_state import Shown
from .firewalld_zone import ZoneFileError

COMMAND = "firewall-cmd"
_SERVICES = ("/usr/lib/firewalld/services", "/etc/firewalld/services")
_BUS = "/run/dbus/system_bus_socket"
_NOT_RUNNING = 252


class Running(NamedTuple):
    """``zones``: none where firewalld is off. ``policies``: those for what comes to this host.

    ``problem``: why nothing is known, empty when all is.
    """

    zones: List[Shown]
    default: str
    services: Dict[str, Shown]
    policies: List[Shown]
    problem: str = ""

    @property
    def zones_in_use(self) -> List[Shown]:
        """Those that connections can be in: what no interface and no source belongs to is in the default one."""
        return [zone for zone in self.zones if zone.is_active or zone.name == self.default]


_OFF = Running([], "", {}, [])


def look(files: Files, programs: Programs) -> Running:
    """Ask, with as few commands as do: each starts a Python."""
    try:
        files.read_link(_BUS)
    except MissingFileError:
        return _OFF  # firewalld ends without
    except FileError:
        pass
    default = programs.look(COMMAND, "--get-default-zone")
    if default is None or default.status == _NOT_RUNNING:
        return _OFF
    zones = programs.look(COMMAND, "--list-all-zones")
    for seen in (default, zones):
        if seen is None or seen.problem:
            return _OFF._replace(problem="firewalld cannot be asked (%s)" % (seen.problem if seen else "it is gone"))
    policies = programs.look(COMMAND, "--list-all-policies")  # not before 0.9
    found = firewalld_state.parse(policies.output) if policies and not policies.problem else []
    return Running(
        firewalld_state.parse(zones.output) if zones else [],
        default.output.strip(),
        _services(files),
        [one for one in found if one.is_active and "HOST" in one.words("egress-zones")],
    )


def _services(files: Files) -> Dict[str, Shown]:
    """Services by name, out of their files: to ask for each of them would take a second or more."""
    found: Dict[str, Shown] = {}
    for folder in _SERVICES:
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
