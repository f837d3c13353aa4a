# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the service manager of the host says. Nothing is started or stopped here."""

import os
import subprocess
from typing import FrozenSet

_BOOTED = "/run/systemd/system"  # sd_booted(3)
_SECONDS = 30
_RUNNING = ("systemctl", "list-units", "--type=service,socket", "--state=active,reloading", "--plain", "--no-legend",
            "--full")  # fmt: skip


def running_units() -> FrozenSet[str]:
    """Names of the services and sockets that run; none where systemd does not manage the host."""
    if not os.path.isdir(_BOOTED):
        return frozenset()
    environment = dict(os.environ, LC_ALL="C")
    try:
        done = subprocess.run(
            _RUNNING, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment,
            timeout=_SECONDS, check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return frozenset()
    lines = done.stdout.decode("utf-8", "replace").splitlines()
    return frozenset(line.split()[0] for line in lines if line.split())
