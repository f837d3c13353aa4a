# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What spreading connections of nginx refuses, and how it treats single directives."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.tcpops.timewait.plugins.module_utils._files import Files
from ansible_collections.tcpops.timewait.plugins.module_utils._listeners.errors import ConfigurationRefusedError
from ansible_collections.tcpops.timewait.plugins.module_utils._listeners.nginx import edit as listeners
from ansible_collections.tcpops.timewait.plugins.module_utils._listeners.request import Request as ListenRequest
from ansible_collections.tcpops.timewait.plugins.module_utils._spread.nginx import edit, split
from ansible_collections.tcpops.timewait.plugins.module_utils._spread.plan import Plan
from ansible_collections.tcpops.timewait.plugins.module_utils._spread.request import Request, ServerAddresses

_MAIN = "/etc/nginx/nginx.conf"
_SOURCES = Request("a", ("10.1.0.1", "10.1.0.2"))
_PORT = Request("a", (), (81,))
_PASS = "server { location / { proxy_pass http://a; } }"


@pytest.fixture(name="root")
def fixture_root(tmp_path: Path) -> Path:
    (tmp_path / "etc/nginx").mkdir(parents=True)
    return tmp_path


def planned(root: Path, text: str, request: Request) -> Plan:
    (root / _MAIN[1:]).write_bytes(text.encode())
    return edit.add(Files(str(root)), request)


def http(text: str) -> str:
    return "events {}\nhttp {\n%s\n}\n" % text


@pytest.mark.parametrize(
    ("text", "request_", "line", "reason"),
    [
        ("upstream b { server 1.1.1.1; }", _PORT, 0, "there is no upstream a"),
        ("upstream a { server unix:/x; }", _PORT, 3, "no server with an address"),
        ("upstream a { server 1.1.1.1; }\n}\nstream { upstream a { server 1.1.1.1:1; }", _PORT, 5, "twice"),
        ("upstream a { server 1.1.1.1:80-90; }", _PORT, 3, "several ports"),
        ("upstream a { server 8080; }", _PORT, 3, "names no address"),
        ("upstream a { server 1.1.1.1 weight=x; }", _PORT, 3, "weight=x is not understood"),
        ("upstream a {\n server 1.1.1.1\n max_conns=1; }", _PORT, 4, "max_conns=1 cannot be divided by 2 servers"),
        ("upstream a { server x service=http resolve; }", _PORT, 3, "DNS tells the port"),
        ("upstream a { server x route=b; }", _PORT, 3, "a route names one server"),
        ("upstream a { server 1.1.1.1;\n balancer_by_lua_block { x() } }", _PORT, 4, "code chooses"),
        ("upstream a { server 1.1.1.1; }", Request("a", (), (), (ServerAddresses("1.1.1.2", ("1.1.1.3",)),)), 3,
         "a has no server 1.1.1.2"),
        ("upstream a { server 1.1.1.1; server unix:/x; }\n" + _PASS, _SOURCES, 3, "a Unix socket"),
        ("upstream a { server [::5]; }\n" + _PASS, _SOURCES, 3, "of the other family than ::5"),
        ("upstream a { server h; }\n" + _PASS, Request("a", ("10.1.0.1", "::1")), 3, "sources of one family only"),
        ("upstream a { server 1.1.1.1; }\nserver { location / {\n proxy_bind 10.1.0.1; proxy_pass http://a; } }",
         _SOURCES, 5, "bound already"),
        ("upstream a { server 1.1.1.1; }\nproxy_bind 10.1.0.1;\n" + _PASS, _SOURCES, 4, "bound already"),
        ("upstream a { server 1.1.1.1; }\nserver { proxy_bind off; location / { proxy_pass http://a; } }",
         _SOURCES, 4, "bound already"),
        ("upstream a { server 1.1.1.1; }\nserver { location / { if ($x) {\n proxy_pass http://a; } } }",
         _SOURCES, 5, "proxy_bind cannot stand in if"),
        ("upstream a { server 1.1.1.1; }\nserver { location / { limit_except GET {\n proxy_pass http://a; } } }",
         _SOURCES, 5, "proxy_bind cannot stand in limit_except"),
        (("upstream a { server 1.1.1.1; }\nserver { location / { proxy_pass http://a;\n"
          " location /b { proxy_pass http://b; } } }"), _SOURCES, 5, "would be bound with it"),
        ("server { location / {\n proxy_pass http://1.1.1.1:80; } }", Request("1.1.1.1:80", (), (81,)), 4,
         "put it into an upstream"),
        ("server { location / {\n proxy_pass http://[::5]; } }", Request("[::5]:80", ("10.1.0.1",)), 4,
         "of the other family"),
        ("server { location / { proxy_pass http://1.1.1.1:81; } }", Request("1.1.1.1:80", ("10.1.0.1",)), 0,
         "there is no upstream 1.1.1.1:80"),
    ],
)  # fmt: skip
def test_what_cannot_be_spread_is_refused(root: Path, text: str, request_: Request, line: int, reason: str) -> None:
    with pytest.raises(ConfigurationRefusedError) as caught:
        planned(root, http(text), request_)
    assert (caught.value.path, caught.value.line) == (_MAIN, line)
    assert reason in caught.value.reason


