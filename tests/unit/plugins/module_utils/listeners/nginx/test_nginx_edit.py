# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is refused, and what becomes of a configuration that others edit in between."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.tcpops.timewait.plugins.module_utils._files import Files
from ansible_collections.tcpops.timewait.plugins.module_utils._listeners.errors import ConfigurationRefusedError
from ansible_collections.tcpops.timewait.plugins.module_utils._listeners.nginx import edit, tree
from ansible_collections.tcpops.timewait.plugins.module_utils._listeners.plan import Listener, Plan
from ansible_collections.tcpops.timewait.plugins.module_utils._listeners.request import Request
from support.file_tree import make_tree

_MAIN = "/etc/nginx/nginx.conf"
_80 = Request(80, (81,))


def http(*lines: str) -> str:
    return "\n".join(("events {}", "http {", *lines, "}", ""))


def configured(root: Path, *lines: str, **more: str | tuple[str, str]) -> Files:
    """A host whose main file has these lines in its http block, from line 3 on, and other files besides."""
    return make_tree(root, {_MAIN: http(*lines), **{"/etc/nginx/" + path: text for path, text in more.items()}})


def apply(root: Path, plan: Plan) -> str:
    """Carry out a plan; the main file afterwards."""
    for path, content in plan.edits.items():
        (root / path.lstrip("/")).write_bytes(content)
    return (root / _MAIN.lstrip("/")).read_text()


def refusal(files: Files, request: Request = _80) -> str:
    with pytest.raises(ConfigurationRefusedError) as caught:
        edit.add(files, request)
    return str(caught.value)


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (
            ["server { listen 8080; }"],
            ": no server listens on TCP port 80, unless it was added here: the others are 8080",
        ),
        ([], ": no server listens on TCP port 80, unless it was added here: the others are none"),
        (
            ["server { listen 80 quic; }", "server { listen unix:/x; }"],
            ": no server listens on TCP port 80, unless it was added here: the others are none",
        ),
        (
            ["server { listen 80; }", "server {", "  listen $port; }"],
            ':5: "listen $port" is not understood: nginx takes no variable in it, so that the port cannot be known',
        ),
        (["server { listen 80; }", "server { listen; }"], ":4: listen takes a port or an address"),
        (["server { listen 80; }", "include a b;"], ":4: include takes one path"),
        (
            ["server { listen 80; }", "include gone.conf;"],
            ":4: /etc/nginx/gone.conf cannot be read: there is no such file",
        ),
        (["server { listen 80; }", "include .;"], ":4: /etc/nginx/. cannot be read: not a regular file"),
        (["include nginx.conf;"], ":3: /etc/nginx/nginx.conf includes itself"),
        (["include [[:alpha:]].conf;"], ":3: the pattern /etc/nginx/[[:alpha:]].conf is not understood: use *, ? and"),
        (["server { listen 80; "], ':2: the block "http" has no closing brace'),
        (
            ["server { listen 80; }", "server { listen 8080;", "listen 81; }"],
            ":5: port 81 is listened on already, and not as port 80 is: choose another port",
        ),
        (
            ["server { listen 80; }", "server { listen 80;", "listen 81; }"],
            ":5: port 81 is listened on already, and not as port 80 is: choose another port",
        ),
        (
            ["server { listen 80; }", "server { listen 79-82; }"],
            ":4: port 81 is listened on already, and not as port 80 is: choose another port",
        ),
    ],
)
def test_what_is_refused_is_named_with_its_line(tmp_path: Path, lines: list[str], expected: str) -> None:
    assert refusal(configured(tmp_path, *lines)).startswith(_MAIN + expected)


def test_a_missing_main_file_is_refused(tmp_path: Path) -> None:
    files = Files(str(tmp_path))
    for plan in (edit.find, lambda files: edit.add(files, _80), lambda files: edit.remove(files, _80)):
        with pytest.raises(ConfigurationRefusedError) as caught:
            plan(files)
        assert str(caught.value) == f"{_MAIN}: it cannot be read: there is no such file"


def test_a_circle_of_includes_is_refused(tmp_path: Path) -> None:
    files = configured(tmp_path, "include a;", a="include b;", b="\ninclude /etc/nginx/a;")
    assert refusal(files) == "/etc/nginx/b:2: /etc/nginx/a includes itself"


