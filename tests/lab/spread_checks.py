# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Connections spread over addresses and ports by a real server, as that server and those that it connects to see it.

Run as a program of its own in a container that is thrown away, without network but loopback: ``cases`` for the
configurations of the tests, ``traffic`` for requests through some of them, ``ports`` for who chooses the ports, where
the range has four only. What was seen goes out as JSON.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from ansible_collections.tcpops.timewait.plugins.module_utils._files import Files
from ansible_collections.tcpops.timewait.plugins.module_utils._listeners.haproxy import invocation
from ansible_collections.tcpops.timewait.plugins.module_utils._listeners.nginx import invocation as nginx_invocation
from ansible_collections.tcpops.timewait.plugins.module_utils._spread import deferred
from ansible_collections.tcpops.timewait.plugins.module_utils._spread.haproxy import edit as haproxy
from ansible_collections.tcpops.timewait.plugins.module_utils._spread.haproxy import reuse as haproxy_reuse
from ansible_collections.tcpops.timewait.plugins.module_utils._spread.nginx import edit as nginx
from ansible_collections.tcpops.timewait.plugins.module_utils._spread.nginx import reuse as nginx_reuse
from ansible_collections.tcpops.timewait.plugins.module_utils._spread.plan import Plan

from tests.lab.listening import listening
from tests.lab.server_ends import Ends, local_connections
from tests.lab.spread_cases import CASES, Case
from tests.lab.spread_random import MAKERS
from tests.lab.spread_traffic import HELD, REUSE, TRAFFIC, Traffic

_SECONDS = 60
#: of an image, what a case has in its place
_FOLDERS = ("/etc/haproxy", "/etc/nginx/conf.d", "/etc/nginx/sites-available", "/etc/nginx/sites-enabled",
            "/etc/nginx/nginx.conf", "/etc/nginx/snippets", "/etc/systemd/system/haproxy.service")  # fmt: skip
_EDITS: dict[str, Any] = {"haproxy": haproxy, "nginx": nginx}
_HTTP = b"GET / HTTP/1.1\r\nHost: app.example\r\nConnection: close\r\n\r\n"
_KEPT = b"GET / HTTP/1.1\r\nHost: app.example\r\n\r\n"
_CLIENTS = 40
#: IP_BIND_ADDRESS_NO_PORT
_NO_PORT = 24


def check(server: str) -> str:
    """What the server says against its configuration; nothing when it takes it."""
    files = Files()
    if server == "nginx":
        argv = [*nginx_invocation.find(files).check]
    else:
        argv = [*invocation.check(files, invocation.find(files))]
    done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=_SECONDS, check=False)
    return done.stdout.decode(errors="replace") or "refused" if done.returncode else ""


def lay(tree: Path) -> None:
    """The files of a case over those of the image."""
    for path in map(Path, _FOLDERS):
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    shutil.copytree(tree, "/", symlinks=True, dirs_exist_ok=True)


def write(plan: Plan) -> dict[str, bytes | None]:
    """Carry out a plan; what was there before."""
    before = {path: Path(path).read_bytes() if Path(path).exists() else None for path in plan.edits}
    for path, content in plan.edits.items():
        if content:
            Path(path).write_bytes(content)
        else:
            Path(path).unlink()
    return before


def case_seen(case: Case) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        case.make(Path(folder, "root"))
        lay(Path(folder, "root"))
    edit = _EDITS[case.server]
    result: dict[str, Any] = {"refused": check(case.server)}
    if result["refused"]:
        return result
    original = write(edit.add(Files(), case.request))
    result["refused_after"] = check(case.server)
    if case.server == "haproxy":
        result["ids"] = ids(original)
    write(edit.remove(Files(), case.request))
    now = {path: Path(path).read_bytes() if Path(path).exists() else None for path in original}
    result["left"] = sorted(path for path, content in original.items() if now[path] != content)
    result["edited"] = len(original)
    return result


