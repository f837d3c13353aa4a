# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""systemd-sysctl: what it reads at boot, and whenever systemd-sysctl.service is restarted."""

from functools import partial
from typing import Optional

from . import dialects, folders, reading, units
from .errors import FileReadError
from .files import Files

NAME = "systemd-sysctl"
_BINARIES = ("/usr/lib/systemd/systemd-sysctl", "/lib/systemd/systemd-sysctl")
#: CONF_PATHS of systemd; the last is another folder only where /usr is not merged
FOLDERS = ("/etc/sysctl.d", "/run/sysctl.d", "/usr/local/lib/sysctl.d", "/usr/lib/sysctl.d", "/lib/sysctl.d")


def read(files: Files) -> Optional[reading.Reading]:
    """What it would do; None where the host does not have it. It reads no /etc/sysctl.conf, unless a link says so."""
    binary = next((path for path in _BINARIES if files.has_file(path)), None)
    if binary is None:
        return None
    at_boot = units.starts_at_boot(files, NAME + ".service", "sysinit.target")
    found = reading.start(NAME, binary, at_boot, reading.SYSTEMD)
    try:
        # its message of 246 and later: the version is in no file, and distributions backport
        patterns = b"explicit setting exists" in files.read(binary)
    except FileReadError as error:
        found.problems.append(error)
        patterns = True
    if not patterns:
        found = found._replace(rule=reading.SYSTEMD_BEFORE_PATTERNS)
    ordered = folders.drop_ins(files, FOLDERS, hidden_too=False)
    found.hidden.extend(ordered.hidden)
    found.problems.extend(ordered.problems)
    for path in ordered.paths:
        reading.add_file(files, found, path, partial(dialects.parse_systemd, patterns=patterns))
    return found
