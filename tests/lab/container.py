# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host with systemd and real servers: a container in a network namespace of the lab, on which modules run."""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import subprocess
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import ansible

from tests.lab.namespaces import Namespace
from tests.lab.server_image import VOLUMES, image_of, inside, run_inside, shell

_NUMBERS = itertools.count()
_START = (
    'podman run --detach --name "$1" --hostname "$1" --systemd always --network "ns:$2"'
    ' --cap-add NET_ADMIN --cap-add NET_RAW "${@:4}" "$3"'
)
_SITE = "/opt/site"
#: what is mounted is read-only, and to compile it anew takes longer than to run it
_PYTHON = (
    "--env", f"PYTHONPATH=/opt:{_SITE}", "--env", "PYTHONPYCACHEPREFIX=/tmp/compiled",
    "--env", "PYTHONDONTWRITEBYTECODE=",
)  # fmt: skip
MODULES = "/opt/ansible_collections/tcpops/timewait/plugins/modules"
#: a container may make no mount namespace for a service; and not all of its control groups tell that they are empty, so
#: that systemd waits for the end of a service that ended by itself
_NO_SANDBOX = "[Service]\nTimeoutStopSec=3\nPrivateTmp=no\nProtectHome=no\nProtectSystem=no\nBindReadOnlyPaths=\n"


class Container:
    """Ends with ``remove``; what a killed run left under the same name goes when the next one starts.

    ``kind``: the folder beside this file with the image's Containerfile.
    """

    def __init__(self, suite: str, namespace: Namespace, kind: str = "servers") -> None:
        self.namespace = namespace
        self.name = f"tw-host-{os.getpid()}-{next(_NUMBERS)}"
        ansible_folder = Path(ansible.__file__).parent
        volumes = [*VOLUMES, "--volume", f"{ansible_folder}:{_SITE}/ansible:ro", *_PYTHON]
        try:
            started = shell(_START, self.name, namespace.path, image_of(suite, kind), *volumes)
            assert started.returncode == 0, started.stderr
            self._wait_until_up()
            if kind == "servers":
                for unit in ("nginx", "haproxy", "apache2"):
                    self.write(f"/etc/systemd/system/{unit}.service.d/lab.conf", _NO_SANDBOX)
                self.run("systemctl", "daemon-reload")
        except BaseException:  # interrupted
            self.remove()
            raise

    def stop(self) -> None:
        stopped = shell('podman stop --time 20 "$1"', self.name)
        assert stopped.returncode == 0, stopped.stderr

    def start(self) -> None:
        """Boot it again; its namespace is the same, with whatever is in there."""
        started = shell('podman start "$1"', self.name)
        assert started.returncode == 0, started.stderr
        self._wait_until_up()

    def _wait_until_up(self) -> None:
        deadline = time.monotonic() + 120
        while self.try_run("systemctl", "is-system-running").stdout.strip() not in ("running", "degraded"):
            assert time.monotonic() < deadline, "systemd did not come up"
            time.sleep(0.2)

    def remove(self) -> None:
        shell('podman rm --force --ignore --time 0 "$1"', self.name)

    def argv(self, *command: str) -> list[str]:
        """A command line that runs inside."""
        return inside(self.name, *command)

    def try_run(self, *command: str, text_in: str = "") -> subprocess.CompletedProcess[str]:
        return run_inside(self.name, *command, text_in=text_in)

    def run(self, *command: str, text_in: str = "") -> str:
        done = self.try_run(*command, text_in=text_in)
        assert done.returncode == 0, f"{' '.join(command)}: {done.stdout}{done.stderr}"
        return done.stdout

    def write(self, path: str, text: str) -> None:
        self.run("sh", "-c", 'mkdir -p "${1%/*}"; cat > "$1"', "sh", path, text_in=text)

    def read(self, path: str) -> str:
        return self.run("cat", path)

    def read_all(self, paths: Iterable[str]) -> str:
        """What is in those of the files that are there."""
        return self.try_run("cat", *paths).stdout

    def files(self) -> str:
        """All configuration, to the last byte, with type, owner and mode."""
        script = (
            "cd /etc; find . -printf '%p %y %m %U:%G %l\\n' | sort;"
            " find . -type f -exec sha256sum {} + | sort"
        )
        return hashlib.sha256(self.run("sh", "-c", script).encode()).hexdigest()

    def module(self, name: str, check: bool = False, **options: Any) -> dict[str, Any]:
        """What a module of the collection answers, run as Ansible would."""
        arguments = json.dumps({"ANSIBLE_MODULE_ARGS": {**options, "_ansible_check_mode": check}})
        done = self.try_run("python3", f"{MODULES}/{name}.py", text_in=arguments)
        try:
            answer: dict[str, Any] = json.loads(done.stdout)
        except ValueError:
            raise RuntimeError(f"rc {done.returncode}: {done.stdout[-1500:]} {done.stderr[-1500:]}") from None
        return answer
