# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ports added to socket units and taken away, in a container that systemd runs, with clients meanwhile.

What was seen goes out as JSON.
"""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

from ansible_collections.tcpops.timewait.plugins.module_utils._files import Files
from ansible_collections.tcpops.timewait.plugins.module_utils._listeners.plan import Command, Plan
from ansible_collections.tcpops.timewait.plugins.module_utils._listeners.request import Request
from ansible_collections.tcpops.timewait.plugins.module_utils._listeners.systemd_socket import edit

from tests.lab.listener_cases import SYSTEMD, Case

_SECONDS = 60
#: what the services run: they answer on every socket that they are handed, or on the one that is their input
_SERVE = """
import os, select, socket
heard = [socket.socket(fileno=3 + number) for number in range(int(os.environ["LISTEN_FDS"]))]
while True:
    for ready in select.select(heard, [], [])[0]:
        connection, _address = ready.accept()
        connection.sendall(b"served")
        connection.close()
"""
_SERVE_ONE = """
import socket
socket.socket(fileno=0).sendall(b"served")
"""


def systemctl(*words: str) -> str:
    argv = ["systemctl", *words]
    done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=_SECONDS, check=False)
    return done.stdout.decode(errors="replace")


def run(commands: tuple[Command, ...]) -> list[str]:
    """Output of what failed."""
    failed = []
    for command in commands:
        done = subprocess.run(
            command.argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=_SECONDS, check=False
        )
        if done.returncode:
            failed.append(done.stdout.decode(errors="replace"))
    return failed


def answer(address: str, port: int) -> str:
    """What a client is told."""
    try:
        with socket.create_connection((address, port), timeout=10) as connection:
            return connection.recv(100).decode()
    except OSError as error:
        return str(error)


def answers(ports: set[tuple[str, int]]) -> list[list[Any]]:
    return [[address, port, answer(address, port)] for address, port in sorted(ports)]


def reached(port: int) -> set[tuple[str, int]]:
    """Loopback addresses by which a port can be reached, as the configuration is understood."""
    loopback = {"": "127.0.0.1", "*": "127.0.0.1", "::": "::1"}
    return {(loopback.get(one.address, one.address), one.port) for one in edit.find(Files()) if one.port == port}


def opened(units: list[str]) -> list[list[str]]:
    """What systemd says that it listens on."""
    shown = systemctl("show", "--property", "Id,Listen", *units)
    found = []
    for block in shown.split("\n\n"):
        lines = [line.partition("=")[::2] for line in block.splitlines()]
        name = dict(lines).get("Id", "")
        found += [[name, value.rpartition(" ")[0]] for key, value in lines if key == "Listen" and "Stream" in value]
    return sorted(found)


def write(plan: Plan) -> None:
    """Carry out a plan; a file with nothing in it goes, and so does a folder."""
    for path, content in plan.edits.items():
        if content:
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            Path(path).write_bytes(content)
        else:
            Path(path).unlink()
            if not any(Path(path).parent.iterdir()):
                Path(path).parent.rmdir()


class Clients:
    """A client that connects to one port again and again while the sockets restart, so that it activates services."""

    def __init__(self, address: str, port: int) -> None:
        self._place = (address, port)
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._connect)

    def __enter__(self) -> Clients:
        self._thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._end.set()
        self._thread.join()

    def _connect(self) -> None:
        for _number in range(5000):
            if self._end.wait(0.02):
                return
            answer(*self._place)


def snapshot() -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in Path("/etc/systemd").rglob("*") if path.is_file()}


def check(case: Case) -> dict[str, Any]:
    port, request = case.existing_port, Request(case.existing_port, case.ports)
    tree = Path("/opt", case.name)
    case.make(tree)
    shutil.copytree(tree, "/", symlinks=True, dirs_exist_ok=True)
    systemctl("daemon-reload")
    chosen = edit.concerned(Files(), port)
    units = [one.unit for one in chosen]
    systemctl("start", *units)
    first = sorted(reached(port))[0]
    result: dict[str, Any] = {"before": answers(reached(port)), "opened_before": opened(units)}
    files = snapshot()
    plan = edit.add(Files(), request)
    write(plan)
    result["verified"] = subprocess.run(
        edit.check(chosen), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
    ).returncode
    names = sorted({*units, *(one.service for one in chosen)})
    running = [name for name in names if systemctl("is-active", name).strip() == "active"]
    result["failed"] = []
    with Clients(*first):
        for _time in range(3):
            result["failed"] += run(edit.restart_commands(Files(), chosen, running))
    result["opened_after"] = opened(units)
    result["added"] = answers({place for one in request.ports for place in reached(one)})
    result["after"] = answers(reached(port))
    result["again"] = sorted(edit.add(Files(), request).edits)
    write(edit.remove(Files(), request))
    result["left"] = files != snapshot()
    result["failed"] += run(edit.restart_commands(Files(), chosen, running))
    result["opened_at_last"] = opened(units)
    result["at_last"] = answers(reached(port))
    systemctl("stop", *names)
    for path in sorted(tree.rglob("*"), reverse=True):
        place = Path("/") / path.relative_to(tree)
        if path.is_symlink() or path.is_file():
            place.unlink()
    systemctl("daemon-reload")
    return result


def main() -> None:
    Path("/opt/serve.py").write_text(_SERVE)
    Path("/opt/serve_one.py").write_text(_SERVE_ONE)
    json.dump({case.name: check(case) for case in SYSTEMD}, sys.stdout)


if __name__ == "__main__":
    main()
