# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which lines of the two servers are told, out of the files of a host and a version of nginx."""

from __future__ import annotations

import cProfile
import pstats
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.tcpops.timewait.plugins.module_utils import _connection_reuse
from ansible_collections.tcpops.timewait.plugins.module_utils._files import Files
from ansible_collections.tcpops.timewait.plugins.module_utils._programs import Programs, Seen

_NGINX, _HAPROXY = "/etc/nginx/nginx.conf", "/etc/haproxy/haproxy.cfg"
_UPSTREAM = """events {}
http {
    upstream app {
        server 10.0.0.2:80;
        server [2001:db8::2]:81;
        server app.example.net:80;
    }
    server { listen 80; location / { proxy_pass http://app; } }
}
"""
_BACKEND = """defaults
    mode http
backend app
    http-reuse never
    server s1 10.0.0.2:80
    server s2 app.example.net:80
"""


class OneProgram(Programs):
    """nginx, which says what it is asked on standard error, as nginx does."""

    def __init__(self, version: str | None, problem: str = "") -> None:
        self._version = version
        self._problem = problem

    def look(self, name: str, *arguments: str) -> Seen | None:
        assert (name.rpartition("/")[2], arguments) == ("nginx", ("-v",))
        return None if self._version is None else Seen(0, "", self._problem, f"nginx version: nginx/{self._version}")


def describe(
    root: Path, files: dict[str, str], programs: Programs | None = None
) -> tuple[list[dict[str, Any]], list[dict[str, str]]]:
    for path, text in files.items():
        (root / path.lstrip("/")).parent.mkdir(parents=True, exist_ok=True)
        (root / path.lstrip("/")).write_text(text)
    return _connection_reuse.describe(Files(str(root)), programs or OneProgram("1.22.1"))


def test_nothing_is_there_and_nothing_is_wrong(tmp_path: Path) -> None:
    assert describe(tmp_path, {}) == ([], [])


def test_lines_of_both_servers_with_the_addresses_that_they_lead_to(tmp_path: Path) -> None:
    found, problems = describe(tmp_path, {_NGINX: _UPSTREAM, _HAPROXY: _BACKEND})
    assert problems == []
    assert found[0] == {
        "server": "haproxy",
        "path": _HAPROXY,
        "line": 4,
        "backend": "app",
        "reason": "never",
        "change": "http-reuse safe",
        # a name is not resolved
        "destinations": [{"address": "10.0.0.2", "port": 80}],
    }
    assert [(one["server"], one["line"], one["reason"]) for one in found[1:]] == [
        ("nginx", 6, "no-keepalive"), ("nginx", 8, "http-1.0"), ("nginx", 8, "connection-close"),
    ]  # fmt: skip
    assert found[1]["destinations"] == [{"address": "10.0.0.2", "port": 80}, {"address": "2001:db8::2", "port": 81}]


def test_since_1_29_7_nginx_keeps_connections_where_nothing_is_said(tmp_path: Path) -> None:
    assert describe(tmp_path, {_NGINX: _UPSTREAM}, OneProgram("1.29.7")) == ([], [])
    assert describe(tmp_path, {}, OneProgram("1.29.6"))[0] != []


def test_files_of_an_nginx_that_is_not_installed_say_nothing(tmp_path: Path) -> None:
    assert describe(tmp_path, {_NGINX: _UPSTREAM}, OneProgram(None)) == ([], [])


@pytest.mark.parametrize(
    "files, programs, reason",
    [
        ({_NGINX: "http {\n"}, OneProgram("1.22.1"), "nginx: /etc/nginx/nginx.conf"),
        ({_NGINX: _UPSTREAM}, OneProgram("1.22.1", "nginx -v failed with status 1"), "nginx -v failed with status 1"),
    ],
)
def test_one_that_cannot_be_told_does_not_hide_the_other(
    tmp_path: Path, files: dict[str, str], programs: Programs, reason: str
) -> None:
    found, problems = describe(tmp_path, {_HAPROXY: _BACKEND, **files}, programs)
    assert [one["server"] for one in found] == ["haproxy"]
    assert [one["what"] for one in problems] == ["connection_reuse"]
    assert reason in problems[0]["reason"]


def test_more_lines_than_are_told(tmp_path: Path) -> None:
    backends = "".join(
        f"backend b{number}\n    http-reuse never\n    server s 10.0.0.2:80\n" for number in range(201)
    )
    found, problems = describe(tmp_path, {_HAPROXY: "defaults\n    mode http\n" + backends})
    assert len(found) == 200
    assert "201 lines" in problems[0]["reason"]


def calls(root: Path, number: int) -> int:
    """Function calls that a load balancer with so many backends costs: the same ones each time, unlike seconds."""
    backends = "".join(f"backend b{one}\n    server s 10.0.0.2:80\n" for one in range(number))
    rules = "".join(f"    use_backend b{one} if {{ hdr(host) h{one} }}\n" for one in range(number))
    haproxy = f"defaults\n    mode http\nfrontend f\n    bind :80\n{rules}{backends}"
    servers = "".join(
        f"upstream u{one} {{ server 10.0.0.2:80; keepalive 8; }} server {{ server_name h{one}; location / {{"
        f' proxy_pass http://u{one}; proxy_http_version 1.1; proxy_set_header Connection ""; }} }}\n'
        for one in range(number)
    )
    profile = cProfile.Profile()
    files = {_HAPROXY: haproxy, _NGINX: f"events {{}}\nhttp {{\n{servers}}}\n"}
    assert profile.runcall(describe, root, files) == ([], [])
    return int(pstats.Stats(profile).total_calls)  # type: ignore[attr-defined]


def test_a_load_balancer_with_thousands_of_backends_costs_no_more_for_each(tmp_path: Path) -> None:
    few, many = calls(tmp_path / "few", 100), calls(tmp_path / "many", 400)
    assert many < 4.8 * few, (few, many)


def test_a_line_of_defaults_is_told_once(tmp_path: Path) -> None:
    text = "defaults\n    mode http\n    option httpclose\nfrontend f\n    bind :80\n    default_backend app\n"
    found, _problems = describe(tmp_path, {_HAPROXY: text + "backend app\n    server s 10.0.0.2:80\n"})
    assert [(one["line"], one["backend"], one["reason"]) for one in found] == [(3, "app", "closed")]
