# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Weights, requests, who chose the port, and connections that are not used again."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.tcpops.timewait.plugins.module_utils._files import Files
from ansible_collections.tcpops.timewait.plugins.module_utils._spread import deferred, request, weights
from ansible_collections.tcpops.timewait.plugins.module_utils._spread.haproxy import reuse as haproxy_reuse
from ansible_collections.tcpops.timewait.plugins.module_utils._spread.nginx import reuse as nginx_reuse
from ansible_collections.tcpops.timewait.plugins.module_utils._spread.request import Request, ServerAddresses
from ansible_collections.tcpops.timewait.plugins.module_utils._spread.unused import REASONS


@pytest.mark.parametrize(
    ("origins", "most", "expected"),
    [
        ([(1, 4), (3, 4)], None, [1, 3]),
        ([(1, 4), (1, 1)], None, [1, 4]),
        ([(2, 2), (4, 4), (0, 3)], None, [1, 1, 0]),
        ([(256, 1), (255, 2)], 256, [256, 128]),
        ([(256, 1), (1, 8)], 256, [256, 1]),
        ([(0, 1), (0, 2)], 256, [0, 0]),
    ],
)
def test_weights(origins: list[tuple[int, int]], most: int | None, expected: list[int]) -> None:
    assert weights.divided([weights.Origin(*one) for one in origins], most) == expected


def test_rounded_weights_are_nearly_what_they_were() -> None:
    for left in range(1, 257, 5):
        for lines in range(2, 12):
            one, other = weights.divided([weights.Origin(left, lines), weights.Origin(100, 1)], 256)
            assert max(one, other) <= 256
            if min(one, other) >= 5:
                assert one * lines / other == pytest.approx(left / 100, rel=0.12)


def test_shares_add_up() -> None:
    for total in range(30):
        for parts in range(1, 9):
            found = request.shares(total, parts)
            assert (sum(found), len(found)) == (total, parts)
            assert max(found) - min(found) <= 1


def test_requests() -> None:
    addresses = (ServerAddresses("s", ("10.0.0.2",)), ServerAddresses("s", ("10.0.0.1",)), ServerAddresses("t", ()))
    one = request.normal(Request("a", ("10.0.0.10", "::1", "10.0.0.9", "10.0.0.9"), (82, 81, 82), addresses))
    assert one == Request("a", ("10.0.0.9", "10.0.0.10", "::1"), (81, 82),
                          (ServerAddresses("s", ("10.0.0.1", "10.0.0.2")),))  # fmt: skip
    assert request.without(one, Request("a")).empty
    left = request.without(one, Request("a", ("::1",), (82,), (ServerAddresses("s", ("10.0.0.1",)),)))
    assert left == Request("a", ("10.0.0.9", "10.0.0.10"), (81,), (ServerAddresses("s", ("10.0.0.2",)),))
    assert request.joined(left, one) == one


def _ports(first: int, step: int, count: int = 20) -> list[tuple[int, str, int]]:
    return [(first + step * number, "10.0.0.1", 80) for number in range(count)]


@pytest.mark.parametrize(
    ("connections", "expected"),
    [
        (_ports(32768, 2), True),
        (_ports(32769, 2), False),
        (_ports(32768, 1), None),
        (_ports(32768, 2, 19), None),
        (_ports(32769, 2, 10) * 2, None),
        ([*_ports(32768, 2, 38), *_ports(32769, 2, 2)], True),
        ([*_ports(32768, 2, 30), *_ports(32769, 2, 10)], None),
        ([(40000, "10.0.0.1", 80), (40000, "10.0.0.1", 81)], True),
        ([(100, "10.0.0.1", 80), (100, "10.0.0.1", 81)], None),
        (_ports(32768, 2, 8000), None),
    ],
)
def test_who_chose_the_port(connections: list[tuple[int, str, int]], expected: bool | None) -> None:
    found = deferred.judge(connections, 32768, 60999)
    assert found.deferred is expected
    assert found.evidence


def test_the_line_to_change_is_told(tmp_path: Path) -> None:
    (tmp_path / "etc/nginx").mkdir(parents=True)
    (tmp_path / "etc/nginx/nginx.conf").write_text("""http {
proxy_set_header Connection "";
map $http_upgrade $up { default upgrade;
  '' close; }
upstream a { server 10.0.0.1;
  server 10.0.0.2; }
upstream local { server unix:/run/x; }
upstream off { server 10.0.0.1; keepalive 0; }
server {
  location / { proxy_set_header Host a;
    proxy_pass http://a; }
  location /ws { proxy_http_version 1.1; proxy_set_header Connection $up; proxy_pass http://a; }
  location /old { proxy_http_version 1.0; proxy_set_header Connection close; proxy_pass http://a/; }
  location /x { proxy_pass https://10.0.0.9:8443/y; proxy_pass http://local; fastcgi_pass off; uwsgi_pass off; }
} }
stream { upstream a { server 10.0.0.1:1; } server { proxy_pass a; } }
""")
    files = Files(str(tmp_path))
    found = [(one.line, one.reason, one.change) for one in nginx_reuse.find(files, False)]
    assert found == [
        (6, "no-keepalive", "keepalive 32;"),
        (11, "http-1.0", "proxy_http_version 1.1;"),
        (10, "connection-close", 'proxy_set_header Connection "";'),
        (4, "connection-close", "'' '';"),
        (13, "http-1.0", "proxy_http_version 1.1;"),
        (13, "connection-close", 'proxy_set_header Connection "";'),
        (14, "no-upstream", ("upstream NAME { server 10.0.0.9:8443; keepalive 32; } in http, and here proxy_pass"
                             " https://NAME/y; proxy_http_version 1.1;")),
        (2, "no-upstream", "proxy_set_header Host 10.0.0.9:8443;"),
        (8, "no-keepalive", "keepalive 32;"),
        (14, "fastcgi-closed", "fastcgi_keep_conn on;"),
    ]  # fmt: skip
    later = {(one.line, one.reason) for one in nginx_reuse.find(files, True)}
    assert {(line, reason) for line, reason, _change in found} - later == {
        (6, "no-keepalive"), (11, "http-1.0"), (10, "connection-close")}  # fmt: skip
    assert {reason for _line, reason, _change in found} < set(REASONS)


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ("nginx version: nginx/1.29.7", True),
        ("nginx version: nginx/1.30.0 (Debian)", True),
        ("nginx version: nginx/1.29.6", False),
        ("nginx version: openresty/1.27.1.2", False),
        ("nginx version: openresty/1.29.7.1", True),
        ("Tengine version: Tengine/3.1.0", False),
        ("Tengine version: Tengine/3.1.0\nnginx version: nginx/1.24.0", False),
        ("Tengine version: Tengine/3.9.0\nnginx version: nginx/1.29.8", True),
        ("nginx version: freenginx/1.31.0", False),
        ("nothing", False),
    ],
)
def test_versions_of_nginx(version: str, expected: bool) -> None:
    assert nginx_reuse.keeps_by_default(version) is expected


