# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lines of scripts and units that set our sysctls behind the loaders' back: found and told, never edited."""

import os
import re
import stat
from typing import Iterator, List, NamedTuple, Optional, Set, Tuple

from . import keys
from .errors import AbsentError, FileReadError
from .files import Files

#: single files, then folders with how deep to look into them
_FILES = ("/etc/rc.local", "/etc/rc.d/rc.local", "/etc/crontab", "/etc/network/interfaces", "/etc/anacrontab")
_FOLDERS = (
    ("/etc/network/if-pre-up.d", 0),
    ("/etc/network/if-up.d", 0),
    ("/etc/network/interfaces.d", 0),
    ("/etc/NetworkManager/dispatcher.d", 1),
    ("/etc/networkd-dispatcher", 1),
    ("/etc/cron.d", 0),
    ("/etc/cron.hourly", 0),
    ("/etc/cron.daily", 0),
    ("/etc/cron.weekly", 0),
    ("/etc/cron.monthly", 0),
    ("/var/spool/cron", 1),
    ("/etc/init.d", 0),
    ("/etc/local.d", 0),
    ("/etc/systemd/system", 1),
)
_LONGEST_BYTES = 256 << 10
_MOST_FILES = 2000
_MOST_BYTES = 8 << 20
_MOST_LINES = 100

_NAME = r"(?:net[./])(?:ipv4|netfilter)[./]\w+"
_ASSIGNMENT = re.compile(r"(?<![\w./])-?(%s)[\"']?\s*=\s*(\"[^\"]*\"|'[^']*'|[^\s\"';&|)]*)" % _NAME)
_WRITE = re.compile(
    r"(?:echo|printf)\s+(?:-\w+\s+)*(\"[^\"]*\"|'[^']*'|[^>|\"']*?)\s*(?:>|\|\s*(?:sudo\s+)?tee\s+(?:-a\s+)?)"
    r"\s*[\"']?/proc/sys/(%s)" % _NAME
)
_OTHER_WRITE = re.compile(r"(?:>|\btee\b[^|;&]*)\s*[\"']?/proc/sys/(%s)" % _NAME)
_PLAIN = re.compile(r"[\w ,.:+-]+\Z")
_COMMAND = re.compile(r"\bsysctl\b")
#: what any line of interest has: looked for before any line is
_MAYBE = re.compile(rb"sysctl|/proc/sys/")


class ScriptLine(NamedTuple):
    """A line that sets a key; ``value`` is None where it is not plain text."""

    path: str
    line: int
    key: str
    value: Optional[str]


class Found(NamedTuple):
    """``problems``: what could not be looked at, so that there may be more."""

    lines: List[ScriptLine]
    problems: List[FileReadError]


def find(files: Files) -> Found:
    """Lines in rc.local, ifup scripts, cron tables and jobs, init scripts and the administrator's units."""
    found = Found([], [])
    seen: Set[str] = set()
    left = _MOST_BYTES
    for path in _paths(files, found.problems):
        try:
            real = files.real(path)
            if real in seen:
                continue
            seen.add(real)
            if len(seen) > _MOST_FILES or left <= 0 or len(found.lines) >= _MOST_LINES:
                reason = "no more than %d files, %d bytes and %d lines are looked at" % (
                    _MOST_FILES, _MOST_BYTES, _MOST_LINES)
                found.problems.append(FileReadError("scripts after %s" % path, reason))
                break
            data = files.read(path, _LONGEST_BYTES)
        except AbsentError:
            continue
        except FileReadError as error:
            # a program is no script, and a named pipe or socket is none either
            if stat.S_ISREG(files.mode(path) or stat.S_IFREG):
                found.problems.append(error)
            continue
        left -= len(data)
        if _MAYBE.search(data) and b"\0" not in data[:1024]:
            found.lines.extend(ScriptLine(path, *one) for one in lines_of(data))
    return found


def lines_of(data: bytes) -> List[Tuple[int, str, Optional[str]]]:
    """``(line number, key as a path, value)`` of what a script sets, as far as that can be seen line by line."""
    found: List[Tuple[int, str, Optional[str]]] = []
    joined: List[str] = []
    for number, raw in enumerate(data.decode("utf-8", "replace").split("\n"), 1):
        line = raw.rstrip("\r")
        if line.endswith("\\") and not line.lstrip().startswith("#"):
            joined.append(line[:-1])
            continue
        whole = " ".join([*joined, line])
        first = number - len(joined)
        joined = []
        found += [(first, key, value) for key, value in _of_line(whole) if key in keys.OURS]
    return found


def _of_line(line: str) -> Iterator[Tuple[str, Optional[str]]]:
    line = _without_comment(line)
    if _COMMAND.search(line):
        for match in _ASSIGNMENT.finditer(line):
            yield _key(match.group(1)), _plain(match.group(2))
    written = set()
    for match in _WRITE.finditer(line):
        written.add(match.end(2))
        yield _key(match.group(2)), _plain(match.group(1))
    for match in _OTHER_WRITE.finditer(line):
        if match.end(1) not in written:
            yield _key(match.group(1)), None


def _without_comment(line: str) -> str:
    """Without a comment: ``#`` at the beginning or after white space, outside of quotes; ``;`` at the beginning too."""
    if line.lstrip().startswith((";", "#")):
        return ""
    quote = ""
    for at, character in enumerate(line):
        if quote:
            quote = "" if character == quote else quote
        elif character in "\"'":
            quote = character
        elif character == "#" and line[at - 1].isspace():
            return line[:at]
    return line


def _key(text: str) -> str:
    return keys.resolved(keys.as_path(text))


def _plain(text: str) -> Optional[str]:
    text = text.strip().strip("\"'").replace("\\n", "").strip()
    return " ".join(text.split()) if _PLAIN.match(text) else None


def _paths(files: Files, problems: List[FileReadError]) -> Iterator[str]:
    yield from _FILES
    for folder, depth in _FOLDERS:
        yield from _below(files, folder, depth, problems)


def _below(files: Files, folder: str, depth: int, problems: List[FileReadError]) -> Iterator[str]:
    """Files of a folder, and of the folders in it as deep as asked; links to folders are not followed."""
    try:
        names = files.list_names(folder)
    except AbsentError:
        return
    except FileReadError as error:
        problems.append(error)
        return
    for name in names:
        path = os.path.join(folder, name)
        if not stat.S_ISDIR(files.mode(path) or 0):
            yield path
        elif depth and not name.endswith((".wants", ".requires")) and files.read_link(path) is None:
            yield from _below(files, path, depth - 1, problems)
