# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The seam to a host's files and programs, for whoever asks what manages an interface."""

import subprocess
from typing import List, NamedTuple, Optional

from .._sysctl.errors import AbsentError, FileReadError
from .._sysctl.files import Files
from .errors import AddressError

_SECONDS = 30


class Host(NamedTuple):
    """A test gives files below another root, and answers of its own."""

    files: Files

    def read(self, path: str) -> Optional[bytes]:
        """Content of a file, None where there is none.

        :raises AddressError: when it cannot be read.
        """
        try:
            return self.files.read(path)
        except AbsentError:
            return None
        except FileReadError as error:
            raise AddressError(str(error)) from None

    def text(self, path: str) -> str:
        """The same as text, empty where there is no such file."""
        return (self.read(path) or b"").decode("utf-8", "replace")

    def names(self, folder: str) -> List[str]:
        """Names in a folder, none where there is no such folder.

        :raises AddressError: when it cannot be read.
        """
        try:
            return self.files.list_names(folder)
        except AbsentError:
            return []
        except FileReadError as error:
            raise AddressError(str(error)) from None

    def ask(self, *argv: str) -> Optional[str]:
        """What a program says; None where there is no such program, it fails, or takes too long."""
        try:
            done = subprocess.run(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C"},
                timeout=_SECONDS,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired):
            return None
        return done.stdout.decode("utf-8", "replace") if not done.returncode else None

    def runs(self, unit: str) -> bool:
        """Whether systemd says that a unit is active."""
        return (self.ask("systemctl", "is-active", unit) or "").strip() == "active"