def test_includes_that_multiply_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each file includes the next one twice. The limit is lowered: a million take a while."""
    monkeypatch.setattr(tree, "_MOST_INCLUDES", 1000)
    more = {f"f{number}": f"include f{number + 1}; include f{number + 1};" for number in range(30)}
    files = configured(tmp_path, "server { listen 80; }", "include f0;", **more, f30="")
    assert refusal(files).endswith(": more than 1000 files are included")


def test_a_stream_server_for_datagrams_is_no_tcp_listener(tmp_path: Path) -> None:
    files = make_tree(tmp_path, {_MAIN: "stream { server { listen 53 udp; } }\n"})
    assert edit.find(files) == []
    assert "no server listens on TCP port 53" in refusal(files, Request(53, (54,)))


def test_lines_are_told_as_they_are_in_the_file_with_what_was_added(tmp_path: Path) -> None:
    """The configuration is understood without the added lines, and they count all the same."""
    files = configured(tmp_path, "server {", "listen 80;", "}", "server { listen 80; }", "server { listen 90; }")
    apply(tmp_path, edit.add(files, Request(80, (81, 82))))
    assert refusal(files, Request(80, (90,))).startswith(_MAIN + ":11: port 90 is listened on already")
    text = (tmp_path / _MAIN[1:]).read_text().replace("listen 90", "listen $x")
    (tmp_path / _MAIN[1:]).write_text(text)
    assert refusal(files).startswith(_MAIN + ":11: ")


@pytest.mark.parametrize("directive", ["listen 81;", "listen *:81;", "listen 80-82;"])
def test_a_port_that_others_added_everywhere_is_there_already(tmp_path: Path, directive: str) -> None:
    before = "" if "-" in directive else "listen 80; "
    files = configured(tmp_path, *[f"server {{ {before}{directive} }}"] * 2)
    assert edit.add(files, _80) == Plan({}, [], [])
    plan = edit.add(files, Request(80, (81, 90)))
    assert [one.port for one in plan.listeners] == [90, 90]
    assert edit.remove(files, _80) == Plan({}, [], [])


def test_a_port_for_datagrams_is_no_port_that_is_taken(tmp_path: Path) -> None:
    files = configured(tmp_path, "server { listen 80; }", "server { listen 81 quic; }")
    assert [one.port for one in edit.add(files, _80).listeners] == [81]


def test_a_port_is_added_beside_one_other_only(tmp_path: Path) -> None:
    files = configured(tmp_path, "server { listen 80; }", "server { listen 90; }")
    apply(tmp_path, edit.add(files, _80))
    assert refusal(files, Request(90, (81,))) == (
        _MAIN + ":3: port 81 was added beside port 80: remove it there first"
    )
    assert "no server listens on TCP port 81, unless it was added here" in refusal(files, Request(81, (82,)))


def test_a_server_that_came_later_gets_the_port_when_it_is_added_again(tmp_path: Path) -> None:
    files = configured(tmp_path, "server { listen 80 reuseport; }", "include new;", new="")
    apply(tmp_path, edit.add(files, _80))
    (tmp_path / "etc/nginx/new").write_text("server {\n\tlisten 80;\n}\n")
    plan = edit.add(files, _80)
    assert plan.edits == {"/etc/nginx/new": b"server {\n\tlisten 80;\n\tlisten 81; # tcpops.timewait\n}\n"}


def test_what_was_added_follows_the_line_that_it_was_cloned_from(tmp_path: Path) -> None:
    """As far as it is asked for: 82 is not."""
    files = configured(tmp_path, "server {", "    listen 80;", "}")
    text = apply(tmp_path, edit.add(files, Request(80, (81, 82))))
    (tmp_path / _MAIN[1:]).write_text(text.replace("listen 80;", "listen 80 backlog=9;"))
    text = apply(tmp_path, edit.add(files, _80))
    assert "    listen 81 backlog=9; # tcpops.timewait\n    listen 82; # tcpops.timewait\n" in text


def test_what_was_added_goes_though_its_line_is_gone(tmp_path: Path) -> None:
    files = configured(tmp_path, "server {", "    listen 80;", "    listen 90;", "}")
    text = apply(tmp_path, edit.add(files, _80))
    (tmp_path / _MAIN[1:]).write_text(text.replace("    listen 80;\n", ""))
    assert apply(tmp_path, edit.remove(files, _80)) == http("server {", "    listen 90;", "}")


def test_a_line_whose_mark_was_changed_is_not_ours(tmp_path: Path) -> None:
    files = configured(tmp_path, "server {", "listen 80;", "}")
    text = apply(tmp_path, edit.add(files, _80))
    (tmp_path / _MAIN[1:]).write_text(text.replace("# tcpops.timewait", "# tcpops.timewait, but ours now"))
    assert edit.remove(files, _80) == Plan({}, [], [])
    assert edit.add(files, _80) == Plan({}, [], [])


def test_the_default_is_spelt_out_as_long_as_it_has_to_be(tmp_path: Path) -> None:
    files = configured(tmp_path, "server {", "  root /x;", "}")
    apply(tmp_path, edit.add(files, _80))
    text = apply(tmp_path, edit.add(files, Request(80, (82,))))
    default = "  listen 80; # tcpops.timewait: the default"
    assert text == http(
        "server {", default, "  listen 81; # tcpops.timewait", "  listen 82; # tcpops.timewait", "  root /x;", "}"
    )
    assert [(one.port, one.added) for one in edit.find(files)] == [(80, False), (81, True), (82, True)]
    assert apply(tmp_path, edit.remove(files, _80)).splitlines()[3:5] == [default, "  listen 82; # tcpops.timewait"]
    assert apply(tmp_path, edit.remove(files, Request(80, (82,)))) == http("server {", "  root /x;", "}")


def test_the_default_comes_first_whatever_the_ports(tmp_path: Path) -> None:
    files = configured(tmp_path, "server {", "  root /x;", "}")
    text = apply(tmp_path, edit.add(files, Request(80, (70, 90))))
    assert [line.split()[1] for line in text.splitlines() if "tcpops" in line] == ["80;", "70;", "90;"]


def test_only_http_has_a_default(tmp_path: Path) -> None:
    assert edit.find(make_tree(tmp_path, {_MAIN: "stream { server { } } mail { server { } }\n"})) == []


def test_a_line_goes_below_what_shares_its_line_with_the_start_of_the_server(tmp_path: Path) -> None:
    files = configured(tmp_path, "\tserver { listen 80;", "\t         root /x;", "}")
    text = apply(tmp_path, edit.add(files, _80))
    assert text.splitlines()[2:5] == [
        "\tserver { listen 80;", "\t         listen 81; # tcpops.timewait", "\t         root /x;"
    ]  # fmt: skip


def test_the_default_goes_when_others_say_what_to_listen_on(tmp_path: Path) -> None:
    """With both lines nginx would find the same port twice in one server."""
    files = configured(tmp_path, "server {", "  root /x;", "}")
    text = apply(tmp_path, edit.add(files, _80))
    (tmp_path / _MAIN[1:]).write_text(text.replace("  root", "  listen 80 backlog=9;\n  root"))
    text = apply(tmp_path, edit.add(files, _80))
    lines = ["  listen 80 backlog=9;", "  listen 81 backlog=9; # tcpops.timewait"]
    assert text == http("server {", *lines, "  root /x;", "}")


def test_the_default_is_not_cloned_for_another_port(tmp_path: Path) -> None:
    files = configured(tmp_path, "server { root /x; }", "server { listen 8080; }")
    plan = edit.add(files, Request(8080, (8081,)))
    assert [one.port for one in plan.listeners] == [8081]
    assert plan.edits[_MAIN].count(b"tcpops") == 1


def test_a_site_that_was_disabled_loses_the_port_too(tmp_path: Path) -> None:
    more = {"sites-enabled/a": ("link", "../sites-available/a"), "sites-available/broken": "server {"}
    files = configured(tmp_path, "include sites-enabled/*;", **more, **{"sites-available/a": "server { listen 80; }"})
    (tmp_path / "etc/nginx/sites-available/folder").mkdir()
    apply(tmp_path, edit.add(files, _80))
    (tmp_path / "etc/nginx/sites-enabled/a").unlink()
    plan = edit.remove(files, _80)
    assert plan.edits == {"/etc/nginx/sites-available/a": b"server { listen 80; }"}
    assert plan.listeners == [Listener("/etc/nginx/sites-available/a", 1, "*", 81, (), True)]


def test_a_file_with_two_names_is_edited_once_and_where_it_is(tmp_path: Path) -> None:
    more = dict.fromkeys(("sites/a", "sites/b"), ("link", "/srv/site"))
    files = configured(tmp_path, "include sites/*;", **more)
    (tmp_path / "srv").mkdir()
    (tmp_path / "srv/site").write_text("server { listen 80; }\n")
    plan = edit.add(files, _80)
    assert plan.edits == {"/srv/site": b"server { listen 80; listen 81; # tcpops.timewait\n }\n"}
    assert len(plan.listeners) == 1


def test_bytes_that_are_no_text_stay_as_they_are(tmp_path: Path) -> None:
    files = configured(tmp_path)
    raw = b'http { server { listen 80; server_name "\xff\xfe\xc3\xa4"; } } # \x80\n'
    (tmp_path / _MAIN[1:]).write_bytes(raw)
    new = edit.add(files, _80).edits[_MAIN]
    assert new == raw.replace(b"80;", b"80; listen 81; # tcpops.timewait\n", 1)
    (tmp_path / _MAIN[1:]).write_bytes(new)
    assert edit.remove(files, _80).edits == {_MAIN: raw}


def test_paths_that_are_no_ascii_are_found(tmp_path: Path) -> None:
    files = configured(tmp_path, "include plätze/*.conf;", **{"plätze/ö.conf": "server { listen 80; }"})
    assert [one.path for one in edit.find(files)] == ["/etc/nginx/plätze/ö.conf"]


def test_data_is_not_read(tmp_path: Path) -> None:
    """Large tables are brought in by includes, in words that are no directives."""
    data = ("geo $x { include gone; listen 1; }", "types { include gone; }")
    files = configured(tmp_path, *data, "server { listen 80; }")
    assert [one.port for one in edit.add(files, _80).listeners] == [81]


def test_what_is_found(tmp_path: Path) -> None:
    files = configured(
        tmp_path, "server { listen 80 default_server; listen [::1]:8000-8001 ssl;", "listen unix:/x; }", "server {", "}"
    )
    assert edit.find(files) == [
        Listener(_MAIN, 3, "*", 80, ("default_server",), False, True),
        Listener(_MAIN, 3, "::1", 8000, ("ssl",), False, True),
        Listener(_MAIN, 3, "::1", 8001, ("ssl",), False, True),
        Listener(_MAIN, 5, "*", 80, (), False, True),
    ]


def test_what_was_added_beside_which_port(tmp_path: Path) -> None:
    more = {"sites-enabled/a": ("link", "../sites-available/a")}
    site = "server { listen 80; listen 443; }\n"
    files = configured(tmp_path, "include sites-enabled/*;", **more, **{"sites-available/a": site})
    apply(tmp_path, edit.add(files, Request(80, (81, 82))))
    apply(tmp_path, edit.add(files, Request(443, (444,))))
    assert edit.beside(files, 80) == [81, 82]
    assert edit.beside(files, 443) == [444]
    assert edit.beside(files, 81) == []
    (tmp_path / "etc/nginx/sites-enabled/a").unlink()
    assert edit.beside(files, 80) == [81, 82, 444], "nobody listens beside them any more"


@pytest.mark.parametrize(
    ("around", "inside", "warned"),
    [
        ("", "", True),
        ("port_in_redirect off;", "", False),
        ("absolute_redirect off;", "", False),
        ("", "port_in_redirect OFF;", False),
        ("port_in_redirect off;", "port_in_redirect on;", True),
        ("absolute_redirect off;", "absolute_redirect on;", True),
        ("absolute_redirect off;", "port_in_redirect on;", False),
    ],
)
def test_redirects_that_name_the_port(tmp_path: Path, around: str, inside: str, warned: bool) -> None:
    files = configured(tmp_path, around, f"server {{ listen 80; {inside} }}")
    warnings = edit.add(files, _80).warnings
    assert [text.partition(" (")[0] for text in warnings] == ["redirects that nginx completes"] * warned
    assert edit.add(files, Request(80, (443,))).warnings == [], "the port of a scheme is left out"


@pytest.mark.parametrize(
    ("lines", "places"),
    [
        (["server { listen 80; return 200 $server_port; }"], "5"),
        (["server { listen 80; location / { if (x) { return 200 ${server_port}; } } }"], "5"),
        (["server { listen 80; location / { include more; } }"], "/etc/nginx/more:2"),
        (["map $server_port $x { 80 a; }", "server { listen 80; }"], "4"),
        (["map $x $y { a", "$server_port; }", "server { listen 80; }"], "4"),
        (["server { listen 80; a_by_lua_block {", " x = ngx.var.server_port } }"], "5"),
        (["server { listen 80; a_by_lua_block {", " x = 1 } set $server_portal 1; }"], ""),
        (["server { listen 80; set $proxy_protocol_server_port x; }"], ""),
        (["server { listen 80; access_log /x $server_port; }", "log_format x $server_port;"], ""),
        (["server { listen 80; }", "server { listen 90; return 200 $server_port; }"], ""),
    ],
)
def test_uses_of_the_port(tmp_path: Path, lines: list[str], places: str) -> None:
    """Lines are those of the new content, where a line was put in before."""
    files = configured(tmp_path, "port_in_redirect off;", *lines, more="a;\nset $x $server_port;\n")
    warnings = edit.add(files, _80).warnings
    where = places if places.startswith("/") else f"{_MAIN}:{places}"
    assert [text.partition(",")[0] for text in warnings] == ([f"$server_port is used at {where}"] if places else [])
