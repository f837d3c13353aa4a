# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Our own drop-in file: its name, which wins, and its text."""

import os
import re
from typing import Dict, List, Mapping, Set

from . import dialects, keys
from .errors import AbsentError
from .files import Files

FOLDER = "/etc/sysctl.d"
_NAME = re.compile(r"z{2,}-tcpops-timewait\.conf\Z")
_FIRST = "zz-tcpops-timewait.conf"
_FOLDERS = (FOLDER, "/run/sysctl.d", "/usr/local/lib/sysctl.d", "/usr/lib/sysctl.d", "/lib/sysctl.d")
_LONGEST = 64


def ours(files: Files) -> List[str]:
    """Our drop-ins of the host: none, one, or an older one besides, whose name had to give way.

    :raises FileReadError: when the folder cannot be read.
    """
    try:
        return ["%s/%s" % (FOLDER, name) for name in files.list_names(FOLDER) if _NAME.match(name)]
    except AbsentError:
        return []


def best_path(files: Files) -> str:
    """Where our drop-in belongs: after every other file of the folders that loaders read, with as few letters z as do.

    TuneD lets a file in /run hide one in /etc, so no other file may have its name.

    :raises FileReadError: when a folder cannot be read.
    """
    others: Set[str] = set()
    for folder in _FOLDERS:
        try:
            names = files.list_names(folder)
        except AbsentError:
            continue
        others.update(name for name in names if name.endswith(".conf") and not (folder == FOLDER and _NAME.match(name)))
    last = max((os.fsencode(name) for name in others), default=b"")
    name = _FIRST
    while os.fsencode(name) <= last and len(name) < _LONGEST:
        name = "z" + name
    return "%s/%s" % (FOLDER, name if os.fsencode(name) > last else _FIRST)


def read_values(path: str, data: bytes) -> Dict[str, str]:
    """The values in a drop-in of ours by path below /proc/sys, also such as an administrator added."""
    parsed = dialects.parse_systemd(path, data, True)
    return {one.target: one.value for one in parsed.statements if one.value is not None}


def render(values: Mapping[str, str], header: str) -> bytes:
    """The text of our drop-in, which every loader reads alike: keys with dots, one line each, sorted.

    :param values: by path below /proc/sys.
    :param header: text for the comment on top; may have several lines.
    :raises ValueError: when a key or value would be read as something else.
    """
    lines = ["# " + line if line else "#" for line in header.splitlines()]
    for path, value in sorted(values.items()):
        if not re.match(r"[A-Za-z0-9_/-]+\Z", path) or keys.as_path(keys.dotted(path)) != path:
            raise ValueError("%r is no key for a drop-in: it takes letters, digits, _, - and slashes" % path)
        if not re.match(r"[!-~]+(?: [!-~]+)*\Z", value):
            raise ValueError("%r is no value for %s: it takes one line of printable ASCII" % (value, keys.dotted(path)))
        lines.append("%s = %s" % (keys.dotted(path), value))
    return ("\n".join(lines) + "\n").encode("ascii", "replace")
