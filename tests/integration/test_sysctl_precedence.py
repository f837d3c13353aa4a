# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What we say that wins, against what the loaders of three Debian releases really do."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.lab.sysctl_cases import CASES

_ROOT = Path(__file__).resolve().parents[2]
_SUITES = ("bullseye", "bookworm", "trixie")
#: the first run on a machine makes the images
_SECONDS = 1800


def _image(suite: str) -> str:
    """Where the image's files are, read only for us."""
    if os.geteuid():
        pytest.skip("mounting an image needs root")
    if not shutil.which("podman"):
        pytest.skip("missing: podman (apt-get install podman)")
    script = ". tools/machine_quirks.sh; tools/build_lab_images.sh \"$1\" | cut -d ' ' -f 2 | xargs podman image mount"
    built = subprocess.run(
        ["bash", "-euc", script, "bash", suite], cwd=_ROOT, capture_output=True, text=True, timeout=_SECONDS
    )
    if built.returncode:
        pytest.skip(f"no image of {suite}: {built.stderr.strip()[-200:]}")
    return built.stdout.strip()


@pytest.fixture(scope="module", params=_SUITES)
def results(request: pytest.FixtureRequest) -> dict[str, dict]:
    """Of every case, what is expected and what was seen, under the loaders of one release."""
    image = _image(request.param)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join((str(_ROOT / ".cache"), str(_ROOT)))}
    program = [sys.executable, "-m", "tests.lab.sysctl_trees", image]
    done = subprocess.run(
        ["unshare", "--mount", "--propagation", "private", *program],
        input=json.dumps(CASES), cwd=_ROOT, env=environment, capture_output=True, text=True, timeout=_SECONDS,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("loader", ("systemd-sysctl", "procps"))
@pytest.mark.parametrize("case", CASES)
def test_what_wins_is_what_the_loader_leaves(results: dict[str, dict], case: str, loader: str) -> None:
    expected = results[case]["expected"][loader]["values"]
    before, after = results[case]["real"][loader]
    assert len(before) > 10
    told = {path: value for path, (value, sure) in expected.items() if sure and path in before}
    unsure = {path for path, (_value, sure) in expected.items() if not sure}
    changed = {path: value for path, value in after.items() if value != before[path] and path not in unsure}
    assert {path: value for path, value in told.items() if value not in (None, before[path])} == changed


def test_few_cases_are_left_open(results: dict[str, dict]) -> None:
    """Every case would pass if nothing were sure."""
    unsure = [
        (case, loader, path)
        for case, result in results.items()
        for loader, one in result["expected"].items()
        for path, (_value, sure) in one["values"].items()
        if not sure
    ]
    assert len(unsure) <= 6, unsure


def test_most_cases_change_something(results: dict[str, dict]) -> None:
    idle = [
        case for case, result in results.items() if all(before == after for before, after in result["real"].values())
    ]
    assert len(idle) <= 3, idle
