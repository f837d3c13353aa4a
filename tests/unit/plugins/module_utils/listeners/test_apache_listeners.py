# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Apache's lines, words and includes; what is refused, served already, and warned of."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.tcpops.timewait.plugins.module_utils._files import Files
from ansible_collections.tcpops.timewait.plugins.module_utils._listeners import text
from ansible_collections.tcpops.timewait.plugins.module_utils._listeners.apache import edit, layout, syntax
from ansible_collections.tcpops.timewait.plugins.module_utils._listeners.errors import ConfigurationRefusedError
from ansible_collections.tcpops.timewait.plugins.module_utils._listeners.request import Request

_MAIN = "/etc/apache2/apache2.conf"


@pytest.fixture(name="root")
def fixture_root(tmp_path: Path) -> Path:
    (tmp_path / "etc/apache2").mkdir(parents=True)
    return tmp_path


def planned(root: Path, content: str, *ports: int, existing: int = 80) -> list[str]:
    """The lines that are added or changed."""
    (root / _MAIN[1:]).write_text(content)
    plan = edit.add(Files(str(root)), Request(existing, ports))
    before = content.splitlines()
    return [line for line in plan.edits.get(_MAIN, content.encode()).decode().splitlines() if line not in before]


def refusal(root: Path, content: str) -> tuple[str, int, str]:
    with pytest.raises(ConfigurationRefusedError) as caught:
        planned(root, content, 81)
    return caught.value.path, caught.value.line, caught.value.reason


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("Listen 80", [("listen", ["80"])]),
        ("  LISTEN\t80  https ", [("listen", ["80", "https"])]),
        ("# x \\\nListen 80\nListen 81", [("listen", ["81"])]),
        ("Lis\\\nten 80", [("listen", ["80"])]),
        ("Listen 80\\\n", [("listen", ["80"])]),
        ("Listen 80\\", [("listen", ["80\\"])]),
        ('A "b c" \'d"\' "e\\"f" g\\\\h', [("a", ["b c", 'd"', 'e"f', "g\\h"])]),
        ("<VirtualHost *:80 >", [("<virtualhost", ["*:80"])]),
        ('<VirtualHost "*:80" a>', [("<virtualhost", ["*:80", "a"])]),
        ("</VirtualHost>", [("</virtualhost", [])]),
        ("", []),
    ],
)
def test_statements(content: str, expected: list[tuple[str, list[str]]]) -> None:
    found = syntax.statements(text.split(content.encode()))
    assert [(one.name, [word.text for word in one.words]) for one in found] == expected


@pytest.mark.parametrize(
    ("content", "added"),
    [
        ("Listen 80\n", ["# tcpops.timewait", "Listen 81"]),
        ("Listen 80 https\n", ["# tcpops.timewait", "Listen 81 https"]),
        ("Listen 80\nListen 81\n", []),
        ("Listen 80\nListen 81 http\n", []),
        ("Listen 10.0.0.1:80\nListen 10.0.0.2:81\n", ["# tcpops.timewait", "Listen 10.0.0.1:81"]),
        ("Define P 80\nListen ${P}\n", ["# tcpops.timewait", "Listen 81"]),
        ("Define P 80\nDefine Q ${P}\nListen ${Q}\n", ["# tcpops.timewait", "Listen 81"]),
        ("Define P 80\n<IfDefine !P>\nDefine P 90\n</IfDefine>\nListen ${P}\n", ["# tcpops.timewait", "Listen 81"]),
        ("<IfDefine !P>\nDefine P 80\n</IfDefine>\nListen ${P}\n", ["# tcpops.timewait", "Listen 81"]),
        ("Listen 80\n<VirtualHost *>\n</VirtualHost>\n", ["# tcpops.timewait", "Listen 81"]),
        (
            "Listen 80\n<VirtualHost *:81 *:80>\n</VirtualHost>\n",
            ["# tcpops.timewait", "Listen 81"],
        ),
    ],
)
def test_clones(root: Path, content: str, added: list[str]) -> None:
    assert planned(root, content, 81) == added


@pytest.mark.parametrize(
    ("existing", "port", "line", "added"),
    [
        (443, 444, "Listen 443", "Listen 444 https"),
        (443, 444, "Listen 443 options=multipathtcp", "Listen 444 https options=multipathtcp"),
        (443, 444, "Listen 443 http", "Listen 444 http"),
        (80, 443, "Listen 80", "Listen 443 http"),
    ],
)
def test_the_protocol_that_a_port_has_by_itself_is_kept(
    root: Path, existing: int, port: int, line: str, added: str
) -> None:
    assert planned(root, line + "\n", port, existing=existing) == ["# tcpops.timewait", added]


