# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""procps: what ``sysctl --system`` reads. At boot it runs where systemd does not."""

import stat
from typing import Callable, NamedTuple, Optional

from . import dialects, folders, reading
from .errors import FileReadError
from .files import Files
from .statement import Parsed

NAME = "procps"
_BINARIES = ("/usr/sbin/sysctl", "/sbin/sysctl", "/usr/bin/sysctl", "/bin/sysctl")
#: order since 3.3.16; before, /run came first, which matters for one name in both
FOLDERS = ("/etc/sysctl.d", "/run/sysctl.d", "/usr/local/lib/sysctl.d", "/usr/lib/sysctl.d", "/lib/sysctl.d")
MAIN_FILE = "/etc/sysctl.conf"
_SCRIPT = "/etc/init.d/procps"


class Command(NamedTuple):
    """The host's sysctl: where it is, and how it reads a file."""

    path: str
    rule: str
    parse: Callable[[str, bytes], Parsed]


def find_command(files: Files) -> Optional[Command]:
    """The sysctl of procps; None where there is none, or one of another project (BusyBox has no --system).

    :raises FileReadError: when it may not be read, so that nothing tells which it is.
    """
    for path in _BINARIES:
        if not files.has_file(path):
            continue
        content = files.read(path)
        if MAIN_FILE.encode() not in content or b"BusyBox" in content:
            continue
        # an option that 4.0 brought, as it did patterns
        if b"dry-run" in content:
            return Command(path, reading.PROCPS_4, dialects.parse_procps_4)
        return Command(path, reading.IN_ORDER, dialects.parse_procps_3)
    return None


def read(files: Files) -> Optional[reading.Reading]:
    """What it would do; None where the host does not have it."""
    try:
        command = find_command(files)
    except FileReadError as error:
        found = reading.start(NAME, error.path, None, reading.PROCPS_4)
        found.problems.append(error)
        return found
    if command is None:
        return None
    found = reading.start(NAME, command.path, _at_boot(files), command.rule)
    ordered = folders.drop_ins(files, FOLDERS, hidden_too=True)
    found.hidden.extend(ordered.hidden)
    found.problems.extend(ordered.problems)
    for path in ordered.paths:
        reading.add_file(files, found, path, command.parse)
    if stat.S_ISREG(files.mode(MAIN_FILE) or 0):
        reading.add_file(files, found, MAIN_FILE, command.parse)
    return found


def _at_boot(files: Files) -> bool:
    if files.mode("/run/systemd/system") is not None:
        return False
    return files.has_file(_SCRIPT)