def test_lines_of_haproxy_are_told(tmp_path: Path) -> None:
    (tmp_path / "etc/haproxy").mkdir(parents=True)
    (tmp_path / "etc/haproxy/haproxy.cfg").write_text("""defaults
  mode http
  option http-server-close
frontend f
  option httpclose
  use_backend a if TRUE
  default_backend b
backend a
  http-reuse never
  server s 1.1.1.1:80  pool-max-conn 0 check
backend b
  no option http-server-close
  server s 1.1.1.1:80
backend c
  mode tcp
  http-reuse never
  server s 1.1.1.1:80
backend d
  option http-keep-alive
  http-reuse always
  default-server pool-max-conn 10
  server s 1.1.1.1:80
backend e
  http-reuse never
backend local
  http-reuse never
  server s /run/app.sock
  server t unix@/run/app.sock
backend some
  http-reuse never
  server s /run/app.sock
  server t $WHERE
backend names
  http-reuse never
  server-template s 3 app.example.net:80
""")
    found = [(one.backend, one.line, one.reason, one.change) for one in haproxy_reuse.find(Files(str(tmp_path)))]
    assert found == [
        ("a", 9, "never", "http-reuse safe"),
        ("a", 3, "closed", ""),
        ("a", 5, "closed", ""),
        ("a", 10, "no-pool", "server s 1.1.1.1:80 check"),
        ("b", 5, "closed", ""),
        ("some", 30, "never", "http-reuse safe"),
        ("some", 3, "closed", ""),
        ("names", 34, "never", "http-reuse safe"),
        ("names", 3, "closed", ""),
    ]


@pytest.mark.parametrize(
    ("location", "by_default", "expected"),
    [
        (
            "proxy_pass http://10.0.0.9;",
            False,
            [
                (
                    "upstream NAME { server 10.0.0.9:80; keepalive 32; } in http, and here proxy_pass http://NAME;"
                    ' proxy_set_header Host 10.0.0.9; proxy_http_version 1.1; proxy_set_header Connection "";'
                )
            ],
        ),
        (
            "proxy_pass http://10.0.0.9;",
            True,
            [
                (
                    "upstream NAME { server 10.0.0.9:80; keepalive 32; } in http, and here proxy_pass http://NAME;"
                    " proxy_set_header Host 10.0.0.9;"
                )
            ],
        ),
        (
            (
                'proxy_set_header Host $host;\nproxy_set_header Connection "";\nproxy_http_version 1.1;\n'
                "proxy_pass http://10.0.0.9:81/;"
            ),
            False,
            ["upstream NAME { server 10.0.0.9:81; keepalive 32; } in http, and here proxy_pass http://NAME/;"],
        ),
        (
            "proxy_set_header Host $host;\nproxy_pass http://10.0.0.9:81;",
            False,
            [
                (
                    "upstream NAME { server 10.0.0.9:81; keepalive 32; } in http, and here proxy_pass http://NAME;"
                    " proxy_http_version 1.1;"
                ),
                'proxy_set_header Connection "";',
            ],
        ),
        (
            "fastcgi_pass 10.0.0.9:9000;",
            True,
            [
                (
                    "upstream NAME { server 10.0.0.9:9000; keepalive 32; } in http, and here fastcgi_pass NAME;"
                    " fastcgi_keep_conn on;"
                )
            ],
        ),
        (
            "grpc_pass grpc://10.0.0.9:9000;",
            False,
            ["upstream NAME { server 10.0.0.9:9000; keepalive 32; } in http, and here grpc_pass grpc://NAME;"],
        ),
    ],
)
def test_all_that_a_pass_without_an_upstream_needs_is_told(
    tmp_path: Path, location: str, by_default: bool, expected: list[str]
) -> None:
    (tmp_path / "etc/nginx").mkdir(parents=True)
    (tmp_path / "etc/nginx/nginx.conf").write_text(f"http {{ server {{ location / {{\n{location}\n}} }} }}\n")
    assert [one.change for one in nginx_reuse.find(Files(str(tmp_path)), by_default)] == expected
