# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""HAProxy's words, addresses and conditions; what is refused, served already, and warned of."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.tcpops.timewait.plugins.module_utils._files import Files
from ansible_collections.tcpops.timewait.plugins.module_utils._listeners.errors import ConfigurationRefusedError
from ansible_collections.tcpops.timewait.plugins.module_utils._listeners.haproxy import edit, invocation, words
from ansible_collections.tcpops.timewait.plugins.module_utils._listeners.request import Request

_MAIN = "/etc/haproxy/haproxy.cfg"


@pytest.fixture(name="root")
def fixture_root(tmp_path: Path) -> Path:
    (tmp_path / "etc/haproxy").mkdir(parents=True)
    return tmp_path


def planned(root: Path, text: str, *ports: int, existing: int = 80) -> list[str]:
    """The lines that are added."""
    (root / _MAIN[1:]).write_text(text)
    plan = edit.add(Files(str(root)), Request(existing, ports))
    before = text.splitlines()
    after = plan.edits.get(_MAIN, text.encode()).decode().splitlines()
    return [line for line in after if line not in before]


def refusal(root: Path, text: str, *ports: int) -> tuple[int, str]:
    with pytest.raises(ConfigurationRefusedError) as caught:
        planned(root, text, *(ports or (81,)))
    assert caught.value.path == _MAIN
    assert str(caught.value).startswith(_MAIN)
    return caught.value.line, caught.value.reason


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("  bind :80  # c", ["bind", ":80"]),
        ("bind :80#c", ["bind", ":80"]),
        ("a 'b # c' \"d 'e\" f\\ g h\\#i", ["a", "b # c", "d 'e", "f g", "h#i"]),
        ('x "\\$y" "\\"" \\"', ["x", "$y", '"', '"']),
        ("x \\x41\\x3a \\1 '\\x41'", ["x", "A:", "\\1", "\\x41"]),
        ('a"b c"d ""', ["ab cd", ""]),
        ("bind :80\r ignored", ["bind", ":80"]),
        ('"${A}b" "$A" $A \'$A\'', ["${A}b", "$A", "$A", "$A"]),
        ("", []),
        ("   # nothing", []),
    ],
)
def test_words(line: str, expected: list[str]) -> None:
    assert [word.text for word in words.split(line).words] == expected


@pytest.mark.parametrize("line", ['a "b', "a 'b", "a \\x4", 'a "$"', 'a "${1}"', 'a "${A"', "a\0b"])
def test_lines_that_haproxy_refuses(line: str) -> None:
    with pytest.raises(words.WordsError):
        words.split(line)


