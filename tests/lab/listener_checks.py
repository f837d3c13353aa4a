# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ports added to the configuration of a real server and taken away, seen by that server.

Run as a program of its own in a container that is thrown away: the trees are laid over its root. What was seen
goes out as JSON. The container has no network but loopback, and binds addresses it does not have.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from ansible_collections.tcpops.timewait.plugins.module_utils._files import Files
from ansible_collections.tcpops.timewait.plugins.module_utils._listeners.apache import edit as apache
from ansible_collections.tcpops.timewait.plugins.module_utils._listeners.apache import layout, tree
from ansible_collections.tcpops.timewait.plugins.module_utils._listeners.haproxy import edit as haproxy
from ansible_collections.tcpops.timewait.plugins.module_utils._listeners.haproxy import invocation
from ansible_collections.tcpops.timewait.plugins.module_utils._listeners.plan import Plan
from ansible_collections.tcpops.timewait.plugins.module_utils._listeners.request import Request

from tests.lab.listener_cases import CASES, Case
from tests.lab.listener_random import MAKERS
from tests.lab.listening import listening

_SECONDS = 60
_CERTIFICATES = {
    "/etc/haproxy/certs/site.pem": "site.pem",
    "/etc/ssl/certs/lab.pem": "crt",
    "/etc/ssl/private/lab.key": "key",
}
#: what a case may bring, and what an image has in its place
_FOLDERS = (
    "/etc/apache2", "/etc/haproxy", "/etc/httpd", "/etc/systemd/system", "/usr/local/apache2", "/usr/local/etc/haproxy",
)  # fmt: skip


class HAProxy:
    """The server as the cases need it."""

    edit = haproxy

    @staticmethod
    def check() -> list[str]:
        return list(invocation.check(Files(), invocation.find(Files())))

    @staticmethod
    def depends() -> set[tuple[str, int]]:
        return set()

    @staticmethod
    def hosts() -> dict[str, list[str]]:
        return {}

    @staticmethod
    def start() -> list[str]:
        return ["-db" if word == "-c" else word for word in HAProxy.check()]


class Apache:
    """Debian's program, whatever the layout is."""

    edit = apache

    @staticmethod
    def check() -> list[str]:
        found = layout.find(Files())
        usual = found == layout.DEBIAN
        return list(found.check) if usual else ["apachectl", "-t", "-d", found.server_root, "-f", found.main]

    @staticmethod
    def depends() -> set[tuple[str, int]]:
        """What a module or a definition decides; and 0.0.0.0, which Apache leaves to :: where that is there."""
        found = tree.read(Files(), layout.find(Files())).found
        return {
            (one.path, one.statement.first + 1)
            for one in found
            if one.blocks or (one.named and one.named[0].endpoint.address == "*")
        }

    @staticmethod
    def hosts() -> dict[str, list[str]]:
        """Which hosts Apache chooses from, by address and port, as ``-D DUMP_VHOSTS`` shows it."""
        argv = [*Apache.start()[:-1], "DUMP_VHOSTS", "-t"]
        done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
        found: dict[str, list[str]] = {}
        address = ""
        for line in done.stdout.decode().splitlines():
            start = re.match(r"(\S+:(?:\d+|\*)) +(.+)", line)
            if start:
                address = start.group(1)
            if address and (start or line.startswith(" ")):
                text = start.group(2) if start else line.strip()
                found.setdefault(address, []).append(re.sub(r"port \d+ ", "", text))
        return found

    @staticmethod
    def start() -> list[str]:
        found = layout.find(Files())
        return ["apachectl", "-d", found.server_root, "-f", found.main, "-D", "FOREGROUND"]


_SERVERS: dict[str, Any] = {"apache": Apache, "haproxy": HAProxy}