@pytest.mark.parametrize(
    ("content", "line", "reason"),
    [
        ("Listen ${PORT}\n", 1, "${PORT}"),
        ("Listen 80\n<VirtualHost *:${PORT}>\n</VirtualHost>\n", 2, "${PORT}"),
        ("Define P 80\nUnDefine P\nListen ${P}\n", 3, "${P}"),
        ("<IfModule x>\nDefine P 80\n</IfModule>\nListen ${P}\n", 4, "${P}"),
        ("Define P 80\n<IfModule x>\nDefine P 90\n</IfModule>\nListen ${P}\n", 5, "${P}"),
        ("Define A 10.0.0.1:80\nListen ${A}\n", 2, "address and port"),
        ("Listen 80\nListen 0\n", 2, "from 1 to 65535"),
        ("Listen http\n", 1, "from 1 to 65535"),
        ("Listen 80\n<VirtualHost *:80>\n", 2, "not closed"),
        ("Listen 80\n</VirtualHost>\n", 2, "not open"),
        ("<IfModule a>\n<IfModule b>\n</IfDefine>\n</IfModule>\nListen 80\n", 3, "not open"),
        ("Listen 80\nInclude missing.conf\n", 2, "no such file"),
        ("Listen 80\nInclude ${WHERE}/x.conf\n", 2, "${WHERE}"),
        ("Listen 80\n<Macro M $port>\n<VirtualHost *:$port>\n</VirtualHost>\n</Macro>\n", 3, "$port"),
        ("Listen 80\n<Macro M $ip>\n<VirtualHost $ip:80>\n</VirtualHost>\n</Macro>\n", 3, "$ip"),
        ("Listen 80\n<Perl>\n$PerlConfig .= 'Listen 90';\n</Perl>\n", 3, "program"),
        ("Listen 80\nListen 10.0.0.1:81\n", 2, "port 81"),
        ("Listen 80\n<IfModule x>\nListen 81\n</IfModule>\n", 3, "port 81"),
        ("Listen 80\nListen 81 https\n", 2, "port 81"),
        ("Listen 80\n<VirtualHost *:81>\n</VirtualHost>\n", 2, "port 81"),
        ("Listen 90\n<VirtualHost *:80>\n</VirtualHost>\n", 0, "no Listen"),
        ("Listen 80\nInclude apache2.conf\n", 0, "circle"),
        ("Listen 80\\\n", 1, "behind its end"),
        ("Listen 80\nListen 90\n# tcpops.timewait\nListen 81\n", 4, "port 81"),
    ],
)
def test_what_cannot_be_known_is_refused(root: Path, content: str, line: int, reason: str) -> None:
    path, at, why = refusal(root, content)
    assert (path, at) == (_MAIN, line)
    assert reason in why


def test_both_families_of_a_port_stay_together(root: Path) -> None:
    """Apache opens them as one only next to each other."""
    added = "Listen 0.0.0.0:80\n# six\nListen [::]:80\nListen 90\n"
    planned(root, added, 81)
    content = edit.add(Files(str(root)), Request(80, (81,))).edits[_MAIN].decode()
    assert [line for line in content.splitlines() if line.startswith("Listen")] == [
        "Listen 0.0.0.0:80", "Listen [::]:80", "Listen 0.0.0.0:81", "Listen [::]:81", "Listen 90",
    ]  # fmt: skip
    (root / "etc/apache2/six.conf").write_text("Listen [::]:80\n")
    assert refusal(root, "Listen 0.0.0.0:80\nInclude six.conf\n")[2].startswith("0.0.0.0 and [::]")


def test_hosts_of_several_files_and_one_that_is_included_twice(root: Path) -> None:
    (root / "etc/apache2/sites/deep").mkdir(parents=True)
    (root / "etc/apache2/sites/deep/a.conf").write_text("<VirtualHost *:80>\nInclude sites/b.snippet\n</VirtualHost>\n")
    (root / "etc/apache2/sites/b.snippet").write_text("DocumentRoot /srv\n")
    (root / "etc/apache2/link.conf").symlink_to("sites/deep/a.conf")
    (root / _MAIN[1:]).write_text("Listen 80\nInclude sites\nInclude link.conf\nIncludeOptional none/*.conf\n")
    plan = edit.add(Files(str(root)), Request(80, (81,)))
    assert sorted(plan.edits) == [_MAIN, "/etc/apache2/sites/deep/a.conf"]
    assert plan.edits["/etc/apache2/sites/deep/a.conf"].startswith(
        b"# tcpops.timewait: *:81\n<VirtualHost *:80 *:81>\n"
    )


