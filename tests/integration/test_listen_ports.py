# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module listen_ports on a host with real servers of every kind."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.lab import web_services
from tests.lab.container import Container
from tests.lab.namespaces import lab
from tests.lab.web_services import APACHE, HAPROXY, NGINX, SERVICES, SOCKET, Service

_SECONDS = 60


@pytest.fixture(scope="module")
def shared() -> Iterator[Container]:
    if os.geteuid():
        pytest.skip("containers with their own network need root")
    with lab() as made:
        one = Container("bookworm", made.namespace())
        try:
            web_services.install(one)
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


def ask(host: Container, service: Service, **more: Any) -> dict[str, Any]:
    """The module about one service; which one owns the port is told, since the container may not look at HAProxy."""
    return host.module("listen_ports", server=service.server, existing_port=service.port, **more)


def heard(host: Container) -> set[int]:
    """Ports that are listened on."""
    lines = host.run("ss", "-Hltn").splitlines()
    return {int(line.split()[3].rpartition(":")[2]) for line in lines}


def refused(result: dict[str, Any]) -> str:
    assert result.get("failed"), result
    return str(result["msg"])


@pytest.mark.parametrize("service", SERVICES, ids=[f"{one.server}-{one.port}" for one in SERVICES])
def test_ports_are_added_and_taken_away(host: Container, service: Service) -> None:
    """Each state four times: check, real, check, real."""
    files, ports = host.files(), heard(host)
    port, new = service.port, [service.port + 1, service.port + 2]
    promised = ask(host, service, count=2, check=True)
    assert (promised["changed"], promised["added"]) == (True, new), promised
    assert host.files() == files and heard(host) == ports
    done = ask(host, service, count=2)
    assert done["changed"] and done["running"] and done["transaction"], done
    assert (done["before"], done["after"]) == ({"ports": [port]}, {"ports": [port, *new]})
    assert done["diff"] == promised["diff"]
    assert heard(host) == ports | set(new)
    after = host.files()
    for check in (True, False):
        again = ask(host, service, count=2, check=check)
        assert (again["changed"], again["added"], again["advice"] and again.get("warnings")) in (
            (False, [], None), (False, [], []),
        ), again  # fmt: skip
    assert host.files() == after
    assert ask(host, service, state="absent", check=True)["removed"] == new
    gone = ask(host, service, state="absent")
    assert (gone["changed"], gone["removed"], gone["after"]) == (True, new, {"ports": [port]}), gone
    assert heard(host) == ports
    assert not ask(host, service, state="absent")["changed"]


@pytest.mark.parametrize("service", [NGINX, HAPROXY, APACHE, SOCKET], ids=lambda one: one.server)
def test_rollback_takes_the_ports_away(host: Container, service: Service) -> None:
    files, ports = host.files(), heard(host)
    done = ask(host, service, count=1)
    assert done["changed"], done
    back = host.module("rollback", transaction=done["transaction"])
    assert back["rolled_back"] == [done["transaction"]], back
    assert host.files() == files
    deadline = time.monotonic() + 10
    while heard(host) != ports and time.monotonic() < deadline:
        time.sleep(0.1)
    assert heard(host) == ports


def test_the_owner_of_the_port_is_found(host: Container) -> None:
    assert host.module("listen_ports", existing_port=80, count=1)["server"] == "nginx"
    assert host.module("listen_ports", existing_port=8000, count=1)["server"] == "apache"
    assert host.module("listen_ports", existing_port=7000, count=1)["server"] == "systemd_socket"
    assert "say it with server" in refused(host.module("listen_ports", existing_port=5, count=1))


def test_free_ports_are_picked(host: Container) -> None:
    """82 is listened on, 83 only configured, 84 reserved: 81, 85 and 86 are free."""
    host.write("/etc/systemd/system/other.socket", "[Socket]\nListenStream=83\n")
    host.run("systemctl", "daemon-reload")
    namespace_sysctl(host, "ip_local_reserved_ports", "84")
    with listening(host, 82):
        done = ask(host, NGINX, count=3)
    assert done["added"] == [81, 85, 86], done
    more = ask(host, NGINX, count=4)
    assert more["added"] == [82] or more["added"] == [87], more
    host.run("rm", "/etc/systemd/system/other.socket")
    host.run("systemctl", "daemon-reload")
    namespace_sysctl(host, "ip_local_reserved_ports", "\n")


