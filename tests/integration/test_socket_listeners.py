# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ports added to socket units, seen by the systemd of three Debian releases, with clients that go on meanwhile."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from tests.lab.listener_cases import SYSTEMD, Case
from tests.lab.server_image import VOLUMES, image_of, shell

_SUITES = ("bullseye", "bookworm", "trixie")
_START = 'podman run --detach --name "$1" --systemd always --network none "${@:3}" "$2"'
_END = 'podman rm --force --ignore --time 0 "$1"'
_READY = 'podman exec "$1" systemctl is-system-running || true'
_INSIDE = 'podman exec "$1" python3 -m tests.lab.socket_checks'


@pytest.fixture(scope="module", params=_SUITES)
def seen(request: pytest.FixtureRequest) -> dict[str, Any]:
    """What the systemd of a release made of every case."""
    image, name = image_of(request.param), f"tw-sockets-{request.param}"
    shell(_END, name)
    started = shell(_START, name, image, *VOLUMES)
    assert started.returncode == 0, started.stderr
    try:
        deadline = time.monotonic() + 120
        while shell(_READY, name).stdout.strip() not in ("running", "degraded"):
            assert time.monotonic() < deadline, "systemd did not come up"
            time.sleep(0.5)
        done = shell(_INSIDE, name)
        assert done.returncode == 0, done.stderr[-3000:]
        return json.loads(done.stdout)
    finally:
        shell(_END, name)


@pytest.mark.parametrize("case", SYSTEMD, ids=[case.name for case in SYSTEMD])
def test_systemd_listens_on_the_ports_and_the_service_answers(seen: dict[str, Any], case: Case) -> None:
    result = seen[case.name]
    assert result["verified"] == 0
    assert result["failed"] == []
    assert {said for when in ("before", "added", "after", "at_last") for _address, _port, said in result[when]} == {
        "served"
    }
    assert {port for _address, port, _said in result["added"]} == set(case.ports)
    assert len(result["opened_after"]) == len(result["opened_before"]) + case.listeners
    assert result["again"] == []
    assert result["left"] is False
    assert result["opened_at_last"] == result["opened_before"]
