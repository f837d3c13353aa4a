# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module spread_connections on a host with HAProxy and nginx, under a load that must not notice."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.lab.container import Container
from tests.lab.namespaces import lab

_SECONDS = 60
_RATE = 200
_FRONT = {"haproxy": 8001, "nginx": 8002}
_CLIENTS = tuple(_FRONT)
_HAPROXY = """\
global
    stats socket /run/haproxy.sock mode 600 level admin expose-fd listeners

defaults
    mode tcp
    timeout connect 5s
    timeout client 30s
    timeout server 30s

frontend web
    bind 127.0.0.1:8001
    default_backend app

backend app
    server s1 10.9.0.1:9001 check inter 2s
"""
_NGINX = """\
pid /run/nginx.pid;
worker_processes 2;
events { worker_connections 512; }
http {
    access_log off;
    include /etc/nginx/conf.d/*.conf;
}
"""
_PROXY = """\
upstream app {
    server 10.9.0.1:9001;
}
server {
    listen 127.0.0.1:8002;
    location / {
        proxy_http_version 1.1;
        proxy_set_header Connection "";
        proxy_pass http://app;
    }
}
"""
#: another nginx is what is connected to
_WEB = """\
pid /run/web.pid;
events { worker_connections 512; }
http {
    access_log off;
    server { listen 10.9.0.1:9001; listen 10.9.0.1:9002; listen 10.9.0.2:9001; return 200 "app\\n"; }
    server { listen 10.9.0.1:9009; return 200 "another\\n"; }
}
"""
_ADDRESSES = "ip link set lo up; for last in 1 2 11 12; do ip address add 10.9.0.$last/32 dev lo; done"


@pytest.fixture(scope="module")
def shared() -> Iterator[Container]:
    if os.geteuid():
        pytest.skip("containers with their own network need root")
    with lab() as made:
        one = Container("bookworm", made.namespace())
        try:
            one.run("sh", "-c", _ADDRESSES)
            one.write("/etc/haproxy/haproxy.cfg", _HAPROXY)
            one.write("/etc/nginx/nginx.conf", _NGINX)
            one.write("/etc/nginx/conf.d/proxy.conf", _PROXY)
            one.write("/opt/web.conf", _WEB)
            one.run("nginx", "-c", "/opt/web.conf")
            one.run("systemctl", "restart", "haproxy", "nginx")
            yield one
        finally:
            one.remove()


@pytest.fixture
def host(shared: Container) -> Iterator[Container]:
    """The host, and afterwards as it was before."""
    before = shared.files()
    yield shared
    shared.module("rollback", all=True)
    assert shared.files() == before


def ask(host: Container, server: str, **more: Any) -> dict[str, Any]:
    return host.module("spread_connections", server=server, backend="app", **{"watch": 8, **more})


def refused(result: dict[str, Any]) -> str:
    assert result.get("failed"), result
    return str(result["msg"])


@contextlib.contextmanager
def load(host: Container, *servers: str) -> Iterator[list[dict[str, Any]]]:
    """Requests to the frontends meanwhile; afterwards what became of them."""
    ports = [str(_FRONT[server]) for server in servers]
    command = host.argv("python3", "-m", "tests.lab.steady_requests", str(_RATE), *ports)
    found: list[dict[str, Any]] = []
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as running:
        try:
            yield found
        finally:
            output, _errors = running.communicate("", timeout=_SECONDS)
            found.append(json.loads(output))


def pools(described: dict[str, Any]) -> set[tuple[str, str, int]]:
    return {(one["source"], one["address"], one["port"]) for one in described["pools"]}


@pytest.mark.parametrize("server", _CLIENTS)
def test_spread_and_as_it_was(host: Container, server: str) -> None:
    """Each state four times: check, real, check, real; no request is lost."""
    files = host.files()
    more = {
        "sources": ["10.9.0.11", "10.9.0.12"], "keep_source": False, "ports": [9002],
        "server_addresses": [{"server": "10.9.0.1", "addresses": ["10.9.0.2"]}],
    }  # fmt: skip
    # the second address has the first port only
    refusal = refused(ask(host, server, wait=1, check=True, **more))
    assert "10.9.0.2:9002" in refusal and "did not answer" in refusal and host.files() == files
    del more["server_addresses"]
    with load(host, server) as requests:
        promised = ask(host, server, check=True, **more)
        assert promised["changed"] and host.files() == files
        done = ask(host, server, **more)
    assert requests[0]["failed"] == [] and requests[0]["answered"] > 100
    assert done["changed"] and done["running"] and done["transaction"], done
    assert done["diff"] == promised["diff"]
    assert pools(done["before"]) == {("", "10.9.0.1", 9001)}
    assert pools(done["after"]) == {(s, "10.9.0.1", p) for s in ("10.9.0.11", "10.9.0.12") for p in (9001, 9002)}
    assert done["even"] is True and done["deferred"]["value"] is True, done
    assert len(done["seen"]) == 4 and min(one["connections"] for one in done["seen"]) >= 20
    after = host.files()
    for check in (True, False):
        again = ask(host, server, check=check, **more)
        assert (again["changed"], again["added"], again["removed"], again["seen"]) == (False, [], [], [])
        assert host.files() == after
    with load(host, server) as requests:
        promised = ask(host, server, state="absent", check=True)
        gone = ask(host, server, state="absent")
    assert requests[0]["failed"] == []
    assert gone["diff"] == promised["diff"] and pools(gone["after"]) == {("", "10.9.0.1", 9001)}
    assert host.files() == files
    assert ask(host, server, state="absent")["changed"] is False


