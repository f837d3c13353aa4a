# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The seam for programs that are only asked what is, and change nothing. A test gives another object instead."""

import os
import shutil
import signal
import subprocess
import tempfile
from typing import IO, NamedTuple, Optional

_SECONDS = 20
_MOST_BYTES = 16 << 20
#: not on the PATH of everybody who may become root
_SYSTEM_FOLDERS = ("/usr/local/sbin", "/usr/sbin", "/sbin", "/usr/local/bin", "/usr/bin", "/bin")


class Seen(NamedTuple):
    """What a program said. ``problem``: why that is not to be relied on, empty when it ended well. ``errors``: what it
    said on standard error, on one line."""

    status: int
    output: str
    problem: str
    errors: str = ""


class Programs:
    """Programs of this host."""

    def find(self, name: str) -> Optional[str]:
        """Path of a program, None where it is not installed."""
        folders = [folder for folder in os.environ.get("PATH", "").split(os.pathsep) if folder.startswith("/")]
        return shutil.which(name, path=os.pathsep.join([*folders, *_SYSTEM_FOLDERS]))

    def look(self, name: str, *arguments: str) -> Optional[Seen]:
        """What a program says in the C locale, None where it is not installed. It is killed after a time."""
        path = self.find(name)
        if path is None:
            return None
        line = " ".join([name, *arguments])
        with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
            try:
                process = subprocess.Popen(
                    [path, *arguments],
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=errors,
                    env=dict(os.environ, LC_ALL="C", LANGUAGE="C"),
                    cwd="/",
                    start_new_session=True,
                )
            except OSError as error:
                return Seen(-1, "", "%s cannot be run: %s" % (line, error.strerror))
            try:
                status = process.wait(_SECONDS)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
                return Seen(-1, "", "%s did not end within %d s" % (line, _SECONDS))
            text = _read(output)
            said = " ".join(_read(errors).split())
        if len(text) > _MOST_BYTES:
            return Seen(status, "", "%s says more than %d MiB" % (line, _MOST_BYTES >> 20))
        problem = "%s failed with status %d: %s" % (line, status, (said or text.strip() or "it said nothing")[-200:])
        return Seen(status, text, problem if status else "", said)


#: those of this host
PROGRAMS = Programs()


def _read(stream: IO[bytes]) -> str:
    stream.seek(0)
    return stream.read(_MOST_BYTES + 1).decode("utf-8", "replace")
