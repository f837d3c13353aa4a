# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A network namespace with files of its own: what is written to ``/etc`` and ``/var/lib`` in it stays in it."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

from . import facts
from .namespaces import Lab, Namespace

_SECONDS = 120

# An /etc that begins as the machine's, without the files that loaders of sysctls read.
_MOUNTS = """
set -eu
mount --make-rprivate /
# the lab's own tmpfs first: an overlay cannot have its layers on another
mount -t tmpfs tmpfs /run
mkdir -p /run/upper /run/work /run/netns
mount -t overlay overlay -o lowerdir=/etc,upperdir=/run/upper,workdir=/run/work /etc
rm -rf /etc/sysctl.conf /etc/sysctl.d /etc/tuned /etc/ufw /etc/rc.local
mkdir /etc/sysctl.d
mount -t tmpfs tmpfs /usr/lib/sysctl.d
mount -t tmpfs -o mode=0755 tmpfs /var/lib
echo ready
exec sleep 900
"""


class Host:
    """``namespace`` is where its running values are; ``pid`` a process of it."""

    def __init__(self, lab: Lab, **ipv4_sysctls: int | str) -> None:
        self.namespace: Namespace = lab.namespace(**ipv4_sysctls)
        argv = self.namespace.argv("unshare", "--mount", "sh", "-c", _MOUNTS)
        self._process = lab.start(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        assert self._process.stdout
        if self._process.stdout.readline() != "ready\n":
            raise RuntimeError("the mounts of a host could not be made")
        self.pid = self._process.pid

    def argv(self, *command: str) -> list[str]:
        """A command line that runs with the host's files and namespace."""
        return ["nsenter", f"--target={self.pid}", "--mount", "--net", "--wd=/", *command]

    def run(self, *command: str, text_in: str | None = None) -> str:
        done = subprocess.run(
            self.argv(*command), check=True, capture_output=True, text=True, input=text_in, timeout=_SECONDS
        )
        return done.stdout

    def write(self, path: str, text: str) -> None:
        self.run("sh", "-c", 'mkdir -p "${1%/*}"; cat > "$1"', "sh", path, text_in=text)

    def read(self, path: str) -> str:
        return self.run("cat", path)

    def files(self) -> str:
        """All that is below /etc and differs from the machine's, to the last byte, with owner and mode."""
        names = "find . -printf '%p %y %m %U:%G %l\\n' | sort"
        return self.run("sh", "-c", f"cd /run/upper; {names}; find . -type f -exec sha256sum {{}} + | sort")

    def sysctl(self, name: str) -> str:
        """A running value of ``net.ipv4``."""
        return " ".join(self.run("cat", f"/proc/sys/net/ipv4/{name}").split())

    def module(self, name: str, *prefix: str, check: bool = False, **options: Any) -> dict[str, Any]:
        """What a module of the collection answers, run as Ansible would."""
        path = facts.ROOT / "plugins" / "modules" / f"{name}.py"
        arguments = json.dumps({"ANSIBLE_MODULE_ARGS": {**options, "_ansible_check_mode": check}})
        done = subprocess.run(
            self.argv(*prefix, sys.executable, str(path)),
            input=arguments,
            capture_output=True,
            text=True,
            env=facts.environment(),
            timeout=_SECONDS,
            check=False,
        )
        try:
            answer: dict[str, Any] = json.loads(done.stdout)
        except ValueError:
            raise RuntimeError(f"rc {done.returncode}: {done.stdout[-1500:]} {done.stderr[-1500:]}") from None
        return answer