@pytest.mark.parametrize(
    ("bind", "added"),
    [
        ("bind :80", ["bind :81 # tcpops.timewait"]),
        ("bind\t*:80   accept-proxy", ["bind\t*:81   accept-proxy # tcpops.timewait"]),
        ("bind :80 id 4", ["bind :81 # tcpops.timewait"]),
        ("bind :80 id 4 ssl crt /x", ["bind :81 ssl crt /x # tcpops.timewait"]),
        ("bind :80 crt id name a", ["bind :81 crt id name a-81 # tcpops.timewait"]),
        ("bind :80 guid-prefix g", ["bind :81 guid-prefix g-81 # tcpops.timewait"]),
        ("bind :80 new-option x", ["bind :81 new-option x # tcpops.timewait"]),
        ("bind [::]:80 v4v6", ["bind [::]:81 v4v6 # tcpops.timewait"]),
        ("bind ::1:80", ["bind ::1:81 # tcpops.timewait"]),
        ("bind mptcp@:80", ["bind mptcp@:81 # tcpops.timewait"]),
        ("bind stream+tcp6@:80", ["bind stream+tcp6@:81 # tcpops.timewait"]),
        ("bind /run/x,:80,fd@3,udp@:80", ["bind :81 # tcpops.timewait"]),
        ("bind :79-85", []),
        ("bind :80,:81", []),
        ("bind :80\nbind :81", []),
        ("bind :80 name a\nbind :81 name b id 3", []),
        ("bind 10.0.0.1:80\nbind 10.0.0.2:81", ["bind 10.0.0.1:81 # tcpops.timewait"]),
        ("bind :80\nbind [::]:81 v6only", ["bind :81 # tcpops.timewait"]),
    ],
)
def test_clones(root: Path, bind: str, added: list[str]) -> None:
    assert planned(root, f"frontend a\n{bind}\n", 81) == added


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("frontend a\nbind :$PORT\n", 2, "PORT"),
        ("frontend a\nbind '${PORT}:80'\n", 2, "PORT"),
        ('frontend a\nbind "${ADDRESS-:80}"\n', 2, "ADDRESS"),
        ("global\npresetenv PORT 80\nfrontend a\nbind :$PORT\n", 4, "PORT"),
        ("global\nsetenv P 80\nunsetenv P\nfrontend a\nbind :$P\n", 5, "P"),
        ("global\nsetenv P 80\nresetenv P\nfrontend a\nbind :$P\n", 5, "P"),
        ("global\n.if feature(X)\nsetenv P 80\n.endif\nfrontend a\nbind :$P\n", 6, "P"),
        ("global\nsetenv A 127.0.0.1:80\nfrontend a\nbind $A\n", 4, "address and port"),
        ("global\nsetenv A :80,:90\nfrontend a\nbind $A\n", 4, "several addresses"),
        ("frontend a\nbind :80\n.if feature(OPENSSL)\nbind :443\n.endif\n", 4, ".if"),
        ("frontend a\nbind :80\n.if 1\n.if feature(A)\n.else\nbind :443\n.endif\n.endif\n", 6, ".if"),
        (".if defined(X)\nfrontend a\n.else\nfrontend b\n.endif\nbind :80\n", 6, ".if"),
        ("frontend a\nbind :80\n.if 1\n", 3, "not closed"),
        ("frontend a\n.endif\nbind :80\n", 2, ".endif"),
        ("frontend a\nbind :80 'x\n", 2, "quote"),
        ("frontend a\nbind 80\n", 2, "no address with a port"),
        ("frontend a\nbind :0\n", 2, "from 1 to 65535"),
        ("frontend a\nbind :90-80\n", 2, "from 1 to 65535"),
        ("[peers]\nfrontend a\nbind :80\n", 1, "brackets"),
        ("frontend a\nbind :80 new-option x id 3\n", 2, "new-option"),
        ("listen a :80 ssl crt /x\n", 1, "not understood"),
        ("frontend a\nbind :80\nfrontend b\nbind :81\n", 4, "port 81"),
        ("frontend a\nbind :80\nbind :81 ssl crt /x\n", 3, "port 81"),
        ("frontend a\nbind :80\nfrontend b\nbind 10.0.0.1:70-90\n", 4, "port 81"),
        ("frontend a\nbind 10.0.0.1:80\nfrontend b\nbind www.example:81\n", 4, "port 81"),
        ("frontend a\nbind :80\nfrontend b\nbind [::]:81\n", 4, "port 81"),
        ("frontend a\nbind [::]:80\nfrontend b\nbind 10.0.0.1:81\n", 4, "port 81"),
        ("global\nstats socket :81 level admin\nfrontend a\nbind :80\n", 2, "port 81"),
        ("peers p\nbind :81\nfrontend a\nbind :80\n", 2, "port 81"),
        ("frontend a\nbind :90\n", 0, "no bind line"),
        ("frontend a\nbind fd@3\n", 0, "made by somebody else"),
        ("backend a\nbind :80\n", 0, "no bind line"),
        ("peers a\nbind :80\n", 0, "no bind line"),
    ],
)
def test_what_cannot_be_known_is_refused(root: Path, text: str, line: int, reason: str) -> None:
    assert (refusal(root, text)[0], reason in refusal(root, text)[1]) == (line, True), refusal(root, text)


def test_a_port_that_another_port_was_given_is_refused(root: Path) -> None:
    added = planned(root, "frontend a\nbind :80\nbind :443\n", 81, existing=443)
    text = "frontend a\nbind :80\nbind :443\n" + added[0] + "\n"
    reason = f"port 81, which is to be added beside {_MAIN}:2, is taken here: choose another one"
    assert refusal(root, text) == (4, reason)


def test_conditions_that_are_known(root: Path) -> None:
    text = """global
setenv MODE live
presetenv MODE test
frontend a
.if streq("$MODE",test)
bind :80
.elif strneq("$MODE",live)
bind 10.0.0.1:80
.elif !0
bind 10.0.0.2:80
.else
bind 10.0.0.3:80
.endif
.if !defined(MODE)
bind 10.0.0.4:80
.endif
"""
    assert planned(root, text, 81) == ["bind 10.0.0.2:81 # tcpops.timewait"]


def test_the_old_form_gets_a_line_of_its_own(root: Path) -> None:
    text = "listen web 10.0.0.1:80,10.0.0.2:80,:443 # old\n\n\t# a comment\n\tmode tcp\nlisten b :90\n"
    assert planned(root, text, 81) == ["\tbind 10.0.0.1:81,10.0.0.2:81 # tcpops.timewait"]
    assert planned(root, "listen b :80\nbackend c\n", 81) == ["    bind :81 # tcpops.timewait"]


def test_an_option_that_changed_is_followed(root: Path) -> None:
    first = planned(root, "frontend a\nbind :80\n", 81)[0]
    assert planned(root, f"frontend a\nbind :80 tfo\n{first}\n", 81) == ["bind :81 tfo # tcpops.timewait"]


