# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The artefact, built once, and installed where nothing of the checkout is in reach."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys
import tarfile
from typing import NamedTuple

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(sys.executable).parent


class Installed(NamedTuple):
    """An installed collection and how to run Ansible with it alone."""

    path: pathlib.Path
    elsewhere: pathlib.Path
    environment: dict[str, str]

    def run(self, *command: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run a program of the virtual environment in a folder without an ansible.cfg."""
        return subprocess.run(
            [str(BIN / command[0]), *command[1:]],
            cwd=self.elsewhere,
            env={**self.environment, **variables},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=300,
            check=False,
        )


@pytest.fixture(scope="session")
def source(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """A copy of what a clone has, plus what work in a checkout leaves behind."""
    folder = tmp_path_factory.mktemp("source")
    done = subprocess.run([ROOT / "tools/copy_collection.sh", folder], stdout=subprocess.PIPE, text=True, check=True)
    copy = pathlib.Path(done.stdout.strip())
    for name in (".cache/x", ".venv/bin/x", "report/audit.json", "tests/output/x", "tcpops-timewait-0.0.9.tar.gz"):
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        (copy / name).write_text("left behind\n")
    return copy


@pytest.fixture(scope="session")
def artefact(source: pathlib.Path, tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """The tarball that would be published."""
    folder = tmp_path_factory.mktemp("artefact")
    command = [str(BIN / "ansible-galaxy"), "collection", "build", "--output-path", str(folder)]
    subprocess.run(command, cwd=source, stdin=subprocess.DEVNULL, check=True, timeout=120)
    (tarball,) = folder.glob("*.tar.gz")
    return tarball


@pytest.fixture(scope="session")
def members(artefact: pathlib.Path) -> list[str]:
    """The names of what is in it."""
    with tarfile.open(artefact) as archive:
        return archive.getnames()


@pytest.fixture(scope="session")
def installed(artefact: pathlib.Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """The artefact installed offline, with an environment that knows no other collection."""
    path = tmp_path_factory.mktemp("collections")
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")}
    environment.update(
        ANSIBLE_COLLECTIONS_PATH=str(path),
        ANSIBLE_COLLECTIONS_SCAN_SYS_PATH="false",
        ANSIBLE_NOCOLOR="1",
        HOME=str(elsewhere),
    )
    result = Installed(path / "ansible_collections/tcpops/timewait", elsewhere, environment)
    done = result.run(
        "ansible-galaxy", "collection", "install", "--offline", "--no-deps", "-p", str(path), str(artefact)
    )
    assert done.returncode == 0, done.stdout
    return result
