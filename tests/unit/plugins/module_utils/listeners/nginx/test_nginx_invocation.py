# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How nginx is started, out of its unit or by where its configuration is."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.tcpops.timewait.plugins.module_utils._files import Files
from ansible_collections.tcpops.timewait.plugins.module_utils._listeners.nginx import invocation


def unit(root: Path, name: str, command: str) -> None:
    path = root / "etc/systemd/system" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"[Service]\nExecStart={command}\n")


@pytest.mark.parametrize(
    ("command", "main", "words"),
    [
        ("/usr/sbin/nginx -g 'daemon on; master_process on;'", "/etc/nginx/nginx.conf",
         ("/usr/sbin/nginx", "-g", "daemon on; master_process on;")),
        ("/usr/sbin/nginx -c /srv/edge.conf", "/srv/edge.conf", ("/usr/sbin/nginx", "-c", "/srv/edge.conf")),
        ("-/usr/sbin/nginx -p /srv/edge", "/srv/edge/conf/nginx.conf", ("/usr/sbin/nginx", "-p", "/srv/edge")),
        ("/usr/sbin/nginx -p /srv/edge -c a.conf", "/srv/edge/a.conf",
         ("/usr/sbin/nginx", "-p", "/srv/edge", "-c", "a.conf")),
        ("/usr/local/nginx/sbin/nginx", "/usr/local/nginx/conf/nginx.conf", ("/usr/local/nginx/sbin/nginx",)),
    ],
)  # fmt: skip
def test_the_unit_tells(tmp_path: Path, command: str, main: str, words: tuple[str, ...]) -> None:
    unit(tmp_path, "nginx.service", command)
    found = invocation.find(Files(str(tmp_path)))
    assert (found.main, found.words, found.unit) == (main, words, "nginx.service")
    assert found.check == (*words, "-t")
    assert found.reload == (*words, "-s", "reload")


def test_openresty_has_a_unit_of_its_own(tmp_path: Path) -> None:
    unit(tmp_path, "openresty.service", "/usr/local/openresty/nginx/sbin/nginx")
    found = invocation.find(Files(str(tmp_path)))
    assert (found.main, found.unit) == ("/usr/local/openresty/nginx/conf/nginx.conf", "openresty.service")


@pytest.mark.parametrize("main", ["/etc/nginx/nginx.conf", "/usr/local/openresty/nginx/conf/nginx.conf"])
def test_without_a_unit_the_usual_file_tells(tmp_path: Path, main: str) -> None:
    (tmp_path / main[1:]).parent.mkdir(parents=True)
    (tmp_path / main[1:]).write_text("")
    assert invocation.find(Files(str(tmp_path))).main == main


def test_without_anything_it_is_where_packages_have_it(tmp_path: Path) -> None:
    assert invocation.find(Files(str(tmp_path))) == ("/etc/nginx/nginx.conf", ("nginx",), "nginx.service")