@pytest.mark.parametrize(
    ("passes", "bound"),
    [
        ("proxy_pass http://a;", True),
        ("proxy_pass https://A/x;", True),
        ("proxy_pass http://a$request_uri;", True),
        ("proxy_pass http://a$where;", False),
        ("proxy_pass $where;", False),
        ("proxy_pass http://a:8080;", False),
        ("proxy_pass http://ab;", False),
        ("proxy_pass http://unix:/run/a;", False),
        ("fastcgi_pass a;", True),
        ("uwsgi_pass suwsgi://a;", True),
        ("grpc_pass grpcs://a;", True),
        ("scgi_pass a;", True),
        ("memcached_pass a;", True),
    ],
)
def test_what_passes_to_the_backend_is_bound(root: Path, passes: str, bound: bool) -> None:
    locations = "location / {\n%s\n} location /b { proxy_pass http://a; }" % passes
    server = "upstream a { server 1.1.1.1; }\nserver { %s }" % locations
    after = planned(root, http(server), _SOURCES).edits[_MAIN].decode().splitlines()
    following = after[after.index(passes) + 1]
    expected = passes.partition("_")[0] + "_bind $tcpops_timewait_a; # tcpops.timewait"
    assert (following == expected) is bound


def test_addresses_without_an_upstream_are_found_by_their_port(root: Path) -> None:
    text = http("server { location / { proxy_pass http://1.1.1.1; } location /b { proxy_pass https://1.1.1.1:80; }"
                " location /c { proxy_pass https://1.1.1.1; } }")  # fmt: skip
    plan = planned(root, text, Request("1.1.1.1:80", ("10.1.0.1", "10.1.0.2", "10.1.0.3")))
    assert plan.edits[_MAIN].count(b"proxy_bind") == 2
    assert b"{ 33.33% 10.1.0.1; 33.33% 10.1.0.2; * 10.1.0.3; }" in plan.edits[_MAIN]
    assert {one.source for one in plan.connections} == {"10.1.0.1", "10.1.0.2", "10.1.0.3"}


def test_variables_of_backends_differ() -> None:
    names = ["a", "A.b", "a_b", "a-b", "10.0.0.1:80"]
    made = [split.variable(name) for name in names]
    assert made[0] == "$tcpops_timewait_a"
    # nginx makes no difference between them
    assert split.variable("UP") == split.variable("up")
    assert len(set(made)) == len(names)


