# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How HAProxy is started here: which files it reads, in which order, with which environment.

Source: the unit haproxy.service as systemd reads it, else where distributions and the project itself have the file.
"""

import posixpath
import re
from typing import Dict, List, NamedTuple, Tuple

from ..._files import FileError, Files
from ..._service_ports.service_units import start_of
from ..errors import ConfigurationRefusedError

UNIT = "haproxy.service"
DEFAULT = "/etc/haproxy/haproxy.cfg"
#: of systemd, before a program
_PREFIXES = "@-:+!|"
#: also in quotes: a name too many costs nothing
_VARIABLE = re.compile(r"(?:\$\{?|defined\()(\w+)", re.ASCII)
_USUAL = (DEFAULT, "/usr/local/etc/haproxy/haproxy.cfg")


class Invocation(NamedTuple):
    """``paths``: files and folders of ``-f``. ``environment``: variables that the unit sets. ``program``: HAProxy."""

    paths: Tuple[str, ...]
    environment: Dict[str, str]
    program: str = "haproxy"


def find(files: Files) -> Invocation:
    """What the unit says; without one, the usual file."""
    start = start_of(files, UNIT)
    if start and _paths(start.words):
        return Invocation(tuple(_paths(start.words)), start.environment, start.words[0].lstrip(_PREFIXES))
    found = [path for path in _USUAL if files.glob(path)]
    return Invocation(tuple(found[:1] or [DEFAULT]), {})


def check(files: Files, invocation: Invocation) -> Tuple[str, ...]:
    """The command with which HAProxy checks its configuration, with the variables of the unit that it names.

    :raises ConfigurationRefusedError: when a file is not there, cannot be read or is read twice.
    """
    texts = [read(files, path).decode("latin-1") for path in expand(files, invocation)]
    named = {name for text in texts for name in _VARIABLE.findall(text)}
    given = ["%s=%s" % (name, value) for name, value in sorted(invocation.environment.items()) if name in named]
    command = (invocation.program, "-c", *(word for path in invocation.paths for word in ("-f", path)))
    return ("env", *given, *command) if given else command


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


def read(files: Files, path: str) -> bytes:
    """One file.

    :raises ConfigurationRefusedError: when it is not there, or cannot be read.
    """
    try:
        return files.read_bytes(path)
    except FileError as error:
        raise ConfigurationRefusedError(error.what, 0, error.reason) from None


def _paths(words: List[str]) -> List[str]:
    paths = []
    rest = iter(words)
    for word in rest:
        if word == "--":
            paths += list(rest)
        elif word == "-f":
            paths.append(next(rest, ""))
    return [path for path in paths if path]
