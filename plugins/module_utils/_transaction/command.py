# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the program of a step."""

import os
import signal
import subprocess
import tempfile
from typing import Sequence

from .errors import TransactionError, why

_SHOWN = 300


def run_command(argv: Sequence[str], timeout: int) -> None:
    """Run a program to its end, with its output kept for the sentence of a failure.

    :raises TransactionError: when it cannot be started, fails, or takes longer than ``timeout`` seconds.
    """
    line = " ".join(argv)
    # A file and not a pipe: what the program leaves running may hold its output open.
    with tempfile.TemporaryFile() as output:
        try:
            process = subprocess.Popen(
                list(argv),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=dict(os.environ, LC_ALL="C"),
                cwd="/",
                start_new_session=True,
            )
        except OSError as error:
            raise TransactionError("%s cannot be run: %s" % (line, why(error))) from None
        try:
            status = process.wait(timeout)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            raise TransactionError("%s did not end within %d s" % (line, timeout)) from None
        output.seek(0)
        said = " ".join(output.read().decode("utf-8", "replace").split())
    if status:
        raise TransactionError("%s failed with status %d: %s" % (line, status, said[-_SHOWN:] or "it said nothing"))