def test_ports_of_the_ephemeral_range_are_reserved_with_them(host: Container) -> None:
    assert "reserve: true" in refused(ask(host, NGINX, add_ports=[40000]))
    # /proc/sys is read-only in the container, so that all of it is taken back
    assert "Read-only file system" in refused(ask(host, NGINX, add_ports=[40000], reserve=True))
    assert 40000 not in heard(host)


REFUSALS = (
    ({"existing_port": 80}, "neither add_ports nor count is given"),
    ({"existing_port": 80, "add_ports": [80]}, "which is existing_port"),
    ({"existing_port": 80, "add_ports": [81, 81]}, "81 twice"),
    ({"existing_port": 80, "add_ports": [0]}, "no port"),
    ({"existing_port": 80, "add_ports": [65536]}, "no port"),
    ({"existing_port": 0, "count": 1}, "no port"),
    ({"existing_port": 80, "count": -1}, "count is -1"),
    ({"existing_port": 80, "count": 1, "wait": 0}, "wait is 0"),
    ({"existing_port": 80, "add_ports": [81], "count": 1}, "both given"),
    ({"existing_port": 80, "count": 1, "state": "absent"}, "count goes with state present"),
    ({"existing_port": 80, "count": 1, "server": "nginx", "units": ["a.socket"]}, "units goes with"),
    ({"existing_port": 80, "add_ports": [443], "server": "nginx"}, "443"),
    ({"existing_port": 80, "add_ports": [8000], "server": "nginx"}, "taken"),
    ({"existing_port": 81, "add_ports": [82], "server": "nginx"}, "no server listens on TCP port 81"),
    ({"existing_port": 81, "add_ports": [82], "server": "apache"}, "no Listen is for TCP port 81"),
    ({"existing_port": 81, "add_ports": [82], "server": "haproxy"}, "listens on TCP port 81"),
    ({"existing_port": 81, "add_ports": [82], "server": "systemd_socket"}, "no socket unit listens on TCP port 81"),
    ({"existing_port": 80, "count": 1, "journal_keep": -1}, "journal_keep is -1"),
)


@pytest.mark.parametrize(("options", "reason"), REFUSALS, ids=[reason for _options, reason in REFUSALS])
def test_what_makes_no_sense_is_refused(host: Container, options: dict[str, Any], reason: str) -> None:
    files = host.files()
    said = refused(host.module("listen_ports", **options))
    assert reason in said
    assert "\n" not in said and said.endswith(".")
    assert host.files() == files


def test_a_port_that_somebody_has_is_refused_by_name(host: Container) -> None:
    with listening(host, 81):
        said = refused(ask(host, NGINX, add_ports=[81]))
        assert "port 81 is taken: listened on by python3" in said
        assert "choose another one" in said


def test_a_port_that_a_connection_has_is_refused(host: Container) -> None:
    """Such a port is in no list of listeners, and a bind of it fails all the same."""
    with connected(host, 1081):
        assert "1081 cannot be bound" in refused(ask(host, NGINX, add_ports=[1081]))


@pytest.mark.parametrize(
    ("service", "path", "text"),
    [
        (NGINX, "/etc/nginx/conf.d/zz.conf", "server { listen 82; } }\n"),
        (HAPROXY, "/etc/haproxy/haproxy.cfg", "frontend broken\n    bind :8099\n    no_such_word\n"),
        (APACHE, "/etc/apache2/conf-enabled/zz.conf", "NoSuchDirective on\n"),
    ],
    ids=["nginx", "haproxy", "apache"],
)
def test_a_broken_configuration_is_left_alone(host: Container, service: Service, path: str, text: str) -> None:
    there = host.try_run("cat", path).stdout
    host.write(path, there + text)
    files, ports = host.files(), heard(host)
    said = refused(ask(host, service, count=1))
    assert "nothing was changed" in said
    assert path.rpartition("/")[2] in said or "before any edit" in said
    assert host.files() == files and heard(host) == ports
    if there:
        host.write(path, there)
    else:
        host.run("rm", path)


