# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The Pythons of this machine, and controllers made with them."""

from __future__ import annotations

import functools
import hashlib
import json
import os
import pathlib
import re
import shutil
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
VENVS = ROOT / ".cache" / "venvs"

# All that host code promises to run on, oldest first.
VERSIONS = ("3.6", "3.7", "3.8", "3.9", "3.10", "3.11", "3.12", "3.13", "3.14")


@functools.cache
def find_python(version: str) -> str | None:
    """The path of a Python that runs, by pyenv or on PATH."""
    pyenv = pathlib.Path(os.environ.get("PYENV_ROOT", pathlib.Path.home() / ".pyenv"))
    candidates = [str(path / "bin" / "python") for path in sorted((pyenv / "versions").glob(version + ".*"))]
    on_path = shutil.which("python" + version)
    for candidate in [*candidates, *([on_path] if on_path else [])]:
        command = [candidate, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False)
        if done.stdout.strip() == version:
            return candidate
    return None


def python(version: str) -> str:
    """Such a Python, or the test is skipped."""
    found = find_python(version)
    if not found:
        pytest.skip(f"no Python {version} on this machine")
    return found


def controller(requirement: str, versions: tuple[str, ...]) -> pathlib.Path:
    """A virtual environment with an ansible-core, on the first of the Pythons that is there. Kept in .cache."""
    found = next(filter(None, map(find_python, versions)), None)
    if not found:
        pytest.skip(f"no Python {' or '.join(versions)} on this machine, needed for {requirement}")
    key = re.sub(r"[^\w.]+", "-", requirement) + "-" + hashlib.sha256(found.encode()).hexdigest()[:8]
    venv = VENVS / key
    if not (venv / "complete").exists():
        shutil.rmtree(venv, ignore_errors=True)
        try:
            subprocess.run([found, "-m", "venv", venv], check=True, stdout=subprocess.DEVNULL)
        except subprocess.CalledProcessError:
            pytest.skip(f"{found} cannot make virtual environments")
        install = [str(venv / "bin/python"), "-m", "pip", "install", "-qq", "--disable-pip-version-check", requirement]
        subprocess.run(install, check=True, timeout=300)
        (venv / "complete").touch()
    return venv / "bin"


def ansible(folder: pathlib.Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `ansible` of a controller on this machine."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")}
    environment.update(ANSIBLE_COLLECTIONS_PATH=str(ROOT / ".cache"), ANSIBLE_NOCOLOR="1")
    return subprocess.run(
        [folder / "ansible", "-i", "localhost,", "-c", "local", *arguments],
        cwd=folder,  # not the checkout: no ansible.cfg
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        timeout=300,
        check=False,
    )


def facts_of(output: str) -> dict:
    """The facts in the JSON that a module prints, with or without Ansible's heading."""
    return json.loads(output[output.index("{") :])["ansible_facts"]["timewait"]
