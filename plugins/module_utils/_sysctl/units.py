# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether systemd starts a unit at boot, seen from its files."""

from typing import Optional

from .files import Files

_FOLDERS = (
    "/etc/systemd/system",
    "/run/systemd/system",
    "/usr/local/lib/systemd/system",
    "/usr/lib/systemd/system",
    "/lib/systemd/system",
)


def starts_at_boot(files: Files, unit: str, target: str) -> Optional[bool]:
    """Whether a target wants the unit and nothing masks it; None where systemd has no such unit."""
    for folder in _FOLDERS:
        path = "%s/%s" % (folder, unit)
        if files.mode(path) is None and files.read_link(path) is None:
            continue
        if files.read_link(path) == "/dev/null":
            return False
        break
    else:
        return None
    return any(
        files.read_link("%s/%s.wants/%s" % (folder, target, unit)) is not None for folder in _FOLDERS
    )
