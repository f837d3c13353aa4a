# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Images of the lab with more programs, such as the servers that listen ports are added to, and containers of them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile

import pytest

from tests.lab.facts import ROOT

#: the first run on a machine makes the images
SECONDS = 1800
_RUN_SECONDS = 300
_IMAGE = 'tools/build_lab_images.sh "$1/$2" | cut -d " " -f 2'
_INSIDE = str(ROOT / "extensions" / "molecule" / "lab" / "inside.py")
_COLLECTION = "/opt/ansible_collections/tcpops/timewait"
#: what a container needs to run the tests' own programs
VOLUMES = (
    "--volume", f"{ROOT}/plugins:{_COLLECTION}/plugins:ro", "--volume", f"{ROOT}/tests:/opt/tests:ro",
    "--env", "PYTHONPATH=/opt", "--env", "PYTHONDONTWRITEBYTECODE=1",
)  # fmt: skip


def shell(script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A script with what podman needs on a machine like this."""
    command = ["bash", "-euc", f". tools/machine_quirks.sh; {script}", "bash", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=SECONDS, check=False)


def inside(container: str, *command: str) -> list[str]:
    """A command line that runs in a container, which must be named as its host."""
    return [sys.executable, "-IS", _INSIDE, container, *command]


def run_inside(container: str, *command: str, text_in: str = "") -> subprocess.CompletedProcess[str]:
    """What a command in a container says until it ends; what it has started may go on, with all that it inherits."""
    argv = inside(container, *command)
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        done = subprocess.run(
            argv, check=False, stdout=output, stderr=errors, input=text_in.encode(), timeout=_RUN_SECONDS
        )
        said = []
        for file in (output, errors):
            file.seek(0)
            said.append(file.read().decode())
    return subprocess.CompletedProcess(argv, done.returncode, *said)


def image_of(suite: str, folder: str = "servers") -> str:
    """The image of a release, by the folder with its Containerfile; skips where it cannot be had."""
    if os.geteuid():
        pytest.skip("containers with their own network need root")
    if not shutil.which("podman"):
        pytest.skip("missing: podman (apt-get install podman runc netavark)")
    made = shell(_IMAGE, suite, folder)
    if made.returncode:
        pytest.skip(f"no image of {suite}: {made.stderr.strip()[-200:]}")
    return made.stdout.split()[-1]
