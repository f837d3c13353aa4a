# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a real nginx says to the configurations of the tests, before ports are added, with them, and after.

Run as a program of its own inside ``unshare --mount --net --propagation private``: mounts and sockets go away with it,
also when it is killed. nginx runs in a copy of the image's root that is thrown away.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ansible_collections.tcpops.timewait.plugins.module_utils._files import Files
from ansible_collections.tcpops.timewait.plugins.module_utils._listeners.nginx import edit
from ansible_collections.tcpops.timewait.plugins.module_utils._listeners.plan import Plan
from ansible_collections.tcpops.timewait.plugins.module_utils._listeners.request import Request

from tests.lab.http_answers import by_port
from tests.lab.listening import listening
from tests.lab.nginx_cases import CASES, SNIPPETS, Case, in_server
from tests.lab.nginx_random import RandomConfiguration

_SECONDS = 60
_SEEDS = range(25)
#: what an image brings that would be part of a case
_EMPTIED = ("etc/nginx/nginx.conf", "etc/nginx/conf.d", "etc/nginx/sites-available", "etc/nginx/sites-enabled")
_USERS = "nginx:x:990:990::/nonexistent:/usr/sbin/nologin\n"
_GROUPS = "nginx:x:990:\n"
#: where cases have configuration
_FOLDERS = ("etc/nginx", "usr/local/openresty", "var/www")
_NAMES = re.compile(r"server_name\s+([^;#]+);")
_NAME = re.compile(r"[a-z][a-z0-9.-]*")
_MOST_NAMES = 5
_TLS_FILE = re.compile(r"^\s*(?:ssl_certificate|ssl_certificate_key)\s+(/[^;\s]+);", re.MULTILINE)


def run(*argv: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        argv, check=False, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        timeout=_SECONDS,
    )  # fmt: skip
    if check and done.returncode:
        raise RuntimeError(f"{' '.join(argv)}: {done.stdout.strip()}")
    return done


@contextmanager
def mounted(image: str) -> Iterator[Path]:
    """A root that is thrown away: that of the image, without a configuration of nginx."""
    with tempfile.TemporaryDirectory(dir="/mnt", ignore_cleanup_errors=True) as work:
        upper, inner, root = (Path(work, name) for name in ("upper", "inner", "root"))
        for made in (upper, inner, root):
            made.mkdir()
        run("mount", "-t", "overlay", "overlay", "-o", f"lowerdir={image},upperdir={upper},workdir={inner}", str(root))
        run("mount", "-o", "bind", "/dev", str(root / "dev"))
        run("rm", "-rf", *(str(root / path) for path in _EMPTIED))
        for name, lines in (("etc/passwd", _USERS), ("etc/group", _GROUPS), ("etc/hosts", "127.0.0.1 localhost\n")):
            with (root / name).open("a") as stream:
                stream.write(lines)
        try:
            yield root
        finally:
            run("umount", "-l", str(root / "dev"))
            run("umount", "-l", str(root))


def make_certificates(root: Path, pair: tuple[Path, Path]) -> None:
    """A certificate with its key at every place that the configuration names."""
    sources = [path for folder in _FOLDERS for path in (root / folder).rglob("*")]
    for source in sources:
        if source.is_file() and not source.is_symlink():
            for path in _TLS_FILE.findall(source.read_bytes().decode("latin-1")):
                target = root / path.lstrip("/")
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(pair[0].read_bytes() + pair[1].read_bytes())


def argv(root: Path, case: Case, *more: str) -> list[str]:
    modules = "".join(f"load_module /usr/lib/nginx/modules/{name}.so; " for name in case.modules)
    return ["chroot", str(root), "nginx", "-c", case.main, *(["-g", modules.strip()] if modules else []), *more]


def refused(root: Path, case: Case) -> str:
    """What nginx says against its configuration; nothing when it takes it."""
    done = run(*argv(root, case, "-t"), check=False)
    return (done.stdout or "refused") if done.returncode else ""


def complaints(root: Path, case: Case) -> list[str]:
    """Its warnings, each kind once, without time, process and place."""
    lines = run(*argv(root, case, "-t")).stdout.splitlines()
    kinds = (line.partition("[warn] ")[2].partition(": ")[2] for line in lines)
    return sorted({re.sub(r" in /.*|\S+:[0-9]+", "", kind) for kind in kinds if kind})


def opened(root: Path, case: Case, wanted: set[tuple[str, int]]) -> tuple[list[list[Any]], list[Any]]:
    """What a started nginx listens on, once that is what is wanted, or when it will not be any more.

    With what it answers, by port.
    """
    # the shell is the first process of its own process namespace: all in there end with it
    command = ["unshare", "--pid", "--fork", "--kill-child", "sh", "-c", '"$@"; exec sleep 60', "sh", *argv(root, case)]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 30
        while listening() != wanted and time.monotonic() < deadline:
            time.sleep(0.02)
        found = sorted(map(list, listening()))
        asked = case.speaks_http and listening() == wanted
        return found, answers(root, case) if asked else []
    finally:
        process.kill()
        process.wait(_SECONDS)
        while listening():
            time.sleep(0.02)


