# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A made-up host of sysctl files in a folder: programs are files with the words that they are told apart by."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ansible_collections.tcpops.timewait.plugins.module_utils._sysctl import keys
from ansible_collections.tcpops.timewait.plugins.module_utils._sysctl.files import Files

ALL = keys.Followed(frozenset(keys.OURS), frozenset(keys.OURS))

SYSTEMD = {
    "/usr/lib/systemd/systemd-sysctl": "Not setting %s (explicit setting exists).",
    "/usr/lib/systemd/system/systemd-sysctl.service": "[Service]\n",
    "/usr/lib/systemd/system/sysinit.target.wants/systemd-sysctl.service": Path("../systemd-sysctl.service"),
    "/run/systemd/system/.keep": "",
}
PROCPS_3 = {"/usr/sbin/sysctl": "/etc/sysctl.conf"}
PROCPS_4 = {"/usr/sbin/sysctl": "/etc/sysctl.conf dry-run"}
UFW = {"/etc/default/ufw": "IPT_SYSCTL=/etc/ufw/sysctl.conf\n", "/etc/ufw/ufw.conf": "ENABLED=yes\n"}
TUNED = {"/usr/sbin/tuned": "#!", "/etc/tuned/active_profile": "mine\n"}


def make(root: Path, *parts: Mapping[str, str | bytes | Path | None]) -> Files:
    """Write files below a folder: text, bytes, a ``Path`` for a symbolic link to it, None for a folder."""
    for part in parts:
        for path, content in part.items():
            place = root / path.lstrip("/")
            place.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(content, Path):
                place.symlink_to(content)
            elif content is None:
                place.mkdir()
            else:
                place.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)
    return Files(str(root))