@pytest.mark.parametrize("service", [NGINX, HAPROXY, APACHE], ids=lambda one: one.server)
def test_a_reload_that_fails_is_taken_back(host: Container, service: Service) -> None:
    drop_in = f"/etc/systemd/system/{service.unit}.d/fails.conf"
    host.write(drop_in, "[Service]\nExecReload=\nExecReload=/bin/false\n")
    host.run("systemctl", "daemon-reload")
    files, ports, process = host.files(), heard(host), main_process(host, service)
    said = refused(ask(host, service, count=1))
    assert f"systemctl reload {service.unit} failed" in said
    assert "everything was put back" in said
    assert host.files() == files and heard(host) == ports
    assert main_process(host, service) == process
    states = [one["state"] for one in host.module("transactions_info")["transactions"]]
    assert states[0] == "aborted"
    host.run("rm", drop_in)
    host.run("systemctl", "daemon-reload")


#: takes a port as soon as it is free, which it is not while the module tries it
_TAKE = """\
import pathlib, socket, sys, time
while True:
    try:
        taken = socket.create_server(("", int(sys.argv[1])))
        break
    except OSError:
        time.sleep(0.05)
pathlib.Path("/run/taken").touch()
time.sleep(60)
"""


def test_a_server_that_a_reload_kills_is_started_again(host: Container) -> None:
    """Apache ends when it cannot bind a port on a graceful restart: here it is taken between the try and the reload."""
    host.write("/opt/take.py", _TAKE)
    taken = "until [ -e /run/taken ]; do sleep 0.1; done"
    # a unit of its own, which is still there when Apache is not, and listens, but does not answer
    take = "systemd-run --unit=lab-take --collect python3 /opt/take.py 8001"
    host.write("/opt/take.sh", f"{take}\n{taken}\nexec apachectl graceful\n")
    drop_in = "/etc/systemd/system/apache2.service.d/races.conf"
    host.write(drop_in, "[Service]\nExecReload=\nExecReload=/bin/sh /opt/take.sh\n")
    host.run("systemctl", "daemon-reload")
    try:
        files, ports, process = host.files(), heard(host), main_process(host, APACHE)
        assert "everything was put back" in refused(ask(host, APACHE, count=1, wait=5))
        assert host.run("systemctl", "is-active", "apache2").strip() == "active"
        assert main_process(host, APACHE) != process, "it did not end, so that nothing was tried here"
        host.run("systemctl", "stop", "lab-take")
        assert host.files() == files and heard(host) == ports
    finally:
        host.try_run("systemctl", "stop", "lab-take")
        host.run("rm", drop_in)
        host.run("systemctl", "daemon-reload")


@pytest.mark.parametrize(
    ("service", "start", "stop"),
    [(NGINX, ["nginx"], ["nginx", "-s", "quit"]), (APACHE, ["apachectl", "start"], ["apachectl", "stop"])],
    ids=["nginx", "apache"],
)
def test_a_server_that_is_no_unit_is_told_by_its_own_command(
    host: Container, service: Service, start: list[str], stop: list[str]
) -> None:
    host.run("systemctl", "stop", service.unit)
    host.run(*start)
    try:
        done = ask(host, service, count=1)
        assert (done["changed"], done["running"]) == (True, True)
        assert service.port + 1 in heard(host)
        assert host.module("rollback", transaction=done["transaction"])["changed"]
    finally:
        host.run(*stop)
        deadline = time.monotonic() + 10
        while service.port in heard(host) and time.monotonic() < deadline:
            time.sleep(0.1)
        host.run("systemctl", "start", service.unit)
    assert service.port + 1 not in heard(host)


def test_a_port_that_answers_otherwise_is_taken_back(host: Container) -> None:
    path = "/etc/nginx/conf.d/lab.conf"
    text = host.read(path)
    host.write(path, text.replace("location / {", "location / { if ($server_port = 81) { return 503; }", 1))
    host.run("systemctl", "reload", "nginx")
    files = host.files()
    said = refused(ask(host, NGINX, count=1, wait=1))
    assert "port 81 did not answer as port 80 does (status 503 instead of status 200) within 1 s" in said
    assert host.files() == files
    deadline = time.monotonic() + 10
    while 81 in heard(host) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert 81 not in heard(host)
    host.write(path, text)
    host.run("systemctl", "reload", "nginx")


