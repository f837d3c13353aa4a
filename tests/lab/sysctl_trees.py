# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the loaders of a distribution really do with a tree of files, beside what we say that they do.

Run as a program of its own inside ``unshare --mount --propagation private``: whatever it mounts goes away with it,
also when it is killed. Each loader runs in a network namespace of its own, with all of /proc/sys read-only but
/proc/sys/net.
"""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from ansible_collections.tcpops.timewait.plugins.module_utils._sysctl import keys, loaders, precedence
from ansible_collections.tcpops.timewait.plugins.module_utils._sysctl.files import Files

_SECONDS = 60
_LOADERS = {
    "systemd-sysctl": "/lib/systemd/systemd-sysctl --prefix=/net",
    "procps": "sysctl --system",
    # with "daemon = 0" in its settings it applies the profile and is done
    "tuned": "timeout 60 tuned --no-dbus",
    "ufw": "/lib/ufw/ufw-init start",
}
#: the files that any image may bring along; a case has what it says and nothing else
_EMPTIED = ("etc/sysctl.d", "run/sysctl.d", "usr/local/lib/sysctl.d", "usr/lib/sysctl.d", "lib/sysctl.d")


def run(*argv: str, check: bool = True) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(argv, check=check, capture_output=True, timeout=_SECONDS)


def mount_tree(image: str, work: Path, tree: dict[str, object]) -> Path:
    """The image with the files of a case: text, base64 in a list, a link as ``{"link": …}``, or None for a folder."""
    upper, inner, root = work / "upper", work / "inner", work / "root"
    for made in (upper, inner, root):
        made.mkdir()
    run("mount", "-t", "overlay", "overlay", "-o", f"lowerdir={image},upperdir={upper},workdir={inner}", str(root))
    for folder in _EMPTIED:
        if (root / folder).is_dir():
            for left in (root / folder).iterdir():
                left.unlink()
    (root / "etc/sysctl.conf").unlink(missing_ok=True)
    for path, content in tree.items():
        write(root, path, content)
    run("mount", "--bind", "/proc", str(root / "proc"))
    run("mount", "-o", "bind,ro", "/dev", str(root / "dev"))
    return root


def write(root: Path, path: str, content: object) -> None:
    place = root / path.lstrip("/")
    place.parent.mkdir(parents=True, exist_ok=True)
    if place.is_file():
        place.unlink()
    if isinstance(content, dict):
        place.symlink_to(content["link"])
    elif isinstance(content, list):
        place.write_bytes(base64.b64decode(content[0]))
    elif content is None:
        place.mkdir()
    else:
        place.write_text(str(content))


def values(lines: bytes) -> dict[str, str]:
    """What ``grep`` showed; a key without a line has no value."""
    found = {path: "" for path in keys.OURS if f"/proc/sys/{path}\n".encode() in lines}
    for line in lines.decode().splitlines():
        path, separator, value = line.removeprefix("/proc/sys/").partition(":")
        if separator:
            found[path] = " ".join(value.split())
    return found


def really(root: Path, command: str) -> tuple[dict[str, str], dict[str, str]]:
    """``(values of a new namespace, values after the loader)`` by path below /proc/sys."""
    files = " ".join(f"/proc/sys/{path}" for path in keys.OURS)
    show = f"ls {files} 2> /dev/null; grep -H . {files} 2> /dev/null"
    script = (
        f"mount -o bind,ro /proc/sys {root}/proc/sys; mount --bind /proc/sys/net {root}/proc/sys/net;"
        f" exec chroot {root} sh -c \"$1\" sh"
    )
    inside = f"{show}; echo; echo =====; {command} > /dev/null 2>&1; {show}"
    apart = ("unshare", "--mount", "--net", "--pid", "--fork", "--kill-child")
    out = run(*apart, "sh", "-euc", script, "sh", inside, check=False).stdout
    before, _line, after = out.partition(b"=====\n")
    return values(before), values(after)


def expected(root: Path, present: set[str]) -> dict[str, dict[str, object]]:
    followed = keys.Followed(frozenset(keys.OURS), frozenset(present))
    found: dict[str, dict[str, object]] = {}
    for reading in loaders.read_all(Files(str(root))):
        outcomes = precedence.outcomes(reading, followed)
        found[reading.loader] = {
            "values": {path: [one.value, one.sure] for path, one in outcomes.items()},
            "problems": [str(problem) for problem in reading.problems],
            "skipped": [list(one) for one in reading.skipped],
            "files": reading.files,
        }
    return found


def main() -> None:
    image, names, cases = sys.argv[1], sys.argv[2:], json.load(sys.stdin)
    results = {}
    run("mount", "-t", "tmpfs", "tmpfs", "/mnt")
    for name, tree in cases.items():
        with tempfile.TemporaryDirectory(dir="/mnt", ignore_cleanup_errors=True) as work:
            root = mount_tree(image, Path(work), tree)
            real = {loader: really(root, _LOADERS[loader]) for loader in names}
            present = set(next(iter(real.values()))[0]) & set(keys.OURS)
            results[name] = {"expected": expected(root, present), "real": real}
            run("umount", "-l", str(root / "proc"), str(root / "dev"))
            run("umount", "-l", str(root))
    json.dump(results, sys.stdout)


if __name__ == "__main__":
    main()
