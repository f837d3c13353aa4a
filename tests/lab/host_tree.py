# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A folder that stands for a host's files, and what is in it to the last byte and bit."""

from __future__ import annotations

import os
import stat
from pathlib import Path

Snapshot = dict[str, tuple[object, ...]]


def snapshot(folder: Path) -> Snapshot:
    """Every name below a folder: kind, content, owner, mode, extended attributes, and which names share a file."""
    found: Snapshot = {}
    first_name: dict[int, str] = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        status = os.lstat(path)
        content: object = None
        xattrs: tuple[tuple[str, bytes], ...] = ()
        if stat.S_ISLNK(status.st_mode):
            content = os.readlink(path)
        elif stat.S_ISREG(status.st_mode):
            content = path.read_bytes()
            xattrs = tuple((one, os.getxattr(path, one)) for one in sorted(os.listxattr(path)))
        shares = first_name.setdefault(status.st_ino, name)
        found[name] = (content, status.st_mode, status.st_uid, status.st_gid, xattrs, shares)
    return found
