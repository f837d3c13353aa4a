# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How HAProxy is started here: which files it reads, in which order, with which environment.

Source: the unit haproxy.service as systemd reads it, else where distributions and the project itself have the file.
"""

import posixpath
from typing import Dict, List, NamedTuple, Tuple

from ..._files import FileError, Files
from ..._service_ports.service_units import start_of
from ..errors import ConfigurationRefusedError
from ..plan import Command

UNIT = "haproxy.service"
DEFAULT = "/etc/haproxy/haproxy.cfg"
_USUAL = (DEFAULT, "/usr/local/etc/haproxy/haproxy.cfg")


class Invocation(NamedTuple):
    """``paths``: files and folders of ``-f``. ``environment``: variables that the unit sets."""

    paths: Tuple[str, ...]
    environment: Dict[str, str]


def find(files: Files) -> Invocation:
    """What the unit says; without one, the usual file."""
    start = start_of(files, UNIT)
    paths = _paths(start.words) if start else []
    if not paths:
        paths = [path for path in _USUAL if _is_there(files, path)][:1] or [DEFAULT]
    return Invocation(tuple(paths), start.environment if start else {})


def check(invocation: Invocation) -> Tuple[str, ...]:
    """The command with which HAProxy checks its configuration; it wants the environment of the unit."""
    return ("haproxy", "-c", *(word for path in invocation.paths for word in ("-f", path)))


#: it starts new workers, while old ones finish; the same again once the edits are undone
RELOAD = Command(("systemctl", "reload", UNIT), ("systemctl", "reload", UNIT))


def expand(files: Files, invocation: Invocation) -> List[str]:
    """The files that are read, in order: of a folder those whose name ends with .cfg.

    :raises ConfigurationRefusedError: when one is not there, cannot be read or is read twice.
    """
    found: List[str] = []
    for path in invocation.paths:
        if not path.startswith("/"):
            raise ConfigurationRefusedError(path, 0, "its path is relative, so that it cannot be told which file it is")
        try:
            if not files.is_dir(path):
                found.append(files.real_path(path))
                continue
            names = [name for name in files.list_names(path) if name.endswith(".cfg") and not name.startswith(".")]
            inside = [posixpath.join(path, name) for name in names]
            found += [files.real_path(one) for one in inside if not files.is_dir(one)]
        except FileError as error:
            raise ConfigurationRefusedError(error.what, 0, error.reason) from None
    for path in found:
        if found.count(path) > 1:
            raise ConfigurationRefusedError(path, 0, "HAProxy is told to read it twice")
    return found


def _paths(words: List[str]) -> List[str]:
    paths = []
    rest = iter(words)
    for word in rest:
        if word == "--":
            paths += list(rest)
        elif word == "-f":
            paths.append(next(rest, ""))
    return [path for path in paths if path]


def _is_there(files: Files, path: str) -> bool:
    try:
        files.read_bytes(path)
    except FileError:
        return False
    return True
