# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts that are namespaces, each with an sshd of its own, on a bridge that leads nowhere else.

Ansible stays where it is: only its ssh client enters the fabric's namespace, by a wrapper.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from . import facts, oracle
from .namespaces import Lab, Namespace

_BRIDGE_ADDRESS = "10.78.0.1/16"
_PYTHON = "/usr/bin/python3"

# Own mounts, processes and name. What the lab mounted elsewhere goes away first: in here it is nobody's.
_HOST = """
set -eu
awk '$4 ~ /^net:/ {print $5}' /proc/self/mountinfo | xargs -r umount -l
mount -t tmpfs tmpfs /run
if [ "$4" = changeable ]; then
    # a copy: what is written stays in here, and what somebody writes to the machine's meanwhile does not come in;
    # what is taken away while it is copied, as by an installation, fails the copy
    tries=0
    until cp -a /etc /run/etc; do
        rm -rf /run/etc
        tries=$((tries + 1))
        [ "$tries" -lt 10 ]
        sleep 1
    done
    mount --bind /run/etc /etc
    mount -t tmpfs -o mode=0755 tmpfs /var/lib
fi
mkdir -m 0755 /run/sshd
hostname "$1"
exec "$2" -D -e -f /dev/null -h "$3/host_key" -o AuthorizedKeysFile="$3/key.pub" -o PidFile=none \
    -o StrictModes=no -o UsePAM=no -o PermitRootLogin=prohibit-password -o MaxStartups=100 -o UseDNS=no
"""


class Fleet:
    """``hosts`` by name; ``inventory`` is a file for ``ansible -i``.

    With ``changeable`` each host has an ``/etc`` of its own, which begins as the machine's, and an empty ``/var/lib``.
    """

    def __init__(self, lab: Lab, folder: Path, count: int, changeable: bool = False) -> None:
        self._lab = lab
        self._folder = folder
        self._files = "changeable" if changeable else "machine's"
        self.hosts: dict[str, Namespace] = {}
        self._variables: dict[str, dict[str, Any]] = {}
        self.inventory = folder / "hosts.json"
        self._sshd = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
        if not self._sshd:
            raise RuntimeError("no sshd: apt-get install openssh-server")
        for name in ("key", "host_key"):
            argv = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "lab", "-f", str(folder / name)]
            subprocess.run(argv, check=True, timeout=60)
        self.fabric = lab.namespace()
        lab.bridge(self.fabric, _BRIDGE_ADDRESS)
        wrapper = folder / "ssh"
        wrapper.write_text(f'#!/bin/sh\nexec ip netns exec {self.fabric.name} ssh "$@"\n', encoding="ascii")
        wrapper.chmod(0o755)
        for number in range(1, count + 1):
            self._add(f"host{number:02}", f"10.78.1.{number}")
        self._write_inventory()
        for name in self.hosts:
            oracle.wait_for(lambda name=name: self._answers(name), seconds=30)  # type: ignore[misc]

    def _add(self, name: str, address: str) -> None:
        host = self._lab.namespace()
        self._lab.plug(self.fabric, host, f"{address}/16")
        self.hosts[name] = host
        self._variables[name] = {"ansible_host": address}
        command = ["unshare", "--mount", "--uts", "--ipc", "--pid", "--fork", "--kill-child", "--mount-proc"]
        arguments = (name, str(self._sshd), str(self._folder), self._files)
        argv = host.argv(*command, "sh", "-c", _HOST, "sh", *arguments)
        self._lab.start(argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def _answers(self, name: str) -> bool:
        return "LISTEN" in self.hosts[name].run("ss", "-Hltn")

    def set_variables(self, name: str, **variables: Any) -> None:
        self._variables[name].update(variables)
        self._write_inventory()

    def add_absent(self, name: str, address: str) -> None:
        """A host in the inventory that is not there."""
        self._variables[name] = {"ansible_host": address}
        self._write_inventory()

    def _common(self) -> dict[str, str]:
        return {
            "ansible_user": "root",
            "ansible_ssh_executable": str(self._folder / "ssh"),
            "ansible_ssh_private_key_file": str(self._folder / "key"),
            "ansible_ssh_common_args": (
                "-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR -o ConnectTimeout=5"
            ),
            "ansible_remote_tmp": "/run/ansible",
            "ansible_python_interpreter": _PYTHON,
        }

    def _write_inventory(self) -> None:
        inventory = {"all": {"vars": self._common(), "hosts": self._variables}}
        self.inventory.write_text(json.dumps(inventory, indent=1), encoding="utf-8")

    def environment(self) -> Mapping[str, str]:
        return {
            **facts.environment(),
            "ANSIBLE_SSH_CONTROL_PATH_DIR": str(self._folder / "cp"),
            "ANSIBLE_LOCAL_TEMP": str(self._folder / "tmp"),
        }

    def run(self, *argv: str, seconds: float = 300) -> subprocess.CompletedProcess[str]:
        """A command of Ansible on the controller."""
        return subprocess.run(
            argv,
            env=self.environment(),
            cwd=facts.ROOT,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )

    def shell(self, name: str, script: str) -> str:
        """Output of a script on a host, by ssh.

        :raises subprocess.CalledProcessError: when it fails.
        """
        options = self._common()["ansible_ssh_common_args"].split()
        address = self._variables[name]["ansible_host"]
        argv = [str(self._folder / "ssh"), "-i", str(self._folder / "key"), *options, f"root@{address}", script]
        done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=True)
        return done.stdout

    def forget_connections(self) -> None:
        """End the shared connections, so that the next command makes its own."""
        for pid in self.fabric.process_ids():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
        oracle.wait_for(lambda: not self.fabric.process_ids())


@contextlib.contextmanager
def fleet(lab: Lab, count: int, changeable: bool = False) -> Iterator[Fleet]:
    """So many hosts for the length of the block; the lab takes their namespaces and processes away."""
    with tempfile.TemporaryDirectory(prefix="tw") as folder:
        one = Fleet(lab, Path(folder), count, changeable)
        try:
            yield one
        finally:
            one.forget_connections()
