# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook add_quadruplets on a load balancer and two servers, from no port left to eight times as many."""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.lab import facts
from tests.lab.container import Container
from tests.lab.namespaces import Lab, Namespace, lab

_RECAP = re.compile(r"^(\S+) +: ok=\d+ +changed=(\d+) +unreachable=0 +failed=(\d+)", re.MULTILINE)
_SECONDS = 300
_HAPROXY = """\
global
    stats socket /run/haproxy.sock mode 600 level admin expose-fd listeners

defaults
    mode tcp
    timeout connect 5s
    timeout client 30s
    timeout server 30s

frontend web
    bind :8001
    default_backend app

backend app
    server web1 10.81.0.11:80
    server web2 10.81.0.12:80
"""
_PROXY = """\
pid /run/nginx.pid;
events { worker_connections 512; }
http {
    access_log off;
    upstream pages {
        server 10.81.0.11:80;
        server 10.81.0.12:80;
    }
    server {
        listen 8002;
        location / {
            proxy_pass http://pages;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
        }
    }
}
"""
_WEB = """\
pid /run/nginx.pid;
events { worker_connections 2048; }
http {
    access_log off;
    server { listen 80; return 200 "app\\n"; }
}
"""


@pytest.fixture(scope="module")
def made() -> Iterator[Lab]:
    if os.geteuid():
        pytest.skip("network namespaces need root")
    with lab() as made:
        yield made


@pytest.fixture(scope="module")
def client(made: Lab) -> Namespace:
    """A host that asks the load balancer."""
    return made.namespace()


@pytest.fixture(scope="module")
def hosts(made: Lab, client: Namespace) -> Iterator[dict[str, Container]]:
    with contextlib.ExitStack() as stack:
        fabric = made.namespace()
        made.bridge(fabric, "10.81.0.254/24")
        made.plug(fabric, client, "10.81.0.2/24")
        found = {}
        for number, name in enumerate(("lb", "web1", "web2"), 10):
            namespace = made.namespace(ip_local_port_range="40000 40999", tcp_tw_reuse=0)
            one = found[name] = Container("bookworm", namespace)
            stack.callback(one.remove)
            # what would wait at boot for an interface to be configured has none to wait for
            made.plug(fabric, namespace, f"10.81.0.{number}/24")
            one.write("/etc/nginx/nginx.conf", _PROXY if name == "lb" else _WEB)
            one.write("/etc/haproxy/haproxy.cfg", _HAPROXY)
            one.run("systemctl", "restart", *(["haproxy", "nginx"] if name == "lb" else ["nginx"]))
        yield found


def inventory(hosts: dict[str, Container], folder: Path) -> Path:
    connection = {
        "ansible_connection": "ssh",
        "ansible_ssh_executable": str(facts.ROOT / "extensions" / "molecule" / "lab" / "podman_ssh.sh"),
        "ansible_ssh_transfer_method": "piped",
        "ansible_ssh_pipelining": True,
        "ansible_ssh_args": "",
        "ansible_python_interpreter": "/usr/bin/python3",
        "timewait_addresses_interface": "eth0",
        "timewait_addresses_count": 1,
    }
    described = {
        "timewait_servers": {
            "hosts": {name: {"ansible_host": hosts[name].name} for name in ("web1", "web2")},
            "vars": {
                "timewait_listen_existing_port": 80, "timewait_listen_count": 1,
                "timewait_addresses_free_range": "10.81.0.64-10.81.0.79",
            },
        },
        "timewait_load_balancers": {
            "hosts": {"lb": {"ansible_host": hosts["lb"].name}},
            "vars": {
                "timewait_spread_backend": "app", "timewait_addresses_free_range": "10.81.0.96-10.81.0.99",
                "timewait_spread_watch": 6,
            },
        },
    }  # fmt: skip
    path = folder / "hosts.json"
    path.write_text(json.dumps({"all": {"children": described, "vars": connection}}))
    return path


def play(
    hosts: dict[str, Container], folder: Path, name: str, *options: str, **variables: Any
) -> tuple[dict[str, tuple[int, int]], str]:
    """``({host: (changed, failed)}, output)``."""
    done = subprocess.run(
        [sys.executable, "-m", "ansible", "playbook", name, "-i", str(inventory(hosts, folder)),
         "-e", json.dumps({"timewait_settle": 0, **variables}), *options],
        env=facts.environment(), capture_output=True, text=True, timeout=_SECONDS, check=False,
        stdin=subprocess.DEVNULL,
    )  # fmt: skip
    found = {match[1]: (int(match[2]), int(match[3])) for match in _RECAP.finditer(done.stdout)}
    return found, done.stdout + done.stderr


def files_of(hosts: dict[str, Container]) -> dict[str, str]:
    return {name: one.files() for name, one in hosts.items()}