def ids(original: dict[str, bytes | None]) -> list[dict[str, int]]:
    """Ids of servers without and with clones, by backend and name, as HAProxy gives them."""
    changed = {path: Path(path).read_bytes() for path in original}
    found = []
    for contents in (original, changed):
        for path, content in contents.items():
            Path(path).write_bytes(content or b"")
        found.append(_ids_now())
    return found


def _ids_now() -> dict[str, int]:
    with tempfile.NamedTemporaryFile("w", suffix=".cfg") as extra:
        extra.write("global\n    stats socket /run/ids.sock\n")
        extra.flush()
        start = ["-db" if word == "-c" else word for word in invocation.check(Files(), invocation.find(Files()))]
        up = running([*start, "-f", extra.name], lambda: Path("/run/ids.sock").exists())
        with up, socket.socket(socket.AF_UNIX) as connection:
            connection.connect("/run/ids.sock")
            connection.sendall(b"show servers state\n")
            lines = connection.makefile().read().splitlines()
    Path("/run/ids.sock").unlink(missing_ok=True)
    rows = [line.split() for line in lines[2:] if line]
    return {f"{row[1]}/{row[3]}": int(row[2]) for row in rows}


@contextlib.contextmanager
def running(argv: list[str], ready: Callable[[], bool]) -> Iterator[None]:
    """A server for the length of the block, with all that it starts."""
    process = subprocess.Popen(
        argv, stdin=subprocess.DEVNULL, stdout=sys.stderr, stderr=sys.stderr, start_new_session=True
    )
    try:
        deadline = time.monotonic() + 15
        while not ready() and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.02)
        if not ready():
            raise RuntimeError(f"{' '.join(argv)} does not start")
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(_SECONDS)
        while any(port == 8000 for _address, port in listening()):
            time.sleep(0.02)


def start(traffic: Traffic) -> list[str]:
    if traffic.server == "nginx":
        return ["nginx", "-g", "daemon off;"]
    return ["haproxy", "-db", "-f", "/etc/haproxy/haproxy.cfg"]


def lay_traffic(traffic: Traffic) -> None:
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder + traffic.path)
        target.parent.mkdir(parents=True)
        target.write_text(traffic.text)
        lay(Path(folder))
    write(_EDITS[traffic.server].add(Files(), traffic.request))


def is_open() -> bool:
    return any(port == 8000 for _address, port in listening())


def request(number: int = 0) -> str:
    """One request by a connection of its own; from an address of its own where a number is given."""
    with socket.socket() as connection:
        connection.settimeout(_SECONDS)
        if number:
            connection.setsockopt(socket.IPPROTO_IP, _NO_PORT, 1)
            connection.bind((f"127.0.9.{number}", 0))
        connection.connect(("127.0.0.1", 8000))
        connection.sendall(_HTTP)
        answer = b""
        while True:
            piece = connection.recv(65536)
            if not piece:
                return answer.decode(errors="replace")
            answer += piece


def traffic_seen(traffic: Traffic) -> dict[str, Any]:
    """How many connections each pair of addresses got, for a number of requests."""
    lay_traffic(traffic)
    with Ends(traffic.ends) as ends, running(start(traffic), is_open):
        failed = sum(" 200 " not in request().partition("\r\n")[0] for _number in range(traffic.requests))
    wanted = _EDITS[traffic.server].find(Files())
    return {
        "failed": failed,
        "wanted": sorted({(one.source, one.address, one.port) for one in wanted}),
        "connections": sorted([*key, count] for key, count in ends.connections.items()),
        "requests": ends.requests,
    }