def answers(root: Path, case: Case) -> list[Any]:
    """What the old port and the new ones answer, for the names in the configuration and another one."""
    listeners = edit.find(Files(str(root)), case.main)
    paths = sorted({one.path for one in listeners})
    texts = [(root / path.lstrip("/")).read_bytes().decode("latin-1") for path in paths]
    words = {word for text in texts for line in _NAMES.findall(text) for word in line.split()}
    names = ["unknown.example", *sorted(word for word in words if _NAME.fullmatch(word))[:_MOST_NAMES]]
    found = by_port([one for one in listeners if one.port in (case.existing_port, *case.ports)], names)
    return [found[case.existing_port], [found.get(port) for port in case.ports]]


def expected(files: Files, case: Case) -> set[tuple[str, int]]:
    """The same as the configuration is understood. A wildcard takes the addresses that have no socket of their own."""
    found = edit.find(files, case.main)
    everywhere = {(":" in one.address, one.port) for one in found if one.address in ("*", "::")}
    wanted = set()
    for one in found:
        address = {"*": "0.0.0.0", "localhost": "127.0.0.1"}.get(one.address, one.address)
        own = one.address in ("*", "::") or any(_makes_socket(option) for option in one.options)
        if own or (":" in address, one.port) not in everywhere:
            wanted.add((address, one.port))
    return wanted


def _makes_socket(option: str) -> bool:
    return option not in ("default", "default_server", "ssl", "http2", "proxy_protocol")


def write(plan: Plan, root: Path) -> dict[Path, bytes]:
    """Carry out a plan; what was there before."""
    before = {}
    for path, content in plan.edits.items():
        target = root / path.lstrip("/")
        before[target] = target.read_bytes()
        target.write_bytes(content)
    return before


def checked(case: Case, image: str, pair: tuple[Path, Path]) -> dict[str, Any]:
    with mounted(image) as root:
        case.make(root)
        make_certificates(root, pair)
        files, request = Files(str(root)), Request(case.existing_port, case.ports)
        take_addresses(files, case)
        result: dict[str, Any] = {"refused": refused(root, case)}
        if result["refused"]:
            return result
        result["complaints"] = complaints(root, case)
        before = write(edit.add(files, request, case.main), root)
        result["refused_with_ports"] = refused(root, case)
        if result["refused_with_ports"]:
            return result
        result["complaints_with_ports"] = complaints(root, case)
        wanted = expected(files, case)
        result["wanted"] = sorted(map(list, wanted))
        result["opened"], result["answers"] = opened(root, case, wanted)
        write(edit.remove(files, request, case.main), root)
        result["edited"] = len(before)
        result["left"] = sorted(str(path) for path, content in before.items() if path.read_bytes() != content)
        return result


def snippets(image: str) -> list[bool]:
    """Whether nginx reads each of the snippets."""
    case = Case("snippet", 80, ())
    with mounted(image) as root:
        found = []
        for snippet, _good in SNIPPETS:
            (root / "etc/nginx/nginx.conf").write_text(in_server(snippet))
            found.append(not refused(root, case))
        return found


def made_up(image: str, seed: int) -> tuple[str, str]:
    """What nginx says against a made-up configuration, and against the same with more ports."""
    case, made = Case("made-up", 80, (81, 82)), RandomConfiguration(seed)
    with mounted(image) as root:
        for path, content in made.files.items():
            (root / path[1:]).parent.mkdir(parents=True, exist_ok=True)
            (root / path[1:]).write_bytes(content)
        for path, target in made.links.items():
            (root / path[1:]).parent.mkdir(parents=True, exist_ok=True)
            (root / path[1:]).symlink_to(target)
        before = refused(root, case)
        write(edit.add(Files(str(root)), Request(case.existing_port, case.ports)), root)
        return before, refused(root, case)


def make_pair(folder: Path) -> tuple[Path, Path]:
    """A certificate and its key. An RSA key of 2048 bits: what every release of OpenSSL takes."""
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    made = ("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=lab.example")
    run(*made, "-keyout", str(key), "-out", str(certificate))
    return certificate, key


def take_addresses(files: Files, case: Case) -> None:
    """Give loopback the addresses that a case listens on. The network namespace is our own."""
    for address in {one.address for one in edit.find(files, case.main)} - {"*", "::", "::1", "localhost"}:
        length = "128 nodad" if ":" in address else "32"
        argv = f"ip address replace {address}/{length} dev lo"
        run(*argv.split())


def main() -> None:
    image, names = sys.argv[1], sys.argv[2:]
    run("ip", "link", "set", "lo", "up")
    run("mount", "-t", "tmpfs", "tmpfs", "/mnt")
    version = run("chroot", image, "nginx", "-v").stdout.partition("nginx/")[2].split()[0]
    pair = make_pair(Path("/mnt"))
    results = {case.name: checked(case, image, pair) for case in CASES if not names or case.name in names}
    random = {seed: made_up(image, seed) for seed in _SEEDS}
    seen = {"version": version, "results": results, "snippets": snippets(image), "made_up": random}
    json.dump(seen, sys.stdout)


if __name__ == "__main__":
    main()
