# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Our reading of socket units against systemd's own, in a container that boots it."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from collections.abc import Iterator

import pytest

from tests.lab.facts import ROOT
from tests.lab.namespaces import Lab

_ETC, _RUN, _USR = "/etc/systemd/system", "/run/systemd/system", "/usr/lib/systemd/system"

#: awkward units: path -> text, or the target of a symbolic link
_FILES = {
    f"{_USR}/plain.socket": "[Socket]\nListenStream=20001\nListenStream=127.0.0.1:20002\nListenStream=[::1]:20003\n",
    f"{_USR}/over.socket": "[Socket]\nListenStream=20010\n",
    f"{_RUN}/over.socket": "[Socket]\nListenStream=20011\n",
    f"{_ETC}/over.socket": "[Socket]\nListenStream=20012\n",
    f"{_USR}/reset.socket": "[Socket]\nListenStream=20020\nListenStream=20021\n",
    f"{_USR}/reset.socket.d/10-a.conf": "[Socket]\nListenStream=20022\n",
    f"{_ETC}/reset.socket.d/10-a.conf": "[Socket]\nListenStream=\nListenStream=20023\n",
    f"{_RUN}/reset.socket.d/20-b.conf": "[Socket]\nListenStream=20024\n",
    f"{_USR}/quiet.socket": "[Socket]\nListenStream=20030\n",
    f"{_USR}/quiet.socket.d/m.conf": "[Socket]\nListenStream=20031\n",
    f"{_ETC}/quiet.socket.d/m.conf": ("/dev/null",),
    f"{_USR}/masked.socket": "[Socket]\nListenStream=20040\n",
    f"{_ETC}/masked.socket": ("/dev/null",),
    f"{_USR}/emptied.socket": "[Socket]\nListenStream=20045\n",
    f"{_ETC}/emptied.socket": "",
    f"{_USR}/real.socket": "[Socket]\nListenStream=20050\n",
    f"{_ETC}/second.socket": (f"{_USR}/real.socket",),
    f"{_ETC}/second.socket.d/x.conf": "[Socket]\nListenStream=20051\n",
    f"{_USR}/one-two-three.socket": "[Socket]\nListenStream=20060\n",
    f"{_ETC}/one-two-.socket.d/x.conf": "[Socket]\nListenStream=20061\n",
    f"{_ETC}/one-.socket.d/y.conf": "[Socket]\nListenStream=20062\n",
    f"{_USR}/web@.socket": "[Socket]\nListenStream=%i\n[Install]\nWantedBy=sockets.target\n",
    f"{_ETC}/sockets.target.wants/web@20070.socket": (f"{_USR}/web@.socket",),
    f"{_ETC}/web@20070.socket.d/x.conf": "[Socket]\nListenStream=0.0.0.0:20071\n",
    f"{_USR}/odd.socket": "[Socket]\n# ListenStream=1\n ListenStream = \\\n# amid\n 20080\nListenDatagram=20081\n"
    "[Install]\nListenStream=20082\n",
}

_OURS = """
import json, sys
sys.path.insert(0, "/opt")
from ansible_collections.tcpops.timewait.plugins.module_utils._files import Files
from ansible_collections.tcpops.timewait.plugins.module_utils._service_ports import socket_units
claims, problems = socket_units.find(Files())
print(json.dumps([[[claim.what.rpartition(" ")[2], claim.first] for claim in claims], problems]))
"""


@pytest.fixture(name="container", params=["bullseye", "trixie"])
def fixture_container(made: Lab, request: pytest.FixtureRequest) -> Iterator[list[str]]:
    """Command that runs another one inside."""
    if not shutil.which("podman"):
        pytest.skip("missing: podman (apt-get install podman runc netavark)")
    suite = request.param
    built = podman("tools/build_lab_images.sh", suite, seconds=600).split()
    name = f"tw-units-{suite}"
    podman("podman", "rm", "--force", "--ignore", "--time", "0", name)
    collection = "/opt/ansible_collections/tcpops/timewait"
    started = ["podman", "run", "--detach", "--name", name, "--systemd", "always", "--network", "none"]
    podman(*started, "--volume", f"{ROOT}/plugins:{collection}/plugins:ro", built[1])
    try:
        yield ["podman", "exec", "-i", name]
    finally:
        podman("podman", "rm", "--force", "--time", "0", name)


def podman(*argv: str, text_in: str | None = None, seconds: int = 120) -> str:
    """Output of a command with what podman needs on a machine like this."""
    done = subprocess.run(
        ["bash", "-c", '. tools/machine_quirks.sh && exec "$@"', "bash", *argv],
        cwd=ROOT,
        input=text_in,
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )
    assert done.returncode == 0, f"{argv}: {done.stderr[-1500:]}"
    return done.stdout


def wait_for_boot(container: list[str]) -> None:
    deadline = time.monotonic() + 60
    probe = "systemctl is-system-running; true"
    while podman(*container, "sh", "-c", probe).strip() not in ("running", "degraded"):
        assert time.monotonic() < deadline, "systemd did not come up"
        time.sleep(0.5)


def ports_of_systemd(container: list[str]) -> list[list[object]]:
    """``[unit, port]`` of each stream with a port that systemd would open, of every unit file that it knows.

    ``list-unit-files`` also names masked units and aliases; ``show`` gives the unit's own name.
    """
    listed = podman(*container, "systemctl", "list-unit-files", "--type=socket", "--no-legend", "--plain", "--no-pager")
    names = [line.split()[0] for line in listed.splitlines() if line.strip()]
    names = [name for name in names if "@." not in name] + ["web@20070.socket"]
    shown = podman(*container, "systemctl", "show", "-p", "Id,LoadState,Listen", *names)
    found = set()
    for block in shown.split("\n\n"):
        lines = [line.partition("=")[::2] for line in block.splitlines()]
        unit = dict(lines)["Id"]
        if dict(lines)["LoadState"] != "loaded":
            continue
        for key, value in lines:
            address, _space, kind = value.rpartition(" ")
            if key == "Listen" and kind == "(Stream)" and not address.startswith(("/", "@", "vsock")):
                found.add((unit, int(address.rpartition(":")[2])))
    return sorted(map(list, found))


def test_socket_units_are_read_as_systemd_reads_them(container: list[str]) -> None:
    wait_for_boot(container)
    for path, content in _FILES.items():
        make = f"mkdir -p $(dirname {path}) && "
        if isinstance(content, tuple):
            podman(*container, "sh", "-c", make + f"ln -s {content[0]} {path}")
        else:
            podman(*container, "sh", "-c", make + f"cat > {path}", text_in=content)
    podman(*container, "systemctl", "daemon-reload")
    theirs = ports_of_systemd(container)
    ours, problems = json.loads(podman(*container, "python3", "-c", _OURS))
    assert problems == []
    assert sorted(map(list, {tuple(one) for one in ours})) == theirs
    expected = {20001, 20002, 20003, 20012, 20023, 20024, 20030, 20050, 20051, 20060, 20061, 20062, 20070, 20071, 20080}
    assert expected <= {port for _unit, port in theirs}, "systemd took the units"
