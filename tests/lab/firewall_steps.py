# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Opens and closes ports in a container, in real transactions. What became of it goes out as JSON.

usage: firewall_steps open|close|fail|back|snapshot EXISTING_PORT PORT...
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ansible_collections.tcpops.timewait.plugins.module_utils import _firewall, _selinux, _transaction
from ansible_collections.tcpops.timewait.plugins.module_utils._files import Files
from ansible_collections.tcpops.timewait.plugins.module_utils._listeners.edited import EditedFiles
from ansible_collections.tcpops.timewait.plugins.module_utils._transaction import rollback

_FOLDERS = ("/etc/ufw", "/etc/firewalld", "/var/lib/tcpops-timewait-opened")
_RUNNING = (("iptables-save",), ("ip6tables-save",), ("nft", "list", "ruleset"))
_SEMANAGE = ("semanage", "port", "-l", "-C")


def files() -> Files:
    """Those of the host, with SELinux enforced where a test asks for it: a container's kernel has none."""
    edits = {"/sys/fs/selinux/enforce": b"1"} if os.environ.get("ENFORCED") else {}
    return EditedFiles(Files(), edits)


def opening(verb: str, existing: int, ports: list[int]) -> Any:
    """All steps, those of SELinux before those of firewalls."""
    selinux, firewall = (
        (_selinux.forget_ports, _firewall.close_ports)
        if verb == "close"
        else (_selinux.allow_ports, _firewall.open_ports)
    )
    steps, advice = selinux(files(), existing, ports)
    found = firewall(files(), existing, ports)
    return found._replace(steps=steps + found.steps, advice=advice + found.advice)


def refuse() -> None:
    raise _transaction.TransactionError("not as it should be")


def change(verb: str, existing: int, ports: list[int]) -> dict[str, Any]:
    planned = opening(verb, existing, ports)
    foreseen = _transaction.preview(planned.steps)
    verify: Callable[[], None] | None = refuse if verb == "fail" else None
    try:
        done = _transaction.run(_transaction.Journal(), "test", verb, planned.steps, verify)
    except _transaction.TransactionError as error:
        return {"error": str(error)}
    assert (foreseen.changed, foreseen.diff) == (done.changed, done.diff)
    return {
        "changed": done.changed,
        "where": planned.where,
        "advice": planned.advice,
        "files": [one["after_header"] for one in done.diff],
    }


def back() -> dict[str, Any]:
    done = rollback.rollback(_transaction.Journal(), rollback.Choice(all=True))
    return {"changed": done.changed, "warnings": done.warnings}


def snapshot() -> dict[str, str]:
    """Every file with its mode, and what runs, without what it has counted."""
    found = {}
    for folder in _FOLDERS:
        for path in sorted(Path(folder).rglob("*")):
            status = path.stat()
            content = path.read_bytes().hex() if path.is_file() else ""
            found[str(path)] = f"{status.st_mode:o} {status.st_uid} {content}"
    for argv in (*_RUNNING, _SEMANAGE) if os.environ.get("ENFORCED") else _RUNNING:
        done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)
        found[" ".join(argv)] = re.sub(r"(?m)^#.*$|\[\d+:\d+\]|packets \d+ bytes \d+", "", done.stdout)
    return found


def main() -> None:
    verb = sys.argv[1]
    existing, *ports = [int(word) for word in sys.argv[2:]] or [0]
    if verb == "snapshot":
        result: dict[str, Any] = snapshot()
    else:
        result = back() if verb == "back" else change(verb, existing, ports)
    json.dump(result, sys.stdout)


if __name__ == "__main__":
    main()
