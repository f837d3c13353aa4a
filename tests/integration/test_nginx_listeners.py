# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ports added to forty configurations, seen by the nginx of three Debian releases."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.lab.nginx_cases import CASES, SNIPPETS, Case
from tests.lab.server_image import image_of

_ROOT = Path(__file__).resolve().parents[2]
_SUITES = ("bullseye", "bookworm", "trixie")
_SECONDS = 1800
_INSIDE = (
    'folder=$(podman image mount "$1"); trap \'podman image umount "$1" > /dev/null\' EXIT;'
    ' unshare --mount --net --propagation private "$2" -m tests.lab.nginx_checks "$folder"'
)


def _shell(script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join((str(_ROOT / ".cache"), str(_ROOT)))}
    command = ["bash", "-euc", f". tools/machine_quirks.sh; {script}", "bash", *arguments]
    return subprocess.run(
        command, cwd=_ROOT, env=environment, check=False, capture_output=True, text=True, timeout=_SECONDS
    )


@pytest.fixture(scope="module", params=_SUITES)
def seen(request: pytest.FixtureRequest) -> dict[str, Any]:
    """The version of a release's nginx, and what it made of every case."""
    image = image_of(request.param)
    missing = [name for name in ("openssl", "unshare") if not shutil.which(name)]
    if missing:
        pytest.skip(f"missing: {' '.join(missing)} (apt-get install openssl util-linux)")
    done = _shell(_INSIDE, image, sys.executable)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_nginx_takes_the_ports_and_listens_on_them(seen: dict[str, Any], case: Case) -> None:
    result = seen["results"][case.name]
    if tuple(map(int, seen["version"].split("."))) < case.since:
        assert result["refused"], "it needs no newer nginx"
        return
    assert result["refused"] == ""
    assert result["refused_with_ports"] == ""
    assert result["complaints_with_ports"] == result["complaints"]
    assert {port for _address, port in result["wanted"]} >= {case.existing_port, *case.ports}
    assert result["opened"] == result["wanted"]
    if case.speaks_http:
        old, new = result["answers"]
        assert old
        assert (new == [old] * len(case.ports)) is not case.asks_port
    assert result["edited"] > 0
    assert result["left"] == []


def test_nginx_reads_what_we_read(seen: dict[str, Any]) -> None:
    """The unit test has the same expectations of our parser."""
    wrong = [text for (text, good), taken in zip(SNIPPETS, seen["snippets"], strict=True) if good is not taken]
    assert wrong == []


def test_nginx_takes_what_is_made_up(seen: dict[str, Any]) -> None:
    """Else the properties that the unit tests find in such configurations would mean nothing."""
    assert len(seen["made_up"]) >= 20
    assert {seed: said for seed, said in seen["made_up"].items() if said != ["", ""]} == {}