@pytest.mark.parametrize("server", _CLIENTS)
def test_the_address_of_now_is_kept_and_goes_last(host: Container, server: str) -> None:
    """With one more address there are two, and without it none has to be named."""
    files = host.files()
    with load(host, server):
        done = ask(host, server, sources=["10.9.0.11"])
    assert done["after"]["sources"] == ["10.9.0.1", "10.9.0.11"] and done["even"] is True, done
    less = ask(host, server, sources=["10.9.0.11"], state="absent")
    assert less["after"]["sources"] == [] and host.files() == files


@pytest.mark.parametrize("server", _CLIENTS)
def test_rollback(host: Container, server: str) -> None:
    files = host.files()
    with load(host, server) as requests:
        done = ask(host, server, ports=[9002])
        assert done["even"] is True, done
        assert host.module("rollback", transaction=done["transaction"])["changed"]
    assert requests[0]["failed"] == [] and host.files() == files


def test_the_server_is_found_by_its_backend(host: Container) -> None:
    assert "both have a backend app" in refused(host.module("spread_connections", backend="app", ports=[9002]))
    refusal = refused(host.module("spread_connections", backend="apps", ports=[9002]))
    assert "neither HAProxy nor nginx has a backend apps here; there are app" in refusal


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"sources": ["10.9.0.77"]}, "it is no address of this host"),
        ({"sources": ["10.9.0.0/24"]}, "which is no address"),
        ({"sources": ["::1"]}, "address"),
        ({"ports": [9003], "wait": 1}, "10.9.0.1:9003 did not answer"),
        ({"ports": [9009], "wait": 1, "probe": "http"}, "did not answer as the server does now"),
        ({"ports": [0]}, "0 is no port"),
        ({}, "none of sources, ports and server_addresses"),
        ({"server_addresses": [{"server": "10.9.0.99", "addresses": ["10.9.0.2"]}]}, "no server 10.9.0.99"),
        ({"ports": [9002], "watch": -1}, "watch is -1"),
    ],
)
@pytest.mark.parametrize("server", _CLIENTS)
def test_refusals(host: Container, server: str, more: dict[str, Any], reason: str) -> None:
    files = host.files()
    assert reason in refused(ask(host, server, **more))
    assert host.files() == files


@pytest.mark.parametrize("server", _CLIENTS)
def test_without_traffic_it_says_that_nothing_was_seen(host: Container, server: str) -> None:
    done = ask(host, server, ports=[9002], watch=3)
    assert done["changed"] and done["even"] is None
    told = json.dumps(done["warnings"])
    assert "too few" in told or "no connection of app was opened within 3 s" in told


@pytest.mark.parametrize("server", _CLIENTS)
def test_a_broken_configuration_and_a_failing_reload(host: Container, server: str) -> None:
    path = {"haproxy": "/etc/haproxy/haproxy.cfg", "nginx": "/etc/nginx/conf.d/proxy.conf"}[server]
    good, files = host.read(path), host.files()
    host.write(path, good + "\nnonsense\n")
    refusal = refused(ask(host, server, ports=[9002]))
    host.write(path, good)
    assert "nothing was changed" in refusal and host.files() == files
    drop_in = f"/etc/systemd/system/{server}.service.d/broken.conf"
    host.write(drop_in, "[Service]\nExecReload=\nExecReload=/bin/false\n")
    host.run("systemctl", "daemon-reload")
    with_drop_in = host.files()
    with load(host, server) as requests:
        refusal = refused(ask(host, server, ports=[9002]))
    assert "reload" in refusal and host.files() == with_drop_in and requests[0]["failed"] == []
    host.run("rm", drop_in)
    host.run("systemctl", "daemon-reload")


@pytest.mark.parametrize("server", _CLIENTS)
def test_what_is_not_spread_is_taken_back(host: Container, server: str) -> None:
    """A reload that does nothing: the connections show it."""
    drop_in = f"/etc/systemd/system/{server}.service.d/deaf.conf"
    host.write(drop_in, "[Service]\nExecReload=\nExecReload=/bin/true\n")
    host.run("systemctl", "daemon-reload")
    files = host.files()
    with load(host, server) as requests:
        refusal = refused(ask(host, server, ports=[9002], watch=5))
    assert "which is not an even part" in refusal and host.files() == files and requests[0]["failed"] == []
    host.run("rm", drop_in)
    host.run("systemctl", "daemon-reload")


@pytest.mark.parametrize("server", _CLIENTS)
def test_a_kill_in_the_middle_is_put_right(host: Container, server: str) -> None:
    """Killed while it looks at connections; the next run undoes what it did, then does all of it."""
    files = host.files()
    options = {"server": server, "backend": "app", "ports": [9002], "watch": 60}
    with load(host, server) as requests:
        running = subprocess.Popen(
            host.argv("python3", "/opt/ansible_collections/tcpops/timewait/plugins/modules/spread_connections.py"),
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, text=True,
        )  # fmt: skip
        assert running.stdin
        running.stdin.write(json.dumps({"ANSIBLE_MODULE_ARGS": options}))
        running.stdin.close()
        deadline = time.monotonic() + 30
        while host.files() == files:
            assert time.monotonic() < deadline, "it did not come to the edit"
        host.run("pkill", "-KILL", "-f", "modules/spread_connections.py")
        running.wait(_SECONDS)
        assert host.files() != files
        done = ask(host, server, ports=[9002])
    assert [one["action"] for one in done["recovered"]] == ["undone"] and done["even"] is True, done
    assert requests[0]["failed"] == []
    assert ask(host, server, state="absent")["changed"] and host.files() == files
