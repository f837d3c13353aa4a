# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ufw: its own file of sysctls, read each time that the firewall starts or reloads."""

import re
from typing import Dict, Optional

from . import loader_procps, reading, units
from .errors import AbsentError, FileReadError
from .files import Files

NAME = "ufw"
_SETTINGS = ("/etc/default/ufw", "/etc/ufw/ufw.conf")
_ASSIGNMENT = re.compile(r"\s*(?:export\s+)?([A-Za-z_]\w*)=(\"[^\"$`\\]*\"|'[^']*'|[^\s\"'$`\\;&|#]*)\s*(?:[;#].*)?\Z")


def read(files: Files) -> Optional[reading.Reading]:
    """What ``ufw-init start`` would do (``sysctl -e -q -p $IPT_SYSCTL``); None where ufw is absent or not enabled."""
    values: Dict[str, Optional[str]] = {}
    found = reading.start(NAME, _SETTINGS[1], units.starts_at_boot(files, "ufw.service", "multi-user.target"), "")
    for path in _SETTINGS:
        try:
            values.update(_shell_values(files.read(path)))
        except AbsentError:
            return None
        except FileReadError as error:
            found.problems.append(error)
    if found.problems:
        return found
    if values.get("ENABLED") not in ("yes", "YES"):
        return None
    return _add_its_file(files, found, values.get("IPT_SYSCTL", ""))


def _add_its_file(files: Files, found: reading.Reading, path: Optional[str]) -> reading.Reading:
    if path is None:
        reason = "IPT_SYSCTL is more than a plain value: cannot tell which file ufw reads"
        found.problems.append(FileReadError(_SETTINGS[0], reason))
        return found
    try:
        command = loader_procps.find_command(files)
    except FileReadError as error:
        found.problems.append(error)
        return found
    if command is None or not path.startswith("/"):
        return found
    found = found._replace(rule=command.rule)
    reading.add_file(files, found, path, command.parse)
    return found


def _shell_values(data: bytes) -> Dict[str, Optional[str]]:
    """Plain assignments of a file that a shell sources; None for a name whose value needs the shell."""
    values: Dict[str, Optional[str]] = {}
    for line in data.decode("utf-8", "surrogateescape").split("\n"):
        match = _ASSIGNMENT.match(line)
        if match:
            values[match.group(1)] = match.group(2).strip("\"'")
            continue
        name = re.match(r"\s*(?:export\s+)?(ENABLED|IPT_SYSCTL)=", line)
        if name:
            values[name.group(1)] = None
    return values