def test_a_host_that_is_not_in_use_any_more_loses_its_ports(root: Path) -> None:
    for name in ("sites-available", "sites-enabled"):
        (root / "etc/apache2" / name).mkdir()
    site, link = root / "etc/apache2/sites-available/a.conf", root / "etc/apache2/sites-enabled/a.conf"
    site.write_text("<VirtualHost *:80>\n</VirtualHost>\n")
    link.symlink_to("../sites-available/a.conf")
    (root / "etc/apache2/sites-available/b.conf").write_text("</Broken>\n")
    (root / _MAIN[1:]).write_text("Listen 80\nIncludeOptional sites-enabled/*.conf\n")
    files = Files(str(root))
    for path, content in edit.add(files, Request(80, (81,))).edits.items():
        (root / path[1:]).write_bytes(content)
    link.unlink()
    edits = edit.remove(files, Request(80, (81,))).edits
    assert edits["/etc/apache2/sites-available/a.conf"] == b"<VirtualHost *:80>\n</VirtualHost>\n"


def test_what_was_changed_around_our_words_stays(root: Path) -> None:
    (root / _MAIN[1:]).write_text(
        "Listen 80\n# tcpops.timewait\nListen 81\n# tcpops.timewait: *:81 *:82\n"
        "<VirtualHost *:80 10.0.0.9:80 *:82 *:81 *:90>\n</VirtualHost>\n"
    )
    plan = edit.remove(Files(str(root)), Request(80, (81, 82)))
    assert plan.edits == {_MAIN: b"Listen 80\n<VirtualHost *:80 10.0.0.9:80 *:90>\n</VirtualHost>\n"}


def test_a_tag_that_goes_on_in_the_next_line(root: Path) -> None:
    content = "Listen 80\n<VirtualHost *:80\\\n>\n</VirtualHost>\n"
    assert planned(root, content, 81)[2:] == ["# tcpops.timewait: *:81", "<VirtualHost *:80 *:81\\"]
    (root / _MAIN[1:]).write_bytes(edit.add(Files(str(root)), Request(80, (81,))).edits[_MAIN])
    assert edit.remove(Files(str(root)), Request(80, (81,))).edits == {_MAIN: content.encode()}


def test_where_the_configuration_is(root: Path) -> None:
    files = Files(str(root))
    with pytest.raises(ConfigurationRefusedError, match="usual place"):
        layout.find(files)
    (root / "etc/httpd/conf").mkdir(parents=True)
    (root / "etc/httpd/conf/httpd.conf").write_text("Listen 80\n")
    assert layout.find(files) == layout.RED_HAT
    assert layout.find(files).check == ("apachectl", "configtest")
    assert layout.find(files).reload == ("apachectl", "graceful")
    unit = root / "etc/systemd/system/httpd.service"
    unit.parent.mkdir(parents=True)
    unit.write_text("[Service]\nExecStart=/usr/sbin/httpd -d /srv/www -f conf/main.conf -DFOREGROUND\n")
    (root / "srv/www/conf").mkdir(parents=True)
    (root / "srv/www/conf/main.conf").write_text("Include more.conf\n")
    (root / "srv/www/more.conf").write_text("Listen 80\n")
    found = layout.find(files)
    assert (found.main, found.server_root) == ("/srv/www/conf/main.conf", "/srv/www")
    told = ("apachectl", "-d", "/srv/www", "-f", "/srv/www/conf/main.conf")
    assert found.check == (*told, "-t")
    assert found.reload == (*told, "-k", "graceful")
    assert [one.path for one in edit.find(files)] == ["/srv/www/more.conf"]


def test_rules_about_the_port_are_warned_of(root: Path) -> None:
    (root / _MAIN[1:]).write_text("Listen 80\nRewriteCond %{SERVER_PORT} =80\n")
    warnings = edit.add(Files(str(root)), Request(80, (81,))).warnings
    assert [warning.split(": ")[0] for warning in warnings] == [f"{_MAIN}:2"]
