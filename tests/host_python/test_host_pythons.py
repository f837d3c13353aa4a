# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module really runs on the Pythons and under the controllers that are promised."""

from __future__ import annotations

import json
import socket
import subprocess

import pytest
from pythons import ROOT, VERSIONS, ansible, controller, facts_of, python

MODULE = "tcpops.timewait.timewait_facts"
PLUGINS = "ansible_collections.tcpops.timewait.plugins"
# The last ansible-core that speaks to RHEL 8's platform Python, and the newest.
LAST_FOR_36 = ("ansible-core~=2.16.0", ("3.11", "3.12", "3.10"))
NEWEST = ("ansible-core", ("3.14", "3.13", "3.12"))
#: that tests had
_PORTS = set()


def server_on_a_new_port():
    """Not one of a test before, whose connections may still be in TIME-WAIT: the kernel draws by lot."""
    server = socket.create_server(("127.0.0.1", 0))
    while (port := server.getsockname()[1]) in _PORTS:
        server.close()
        server = socket.create_server(("127.0.0.1", 0))
    _PORTS.add(port)
    return server


@pytest.fixture
def time_wait():
    """Ten connections to a port of this machine, closed by the client first: (port, number)."""
    with server_on_a_new_port() as server:
        port = server.getsockname()[1]
        for _number in range(10):
            client = socket.create_connection(("127.0.0.1", port))
            accepted, _address = server.accept()
            client.close()
            accepted.recv(1)
            accepted.close()
        yield port, 10


def check(facts, time_wait):
    """The schema's skeleton, and the connections that the test made."""
    port, number = time_wait
    assert facts["schema"] == 1
    assert facts["source"] == "sock_diag"
    assert facts["kernel"]["timewait_seconds"] > 0
    network = facts["namespaces"][0]
    assert network["port_range"]["usable"] > 0
    assert network["sysctls"]["ip_local_port_range"]
    pools = [pool for pool in network["pools"] if (pool["direction"], pool["remote_port"]) == ("outbound", port)]
    assert [(pool["remote_address"], pool["time_wait"]) for pool in pools] == [("127.0.0.1", number)]
    assert sum(pools[0]["history"]) == number


@pytest.mark.parametrize(
    ("controllers", "host"), [(LAST_FOR_36, "3.6"), (LAST_FOR_36, "3.12"), (NEWEST, "3.9"), (NEWEST, "3.13")]
)
def test_through_ansible(controllers, host, time_wait):
    interpreter = python(host)
    folder = controller(*controllers)
    # A pool of ten sockets may not be among the top 20 of a busy machine.
    arguments = ("-a", "top=1000", "-e", f"ansible_python_interpreter={interpreter}")
    done = ansible(folder, "localhost", "-m", MODULE, *arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    check(facts_of(done.stdout), time_wait)


def run(version, tmp_path, *arguments, text_in=""):
    """Run our own code, with the basic.py of a release that supports this Python."""
    interpreter = python(version)
    folder = controller(*(LAST_FOR_36 if version in ("3.6", "3.7", "3.8") else NEWEST))
    libraries = subprocess.run(
        [folder / "python", "-c", "import ansible, os; print(os.path.dirname(os.path.dirname(ansible.__file__)))"],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    ).stdout.strip()
    # Only ansible itself of that folder: the rest of it is for another Python.
    (tmp_path / "ansible").symlink_to(f"{libraries}/ansible")
    return subprocess.run(
        [interpreter, *arguments],
        input=text_in,
        env={"PYTHONPATH": f"{ROOT / '.cache'}:{tmp_path}", "PYTHONDONTWRITEBYTECODE": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        timeout=120,
        check=False,
    )


def directly(version, module, options, tmp_path, status=0):
    """What a module prints."""
    arguments = json.dumps({"ANSIBLE_MODULE_ARGS": options})
    done = run(version, tmp_path, "-m", f"{PLUGINS}.modules.{module}", text_in=arguments)
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("version", VERSIONS)
def test_all_that_runs_on_hosts_is_imported(version, tmp_path):
    """Every file of it, also those that no run of a module here gets to."""
    folders = [ROOT / "plugins" / name for name in ("modules", "module_utils")]
    files = sorted(path.relative_to(ROOT / "plugins") for folder in folders for path in folder.rglob("*.py"))
    names = [f"{PLUGINS}.{'.'.join(path.with_suffix('').parts)}" for path in files]
    assert len(names) > 100
    done = run(version, tmp_path, "-c", "import sys\nfor name in sys.stdin.read().split(): __import__(name)",
               text_in="\n".join(names))  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("version", VERSIONS)
def test_listen_ports(version, tmp_path):
    """As far as it goes on a machine that it must not change: what it needs is imported, and it looks at the host."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    options = {"existing_port": port, "count": 1, "_ansible_check_mode": True}
    result = json.loads(directly(version, "listen_ports", options, tmp_path, status=1))
    assert result["msg"].startswith(f"nothing listens on port {port}, so that it cannot be told whose configuration")


@pytest.mark.parametrize("version", VERSIONS)
def test_directly(version, time_wait, tmp_path):
    check(facts_of(directly(version, "timewait_facts", {"top": 1000}, tmp_path)), time_wait)


@pytest.mark.parametrize("version", VERSIONS)
def test_experiments(version, tmp_path):
    """All quick ones: where network namespaces are barred they are skipped, and their code is not run."""
    result = json.loads(directly(version, "timewait_experiment_info", {}, tmp_path))
    found = {one["name"]: one for one in result["experiments"]}
    assert {one["verdict"] for one in found.values()} <= {"agrees", "skipped"}, found
    if not result["unavailable"]:
        assert found["pool_capacity"]["verdict"] == found["last_ack"]["verdict"] == "agrees"
