# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host is like: every file of its /etc, and every sysctl of its network namespace.

Written apart from the collection's own code, so that the two can disagree.
"""

from __future__ import annotations

import json

from .fleet import Fleet

_LOOK = r"""
import hashlib, json, os, stat, sys

def files(top):
    for folder, folders, names in os.walk(top):
        for name in folders + names:
            path = os.path.join(folder, name)
            found = os.lstat(path)
            if stat.S_ISLNK(found.st_mode):
                content = os.readlink(path)
            elif stat.S_ISREG(found.st_mode):
                with open(path, "rb") as stream:
                    content = hashlib.sha256(stream.read()).hexdigest()
            else:
                content = ""
            yield path, [oct(found.st_mode), found.st_uid, found.st_gid, content]

def values(top):
    for folder, folders, names in os.walk(top):
        for name in names:
            path = os.path.join(folder, name)
            try:
                with open(path) as stream:
                    yield path, stream.read()
            except OSError:
                pass  # some may only be written

print(json.dumps([dict(files("/etc")), dict(values("/proc/sys/net"))]))
"""


def host_state(fleet: Fleet, name: str) -> dict[str, object]:
    """By path: mode, owner, group and hash or target of files; text of sysctls."""
    files, values = json.loads(fleet.shell(name, f"/usr/bin/python3 -c '{_LOOK}'"))
    if len(files) < 100 or "/proc/sys/net/ipv4/ip_local_port_range" not in values:
        raise RuntimeError(f"{name} shows {len(files)} files and {len(values)} sysctls: that is no host")
    return {**files, **values}


def differences(before: dict[str, object], after: dict[str, object]) -> set[str]:
    """Paths that are not as they were."""
    return {path for path in before.keys() | after.keys() if before.get(path) != after.get(path)}