def test_lines_whose_origin_is_gone_can_be_taken_away(root: Path) -> None:
    (root / _MAIN[1:]).write_text("frontend a\nbind :81 # tcpops.timewait\nmode http\n")
    plan = edit.remove(Files(str(root)), Request(80, (81,)))
    assert plan.edits == {_MAIN: b"frontend a\nmode http\n"}


def test_a_line_without_the_mark_is_nobody_elses_to_take(root: Path) -> None:
    for line in ("bind :81", "bind :81 # tcpops.timewait, they say", "bind :81 name '# tcpops.timewait'"):
        (root / _MAIN[1:]).write_text(f"frontend a\nbind :80\n{line}\n")
        assert edit.remove(Files(str(root)), Request(80, (81,))).edits == {}


def test_the_unit_tells_files_and_variables(root: Path) -> None:
    unit = root / "etc/systemd/system/haproxy.service"
    unit.parent.mkdir(parents=True)
    unit.write_text(
        '[Service]\nEnvironment="CONFIG=/srv/lb.cfg" "PORT=80"\nEnvironmentFile=-/etc/default/haproxy\n'
        "ExecStart=-/usr/sbin/haproxy -Ws -f $CONFIG -p /run/x $EXTRAOPTS -- /srv/more.cfg\n"
    )
    (root / "etc/default").mkdir()
    (root / "etc/default/haproxy").write_text("EXTRAOPTS='-f /srv/conf.d'\n")
    (root / "srv/conf.d/sub.cfg").mkdir(parents=True)
    (root / "srv/lb.cfg").write_text("defaults\n")
    (root / "srv/more.cfg").write_text("frontend b\nbind :90\n")
    (root / "srv/conf.d/b.cfg").symlink_to("../real.cfg")
    (root / "srv/conf.d/.hidden.cfg").write_text("frontend d\nbind :80\n")
    (root / "srv/conf.d/not.cfgx").write_text("frontend c\nbind :80\n")
    (root / "srv/real.cfg").write_text("frontend a\nbind :$PORT\n")
    files = Files(str(root))
    started = invocation.find(files)
    assert invocation.check(files, started) == (
        "env", "PORT=80", "/usr/sbin/haproxy", "-c", "-f", "/srv/lb.cfg", "-f", "/srv/conf.d", "-f", "/srv/more.cfg"
    )  # fmt: skip
    assert invocation.expand(files, started) == ["/srv/lb.cfg", "/srv/real.cfg", "/srv/more.cfg"]
    assert edit.add(files, Request(80, (81,))).edits == {
        "/srv/real.cfg": b"frontend a\nbind :$PORT\nbind :81 # tcpops.timewait\n"
    }


def test_files_that_are_not_there_or_read_twice_are_refused(root: Path) -> None:
    files = Files(str(root))
    for paths, reason in (
        (("/srv/none.cfg",), "no such file"),
        (("relative.cfg",), "relative"),
        (("/etc/haproxy", _MAIN), "twice"),
    ):
        (root / _MAIN[1:]).write_text("frontend a\nbind :80\n")
        with pytest.raises(ConfigurationRefusedError, match=reason):
            edit.find(files, invocation.Invocation(paths, {}))


def test_what_tells_ports_apart_is_warned_of(root: Path) -> None:
    text = """frontend a
bind :80
http-request deny if { dst_port 80 }
redirect scheme https if !{ ssl_fc }
frontend b
bind :90
http-request deny if { dst_port 90 }
backend c
http-request set-header X-P %[dst_port]
"""
    (root / _MAIN[1:]).write_text(text)
    warnings = edit.add(Files(str(root)), Request(80, (81,))).warnings
    assert [warning.split(": ")[0] for warning in warnings] == [f"{_MAIN}:{line}" for line in (3, 4, 9)]


@pytest.mark.parametrize(
    ("text", "http"),
    [
        ("frontend f\n bind :80\n", False),
        ("frontend f\n bind :80\n mode http\n", True),
        ("defaults\n mode http\nfrontend f\n bind :80\n", True),
        ("defaults\n mode http\ndefaults\n mode tcp\nfrontend f\n bind :80\n", False),
        ("defaults\n mode http\nlisten f\n mode tcp\n bind :80\n", False),
        ("defaults a\n mode http\ndefaults b\n mode tcp\nfrontend f from a\n bind :80\n", True),
        ("defaults a\n mode http\ndefaults b from a\n timeout client 1s\nfrontend f from b\n bind :80\n", True),
        ("defaults a\n mode http\ndefaults b\n timeout client 1s\nfrontend f\n bind :80\n", False),
    ],
)
def test_what_is_spoken(root: Path, text: str, http: bool) -> None:
    (root / _MAIN[1:]).write_text(text)
    assert [one.http for one in edit.find(Files(str(root)))] == [http]
    assert [one.http for one in edit.add(Files(str(root)), Request(80, (81,))).listeners] == [http]