def addresses_of(hosts: dict[str, Container]) -> dict[str, list[str]]:
    """But for that of the link, which is tentative at first."""
    told = {name: one.run("ip", "-o", "address", "show", "dev", "eth0") for name, one in hosts.items()}
    return {name: [line for line in lines.splitlines() if "scope link" not in line] for name, lines in told.items()}


@contextlib.contextmanager
def load(client: Namespace) -> Iterator[list[dict[str, Any]]]:
    """Requests through the load balancer meanwhile; afterwards what became of them."""
    # fewer in a minute than would be a finding
    command = client.argv(sys.executable, "-m", "tests.lab.steady_requests", "12", "10.81.0.10:8001")
    found: list[dict[str, Any]] = []
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=facts.ROOT) as running:
        try:
            yield found
        finally:
            output, _errors = running.communicate("", timeout=60)
            found.append(json.loads(output))


def test_all_of_it_and_back(hosts: dict[str, Container], client: Namespace, tmp_path: Path) -> None:
    files, addresses = files_of(hosts), addresses_of(hosts)
    promised, said = play(hosts, tmp_path, "tcpops.timewait.add_quadruplets", "--check")
    assert all(failed == 0 for _changed, failed in promised.values()), said
    assert files_of(hosts) == files and addresses_of(hosts) == addresses
    with load(client) as requests:
        done, said = play(hosts, tmp_path, "tcpops.timewait.add_quadruplets")
    print(said[-6000:])
    assert all(failed == 0 and changed > 0 for changed, failed in done.values()), said
    assert requests[0]["failed"] == [], requests
    again, said = play(hosts, tmp_path, "tcpops.timewait.add_quadruplets")
    assert all(counts == (0, 0) for counts in again.values()), said
    with load(client) as requests:
        for group in ("timewait_load_balancers", "timewait_servers"):
            options = {"timewait_rollback_all": True, "timewait_hosts": group}
            back, said = play(hosts, tmp_path, "tcpops.timewait.rollback", **options)
            assert all(failed == 0 and changed > 0 for changed, failed in back.values()), said
    assert requests[0]["failed"] == [], requests
    assert files_of(hosts) == files and addresses_of(hosts) == addresses, said


def test_where_connections_could_be_used_again_nothing_is_spent(hosts: dict[str, Container], tmp_path: Path) -> None:
    files, addresses = files_of(hosts), addresses_of(hosts)
    facts_of_lb = hosts["lb"].module("timewait_facts", gather_subset=["connection_reuse"])["ansible_facts"]["timewait"]
    assert facts_of_lb["unavailable"] == []
    (line,) = facts_of_lb["connection_reuse"]
    places = [{"address": f"10.81.0.{last}", "port": 80} for last in (11, 12)]
    # the HAProxy of this host is no proxy of HTTP, and has no connection to use again
    assert (line["server"], line["reason"], line["destinations"]) == ("nginx", "no-keepalive", places)
    done, said = play(hosts, tmp_path, "tcpops.timewait.add_quadruplets", timewait_spread_backend="pages")
    assert done["lb"] == (0, 1), said
    assert {done.get(name, (0, 0)) for name in ("web1", "web2")} == {(0, 0)}, said
    assert "/etc/nginx/nginx.conf:7" in said and "keepalive 32;" in said, said
    assert files_of(hosts) == files and addresses_of(hosts) == addresses, said
    written = _PROXY.replace("server 10.81.0.12:80;", "server 10.81.0.12:80;\n        keepalive 32;")
    hosts["lb"].write("/etc/nginx/nginx.conf", written)
    again = hosts["lb"].module("timewait_facts", gather_subset=["connection_reuse"])["ansible_facts"]["timewait"]
    assert again["connection_reuse"] == []


def test_what_was_not_understood_is_no_leave_to_spend(hosts: dict[str, Container], tmp_path: Path) -> None:
    before = hosts["lb"].read("/etc/nginx/nginx.conf")
    files, addresses = files_of(hosts), addresses_of(hosts)
    hosts["lb"].write("/etc/nginx/nginx.conf", before + "}\n")
    try:
        done, said = play(hosts, tmp_path, "tcpops.timewait.add_quadruplets")
        assert done["lb"] == (0, 1), said
        assert "whether connections of app are used again was not seen: nginx: /etc/nginx/nginx.conf" in said, said
        # what has nothing to do with it goes on
        haproxy = {"timewait_spread_server": "haproxy"}
        others, said = play(hosts, tmp_path, "tcpops.timewait.add_quadruplets", "--check", **haproxy)
        assert all(failed == 0 for _changed, failed in others.values()), said
    finally:
        hosts["lb"].write("/etc/nginx/nginx.conf", before)
    assert files_of(hosts) == files and addresses_of(hosts) == addresses, said