def reuse_seen(traffic: Traffic) -> dict[str, Any]:
    """How many connections a server gets for two requests by each of some clients, and what is found missing."""
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder + traffic.path)
        target.parent.mkdir(parents=True)
        target.write_text(traffic.text)
        lay(Path(folder))
    with Ends(traffic.ends) as ends, running(start(traffic), is_open):
        for _number in range(_CLIENTS):
            with socket.create_connection(("127.0.0.1", 8000), _SECONDS) as client:
                for _request in range(2):
                    client.sendall(_KEPT)
                    answer = b""
                    while not answer.endswith(b"yes"):
                        piece = client.recv(65536)
                        if not piece:
                            raise RuntimeError(f"{traffic.name}: no answer: {answer!r}")
                        answer += piece
    if traffic.server == "haproxy":
        found = haproxy_reuse.find(Files())
    else:
        version = subprocess.run(["nginx", "-v"], stderr=subprocess.PIPE, check=True).stderr.decode()
        found = nginx_reuse.find(Files(), nginx_reuse.keeps_by_default(version))
    return {
        "clients": _CLIENTS,
        "connections": sum(ends.connections.values()),
        "requests": ends.requests,
        "reasons": [one.reason for one in found],
    }


def held_seen(traffic: Traffic, count: int) -> dict[str, Any]:
    """As many requests at a time, none of which is answered until all are there or were refused."""
    lay_traffic(traffic)
    answers: list[str] = []
    with Ends(traffic.ends, hold=True) as ends, running(start(traffic), is_open):
        threads = [threading.Thread(target=lambda at=at: answers.append(request(at))) for at in range(1, count + 1)]
        for thread in threads:
            thread.start()
        deadline = time.monotonic() + 15
        while len(answers) + sum(ends.connections.values()) < count and time.monotonic() < deadline:
            time.sleep(0.02)
        sockets = local_connections(traffic.request.sources[0])
        ends.release()
        for thread in threads:
            thread.join(_SECONDS)
    low, high = map(int, Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split())
    to_one = [one for one in sockets if one[2] == traffic.ends[0][1]]
    return {
        "answered": sum(" 200 " in answer.partition("\r\n")[0] for answer in answers),
        "connections": Counter(f"{address}:{port}" for _local, address, port in sockets),
        "judged": list(deferred.judge(sockets, low, high)),
        "judged_by_parity": list(deferred.judge(to_one, low, high)),
    }


def plain_seen(count: int) -> dict[str, Any]:
    """The same of a client that binds the port as well."""
    ends = (("127.0.0.1", 9001), ("127.0.0.1", 9002))
    made: list[socket.socket] = []
    with Ends(ends, hold=True), contextlib.ExitStack() as stack:
        for number in range(count):
            client = stack.enter_context(socket.socket())
            try:
                # an address of its own: what the servers' connections left in TIME-WAIT keeps its port from bind()
                client.bind(("127.0.7.9", 0))
                client.connect(ends[number % 2])
            except OSError:
                continue
            made.append(client)
        sockets = local_connections("127.0.7.9")
    low, high = map(int, Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split())
    return {"answered": len(made), "judged": list(deferred.judge(sockets, low, high))}


def made_up(server: str, seed: int) -> list[str]:
    """What a server says against a made-up configuration, and against the same spread."""
    made = MAKERS[server](seed)
    with tempfile.TemporaryDirectory() as folder:
        for path, content in made.files.items():
            Path(folder + path).parent.mkdir(parents=True, exist_ok=True)
            Path(folder + path).write_bytes(content)
        lay(Path(folder))
    before = check(server)
    write(_EDITS[server].add(Files(), made.request))
    return [before, check(server)]


def main() -> None:
    what = sys.argv[1]
    Path("/run/haproxy").mkdir(exist_ok=True)
    if what == "cases":
        seen: dict[str, Any] = {f"{case.server}/{case.name}": case_seen(case) for case in CASES}
        made = {f"{server}/{seed}": made_up(server, seed) for server in MAKERS for seed in range(int(sys.argv[2]))}
        json.dump({"results": seen, "made_up": made}, sys.stdout)
    elif what == "traffic":
        seen = {one.name: traffic_seen(one) for one in TRAFFIC}
        json.dump({"spread": seen, "reuse": {one.name: reuse_seen(one) for one in REUSE}}, sys.stdout)
    else:
        count = int(sys.argv[2])
        found = {one.server: held_seen(one, count) for one in HELD}
        json.dump({**found, "plain": plain_seen(count)}, sys.stdout)


if __name__ == "__main__":
    main()
