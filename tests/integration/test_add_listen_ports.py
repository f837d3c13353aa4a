# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role add_listen_ports on a host with a real nginx, whose client comes near its capacity."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.lab import facts, web_services
from tests.lab.container import Container
from tests.lab.namespaces import Namespace, lab

_CLIENT = str(Path(__file__).resolve().parents[1] / "lab" / "until_failure.py")
_PLAY = """\
- hosts: all
  gather_facts: false
  roles: [tcpops.timewait.add_listen_ports]
"""
_RECAP = re.compile(r": ok=\d+ +changed=(\d+) +unreachable=0 +failed=(\d+)")
#: the client's range cannot be seen: its thousand ports are 3.5 % of the ports that it is assumed to have
_NEAR = {"timewait_listen_threshold": 0.03, "timewait_listen_clients_bind": "deferred"}


class Server(Container):
    """With a client of a thousand ports."""

    client: Namespace

    def fill(self) -> None:
        """A thousand connections of one client to port 80, which are then in TIME-WAIT here."""
        self.client.run(sys.executable, _CLIENT, "server", "1000", "10.79.0.1", "80", seconds=120)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    if os.geteuid():
        pytest.skip("containers with their own network need root")
    with lab() as made:
        one = Server("bookworm", made.namespace())
        try:
            web_services.install(one)
            one.client = made.namespace(ip_local_port_range="20000 20999")
            made.veth(one.namespace, "10.79.0.1/24", one.client, "10.79.0.2/24")
            yield one
        finally:
            one.remove()


def play(server: Server, folder: Path, *options: str, **variables: Any) -> tuple[int, int, str]:
    """``(changed, failed, output)`` of the role."""
    connection = {
        "ansible_connection": "ssh",
        "ansible_ssh_executable": str(facts.ROOT / "extensions" / "molecule" / "lab" / "podman_ssh.sh"),
        "ansible_ssh_transfer_method": "piped",
        "ansible_ssh_pipelining": True,
        "ansible_ssh_args": "",
        "ansible_python_interpreter": "/usr/bin/python3",
    }
    (folder / "hosts.json").write_text(json.dumps({"all": {"hosts": {server.name: connection}}}))
    (folder / "play.yml").write_text(_PLAY)
    done = subprocess.run(
        [sys.executable, "-m", "ansible", "playbook", str(folder / "play.yml"), "-i", str(folder / "hosts.json"),
         "-e", json.dumps(variables), *options],
        env=facts.environment(), capture_output=True, text=True, timeout=300, check=False, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    recap = _RECAP.search(done.stdout)
    assert recap, done.stdout + done.stderr
    return int(recap[1]), int(recap[2]), re.sub(r"\s+", " ", done.stdout + done.stderr)


def test_nothing_is_added_where_no_pool_is_near_capacity(server: Server, tmp_path: Path) -> None:
    changed, failed, said = play(server, tmp_path)
    assert (changed, failed) == (0, 0)
    assert "No inbound pool is near capacity" in said


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"timewait_listen_clients_bind": "explicit"}, "more server ports add nothing"),
        ({"timewait_target_rate": 900, "timewait_listen_most": 2}, "more than timewait_listen_most (2) ports"),
        ({"timewait_listen_add": [81]}, "name the existing port"),
    ],
)
def test_it_says_when_it_will_not(server: Server, tmp_path: Path, variables: dict[str, Any], words: str) -> None:
    files = server.files()
    server.fill()
    changed, failed, said = play(server, tmp_path, **{**_NEAR, **variables})
    assert (changed, failed) == (0, 1)
    assert words in said
    assert server.files() == files


def test_ports_are_proposed_for_a_rate_and_added_once(server: Server, tmp_path: Path) -> None:
    files = server.files()
    wanted = {**_NEAR, "timewait_target_rate": 900}
    server.fill()
    promised = play(server, tmp_path, "--check", **wanted)
    assert promised[:2] == (1, 0)
    assert "900 connections a second for 60 s need 4 ports to be below 50 % of each, there is 1" in promised[2]
    assert server.files() == files
    server.fill()
    changed, failed, said = play(server, tmp_path, **wanted)
    assert (changed, failed) == (1, 0), said
    assert "nginx listens on 80, 81, 82, 83" in said
    server.fill()
    assert play(server, tmp_path, **wanted)[:2] == (0, 0), "the second run changes nothing"
    gone = play(server, tmp_path, timewait_listen_existing_port=80, timewait_listen_state="absent")
    assert gone[:2] == (1, 0), gone[2]
    assert server.files() == files