def checked(server: Any) -> str:
    """What the server says against its configuration; nothing when it takes it."""
    done = subprocess.run(
        server.check(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=_SECONDS, check=False
    )
    return done.stdout.decode(errors="replace") or "refused" if done.returncode else ""


def opened(server: Any, wanted: set[tuple[str, int]]) -> list[list[Any]]:
    """What the started server listens on, once that has all that is wanted, or when it will not any more."""
    process = subprocess.Popen(
        server.start(), stdin=subprocess.DEVNULL, stdout=sys.stderr, stderr=sys.stderr, start_new_session=True
    )
    try:
        deadline = time.monotonic() + 15
        while not wanted <= listening() and time.monotonic() < deadline and process.poll() is None:
            time.sleep(0.05)
        return sorted(map(list, listening()))
    finally:
        end(process)


def end(process: subprocess.Popen[bytes]) -> None:
    """With all of its children, and the files that it made."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):  # it may have ended by itself
            os.killpg(process.pid, number)
        deadline = time.monotonic() + 10
        while (process.poll() is None or listening()) and time.monotonic() < deadline:
            time.sleep(0.05)
    process.wait(_SECONDS)


def expected(listeners: list[Any]) -> set[tuple[str, int]]:
    """The same as the configuration is understood."""
    found = set()
    for one in listeners:
        if one.address in ("", "::"):
            found.add(("::", one.port))
        elif one.address == "*":
            found.add(("0.0.0.0", one.port))
        else:
            info = socket.getaddrinfo(one.address, one.port, type=socket.SOCK_STREAM)
            found.add((str(info[0][4][0]), one.port))
    return found


def lay(tree: Path) -> None:
    """The files of a case over those of the image, with the certificates that no case brings."""
    for folder in _FOLDERS:
        shutil.rmtree(folder, ignore_errors=True)
        if Path("/kept" + folder).exists():
            shutil.copytree("/kept" + folder, folder, symlinks=True)
    if (tree / "etc/apache2").exists():
        shutil.rmtree("/etc/apache2/mods-enabled")
        shutil.rmtree("/etc/apache2/sites-enabled")
        shutil.rmtree("/etc/apache2/conf-enabled")
    shutil.copytree(tree, "/", symlinks=True, dirs_exist_ok=True)
    if not (tree / "etc/apache2").exists():
        Path("/etc/apache2/apache2.conf").unlink(missing_ok=True)
    for path, kept in _CERTIFICATES.items():
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy("/kept/" + kept, path)


def keep() -> None:
    """What the image has, and a certificate."""
    for folder in _FOLDERS:
        if Path(folder).exists():
            shutil.copytree(folder, "/kept" + folder, symlinks=True)
    Path("/kept").mkdir(exist_ok=True)
    Path("/run/haproxy").mkdir(exist_ok=True)
    # as if it were built here
    Path("/usr/local/sbin/haproxy").symlink_to("/usr/sbin/haproxy")
    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=lab.example"]
    subprocess.run([*made, "-keyout", "/kept/key", "-out", "/kept/crt"], check=True, capture_output=True)
    Path("/kept/site.pem").write_bytes(Path("/kept/crt").read_bytes() + Path("/kept/key").read_bytes())


def write(plan: Plan) -> dict[str, bytes]:
    """Carry out a plan; what was there before."""
    before = {path: Path(path).read_bytes() if Path(path).exists() else None for path in plan.edits}
    for path, content in plan.edits.items():
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_bytes(content)
    return before  # type: ignore[return-value]


def seen(server: Any) -> dict[str, list[list[Any]]]:
    """What is expected to listen, what of that perhaps not, and what listens."""
    listeners = server.edit.find(Files())
    depends = server.depends()
    wanted = expected([one for one in listeners if (one.path, one.line) not in depends])
    perhaps = expected([one for one in listeners if (one.path, one.line) in depends])
    heard = opened(server, wanted)
    return {"expected": sorted(map(list, wanted)), "perhaps": sorted(map(list, perhaps)), "opened": heard}


def run(case: Case) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        case.make(Path(folder, "root"))
        lay(Path(folder, "root"))
    server, request = _SERVERS[case.server], Request(case.existing_port, case.ports)
    result: dict[str, Any] = {"refused": checked(server)}
    if result["refused"]:
        return result
    result["original"] = seen(server)
    original = write(server.edit.add(Files(), request))
    result["refused_after"] = checked(server)
    result["added"] = seen(server)
    result["hosts"] = server.hosts()
    result["again"] = sorted(server.edit.add(Files(), request).edits)
    write(server.edit.remove(Files(), request))
    result["left"] = sorted(path for path, content in original.items() if Path(path).read_bytes() != content)
    result["edited"] = len(original)
    return result


def made_up(name: str, seed: int) -> list[str]:
    """What a server says against a made-up configuration, and against the same with more ports."""
    made = MAKERS[name](seed)
    with tempfile.TemporaryDirectory() as folder:
        for path, content in made.files.items():
            Path(folder + path).parent.mkdir(parents=True, exist_ok=True)
            Path(folder + path).write_bytes(content)
        for path, target in made.links.items():
            Path(folder + path).parent.mkdir(parents=True, exist_ok=True)
            Path(folder + path).symlink_to(target)
        lay(Path(folder))
    server = _SERVERS[name]
    before = checked(server)
    write(server.edit.add(Files(), Request(80, (81, 82))))
    return [before, checked(server)]


def main() -> None:
    keep()
    seeds = int(sys.argv[1])
    results = {f"{case.server}/{case.name}": run(case) for case in CASES if case.server in _SERVERS}
    random = {f"{name}/{seed}": made_up(name, seed) for name in _SERVERS for seed in range(seeds)}
    json.dump({"results": results, "made_up": random}, sys.stdout)


if __name__ == "__main__":
    main()
