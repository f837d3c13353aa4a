# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What one loader of the host would do."""

from typing import Callable, List, NamedTuple, Optional

from .errors import AbsentError, FileReadError
from .files import Files
from .statement import Parsed, Skipped, Statement

#: how a loader's statements become writes; see precedence.py
SYSTEMD = "systemd"
SYSTEMD_BEFORE_PATTERNS = "systemd before 246"
PROCPS_4 = "procps 4"
IN_ORDER = "in order"


class Reading(NamedTuple):
    """One loader: ``loader`` is systemd-sysctl, procps, ufw or tuned, ``evidence`` what showed that it is there.

    ``at_boot``: whether it runs when the host boots; None when that cannot be told. ``rule`` is how its statements
    become writes. ``files`` in the order of reading, a file that is read twice twice. ``problems``: what could not be
    read, so that the result is not complete.
    """

    loader: str
    evidence: str
    at_boot: Optional[bool]
    rule: str
    files: List[str]
    hidden: List[str]
    statements: List[Statement]
    skipped: List[Skipped]
    problems: List[FileReadError]


def start(loader: str, evidence: str, at_boot: Optional[bool], rule: str) -> Reading:
    """A loader that has read nothing yet."""
    return Reading(loader, evidence, at_boot, rule, [], [], [], [], [])


def add_file(files: Files, reading: Reading, path: str, parse: Callable[[str, bytes], Parsed]) -> None:
    """Read one more file, the way the loader does."""
    reading.files.append(path)
    try:
        parsed = parse(path, files.read(path))
    except AbsentError:  # a broken link
        return
    except FileReadError as error:
        reading.problems.append(error)
        return
    reading.statements.extend(parsed.statements)
    reading.skipped.extend(parsed.skipped)