def test_two_backends_share_a_file_of_our_own(root: Path) -> None:
    (root / "etc/nginx/conf.d").mkdir()
    files = Files(str(root))
    text = http("include conf.d/*.conf;\nupstream a { server 1.1.1.1; }\nupstream b { server 1.1.1.2; }\n"
                "server { location / { proxy_pass http://a; } location /b { proxy_pass http://b; } }")  # fmt: skip
    (root / _MAIN[1:]).write_text(text)
    own = root / "etc/nginx/conf.d/tcpops-timewait-spread.conf"
    states = []
    for name in ("b", "a"):
        for path, content in edit.add(files, _SOURCES._replace(backend=name)).edits.items():
            (root / path[1:]).write_bytes(content)
        states.append((root / _MAIN[1:]).read_text() + own.read_text())
    variables = [line.split()[2] for line in own.read_text().splitlines()[1:]]
    assert variables == ["$tcpops_timewait_a", "$tcpops_timewait_b"]
    for path, content in edit.remove(files, Request("a")).edits.items():
        (root / path[1:]).write_bytes(content)
    assert (root / _MAIN[1:]).read_text() + own.read_text() == states[0]
    assert edit.remove(files, Request("b")).edits == {_MAIN: text.encode(), "/" + str(own.relative_to(root)): b""}


def test_a_site_that_is_not_in_use_any_more_is_cleaned(root: Path) -> None:
    files = Files(str(root))
    (root / "etc/nginx/sites-available").mkdir()
    (root / "etc/nginx/sites-enabled").mkdir()
    site, link = root / "etc/nginx/sites-available/s", root / "etc/nginx/sites-enabled/s"
    site.write_text(_PASS)
    link.symlink_to(site)
    (root / _MAIN[1:]).write_text(http("upstream a { server 1.1.1.1; }\ninclude sites-enabled/*;"))
    link.unlink()
    link.symlink_to("../sites-available/s")
    for path, content in edit.add(files, _SOURCES).edits.items():
        (root / path[1:]).write_bytes(content)
    assert "proxy_bind" in site.read_text()
    link.unlink()
    assert edit.remove(files, Request("a")).edits["/etc/nginx/sites-available/s"] == _PASS.encode()


def test_lines_are_counted_as_they_are(root: Path) -> None:
    text = http("upstream a {\n server 1.1.1.1 max_conns=9; server 1.1.1.2;\n ip_hash;\n}\n" + _PASS)
    both = Request("a", ("10.1.0.1", "10.1.0.2"), (81,))
    after = planned(root, text, both).edits[_MAIN].decode()
    plan = planned(root, after, both)
    assert plan.edits == {}
    assert [after.splitlines()[int(one.split(":")[1]) - 1].strip() for one in plan.warnings] == ["ip_hash;"]
    broken = after.replace("ip_hash;", "balancer_by_lua_file x;")
    with pytest.raises(ConfigurationRefusedError) as caught:
        planned(root, broken, both)
    assert "balancer" in broken.splitlines()[caught.value.line - 1]


def test_a_server_that_changed_is_followed(root: Path) -> None:
    text = http("upstream a {\n server 1.1.1.1 max_conns=8;\n}")
    first = planned(root, text, _PORT).edits[_MAIN].decode()
    plan = planned(root, first.replace("was server 1.1.1.1", "was server 1.1.1.2"), Request("a"))
    assert [(one.address, one.port) for one in plan.connections] == [("1.1.1.2", 80), ("1.1.1.2", 81)]


def test_listen_ports_and_spread_connections_keep_out_of_each_others_way(root: Path) -> None:
    files = Files(str(root))
    text = http("upstream a { server 1.1.1.1 max_conns=9; }\nserver { listen 80; location / { proxy_pass http://a; } }")
    (root / _MAIN[1:]).write_text(text)

    def apply(edits: dict[str, bytes]) -> bytes:
        for path, content in edits.items():
            (root / path[1:]).write_bytes(content)
        return (root / _MAIN[1:]).read_bytes()

    both = Request("a", ("10.1.0.1", "10.1.0.2"), (81,))
    listen = ListenRequest(80, (81,))
    only_spread = apply(edit.add(files, both).edits)
    apply(listeners.add(files, listen).edits)
    assert edit.add(files, both).edits == {}
    assert listeners.add(files, listen).edits == {}
    assert apply(listeners.remove(files, listen).edits) == only_spread
    apply(listeners.add(files, listen).edits)
    apply(edit.remove(files, both).edits)
    assert apply(listeners.remove(files, listen).edits) == text.encode()