def test_a_kill_in_the_middle_is_put_right(host: Container) -> None:
    """The reload hangs until the module is dead; the next run undoes what it did, then does it itself."""
    drop_in = "/etc/systemd/system/nginx.service.d/hangs.conf"
    files, ports = host.files(), heard(host)
    host.write(drop_in, "[Service]\nExecReload=\nExecReload=/bin/sleep 6\n")
    host.run("systemctl", "daemon-reload")
    options = {"server": "nginx", "existing_port": 80, "count": 1}
    running = subprocess.Popen(
        host.argv("python3", "/opt/ansible_collections/tcpops/timewait/plugins/modules/listen_ports.py"),
        stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    assert running.stdin
    running.stdin.write(json.dumps({"ANSIBLE_MODULE_ARGS": options}))
    running.stdin.close()
    deadline = time.monotonic() + 30
    while "reloading" not in host.try_run("systemctl", "is-active", "nginx").stdout:
        assert time.monotonic() < deadline, "it did not come to the reload"
        time.sleep(0.05)
    host.run("pkill", "-KILL", "-f", "modules/listen_ports.py")
    running.wait(_SECONDS)
    assert "listen 81" in host.read("/etc/nginx/conf.d/lab.conf")
    host.run("rm", drop_in)
    host.run("systemctl", "daemon-reload")
    back = host.module("rollback")
    assert [one["action"] for one in back["recovered"]] == ["undone"], back
    assert host.files() == files and heard(host) == ports
    assert ask(host, NGINX, count=1)["recovered"] == []


def test_a_server_that_does_not_run_gets_its_ports_when_it_starts(host: Container) -> None:
    host.run("systemctl", "stop", "apache2")
    done = ask(host, APACHE, count=1)
    assert done["changed"] and not done["running"]
    assert any("does not run" in one for one in done["advice"])
    host.run("systemctl", "start", "apache2")
    assert 8001 in heard(host)
    assert ask(host, APACHE, state="absent")["removed"] == [8001]


def test_what_was_edited_and_not_reloaded_is_told(host: Container) -> None:
    ask(host, NGINX, count=1)
    path = "/etc/nginx/conf.d/lab.conf"
    text = host.read(path)
    host.write(path, "\n".join(line for line in text.splitlines() if "81" not in line) + "\n")
    host.run("systemctl", "reload", "nginx")
    host.write(path, text)
    told = json.dumps(ask(host, NGINX, count=1).get("warnings"))
    assert "does not listen on 81" in told
    host.run("systemctl", "reload", "nginx")


def namespace_sysctl(host: Container, name: str, value: str) -> None:
    """Set from outside: /proc/sys is read-only inside."""
    host.namespace.run("tee", f"/proc/sys/net/ipv4/{name}", text_in=value)


def main_process(host: Container, service: Service) -> str:
    return host.run("systemctl", "show", "--property", "MainPID", service.unit)


class _Holder:
    """A program on the host that holds a port."""

    def __init__(self, host: Container, script: str) -> None:
        self._process = subprocess.Popen(
            host.argv("python3", "-c", script), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def __enter__(self) -> None:
        assert self._process.stdout
        assert self._process.stdout.readline() == "ready\n"

    def __exit__(self, *_exception: object) -> None:
        assert self._process.stdin
        self._process.stdin.close()  # it reads until then
        self._process.wait(_SECONDS)


def listening(host: Container, port: int) -> _Holder:
    return _Holder(
        host,
        "import socket, sys; one = socket.create_server(('0.0.0.0', %d));"
        " print('ready', flush=True); sys.stdin.read()" % port,
    )


def connected(host: Container, port: int) -> _Holder:
    return _Holder(
        host,
        "import socket, sys; one = socket.create_connection(('127.0.0.1', 80), source_address=('127.0.0.1', %d));"
        " print('ready', flush=True); sys.stdin.read()" % port,
    )
