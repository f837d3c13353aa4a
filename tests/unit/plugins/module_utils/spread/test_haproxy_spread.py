# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What spreading connections of HAProxy refuses, and how it treats single options."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from ansible_collections.tcpops.timewait.plugins.module_utils._files import Files
from ansible_collections.tcpops.timewait.plugins.module_utils._listeners.errors import ConfigurationRefusedError
from ansible_collections.tcpops.timewait.plugins.module_utils._spread.haproxy import edit
from ansible_collections.tcpops.timewait.plugins.module_utils._spread.plan import Plan
from ansible_collections.tcpops.timewait.plugins.module_utils._spread.request import Request, ServerAddresses

_MAIN = "/etc/haproxy/haproxy.cfg"
_SOURCES = Request("a", ("10.1.0.1", "10.1.0.2"))
_PORT = Request("a", (), (81,))
_BOTH = Request("a", ("10.1.0.1", "10.1.0.2"), (81,))
_ADDRESS = Request("a", (), (), (ServerAddresses("s", ("10.0.0.9",)),))


@pytest.fixture(name="root")
def fixture_root(tmp_path: Path) -> Path:
    (tmp_path / "etc/haproxy").mkdir(parents=True)
    return tmp_path


def planned(root: Path, text: str, request: Request) -> Plan:
    (root / _MAIN[1:]).write_bytes(text.encode())
    return edit.add(Files(str(root)), request)


def lines(root: Path, text: str, request: Request) -> list[str]:
    """The server lines of the plan without marks and ids."""
    after = planned(root, text, request).edits.get(_MAIN, text.encode()).decode()
    found = [line.partition(" # tcpops.timewait")[0] for line in after.splitlines() if line.startswith("server ")]
    return [re.sub(r" id \d+$", "", line) for line in found]


@pytest.mark.parametrize(
    ("text", "request_", "line", "reason"),
    [
        ("backend b\nserver s 1.1.1.1:80\n", _PORT, 0, "there is no backend a: the others are b"),
        ("frontend a\nbind :80\n", _PORT, 0, "there is no backend a: the others are none"),
        ("backend a\nmode tcp\n", _PORT, 1, "no server line"),
        ("backend a\nserver s /run/s.sock\n", _PORT, 1, "no server line"),
        ("backend a\nserver s 1.1.1.1:80 redir http://x\n", _PORT, 1, "no server line"),
        ("backend a\nserver s 1.1.1.1:80\nbackend a\n", _PORT, 3, "a is there twice"),
        ("backend a\nserver s 1.1.1.1:80 some-new-thing\n", _PORT, 2, "some-new-thing"),
        ("backend a\nserver s 1.1.1.1:80 maxconn\n", _PORT, 2, "maxconn has no value"),
        ("backend a\ndefault-server new\nserver s 1.1.1.1:80\n", _PORT, 2, "new"),
        ("backend a\nserver s\n", _PORT, 2, "a name and an address"),
        ("backend a\nserver $S 1.1.1.1:80\nserver \"$S\" 1.1.1.1:80\n", _PORT, 3, "name of the server cannot"),
        ("backend a\nserver s $H:80\n", _PORT, 2, "variable H"),
        ("global\nsetenv H h:80\nbackend a\nserver s $H\n", _PORT, 4, "more than an address"),
        ("backend a\nserver s 1.1.1.1:http\n", _PORT, 2, "no address with a port"),
        ("backend a\nserver s 1.1.1.1:70000\n", _PORT, 2, "from 1 to 65535"),
        ("backend a\nserver s 1.1.1.1\n", _PORT, 2, "its port is the one that the client asked for"),
        ("backend a\nserver s 1.1.1.1:+10\n", _PORT, 2, "its port is the one that the client asked for"),
        ("backend a\nserver s 0.0.0.0:80\n", _SOURCES, 2, "where the client wanted to"),
        ("backend a\nserver s :80\n", _PORT, 2, "where the client wanted to"),
        ("backend a\nserver s 1.1.1.1:80 socks4 1.1.1.2:1080\n", _SOURCES, 2, "SOCKS"),
        ("backend a\nserver s h.example:80 resolvers r\n", _SOURCES, 2, "give it an address"),
        ("backend a\ndefault-server resolvers r\nserver s h.example:80\n", _PORT, 3, "give it an address"),
        ("backend a\nserver-template s 1-3 h.example:80\nserver t 1.1.1.1:80\n", _PORT, 2, "template"),
        ("backend a\nbalance first\nserver s 1.1.1.1:80\n", _PORT, 2, "the first line gets all"),
        ("backend a\nserver s 1.1.1.1:80 maxconn 3\n", _BOTH, 2, "its maxconn of 3 cannot be divided by 4 lines"),
        ("backend a\nserver s 1.1.1.1:80 maxconn $N\n", _PORT, 2, "maxconn cannot be known"),
        ('backend a\nserver s 1.1.1.1:80 maxconn "$N"\n', _PORT, 2, "maxconn cannot be known"),
        ("backend a\nserver s 1.1.1.1:80 source 10.1.0.9\n", _SOURCES, 2, "come from 10.1.0.9 already"),
        ("backend a\nserver s 1.1.1.1:80 source 10.1.0.1:1000-2000\n", _SOURCES, 2, "come from 10.1.0.1:1000"),
        ("backend a\nserver s 1.1.1.1:80 source 0.0.0.0 usesrc clientip\n", _SOURCES, 2, "source with usesrc"),
        ("backend a\nserver s 1.1.1.1:80 source 10.1.0.1 interface eth0\n", _SOURCES, 2, "source with interface"),
        ("backend a\nsource 0.0.0.0 usesrc clientip\nserver s 1.1.1.1:80\n", _SOURCES, 2, "source with usesrc"),
        ("defaults\nsource 10.1.0.9\nbackend a\nserver s 1.1.1.1:80\n", _SOURCES, 2, "come from 10.1.0.9 already"),
        ("backend a\nserver s [::5]:80\n", _SOURCES, 2, "none of the sources is an address of IPv6"),
        ("backend a\nserver s h.example:80\n", Request("a", ("10.1.0.1", "::1")), 2, "sources of one family only"),
        ("backend a\nserver s 1.1.1.1:80\n", Request("a", (), (), (ServerAddresses("t", ("1.1.1.2",)),)), 1,
         "a has no server t"),
        ("backend a\nuse-server s if TRUE\nserver s 1.1.1.1:80 maxconn 50\n", _PORT, 2, "a part of its maxconn"),
        ("backend a\nserver s 1.1.1.1:80\ndefault-server check\nserver t 1.1.1.2:80\n", _PORT, 3, "put it before"),
        ("backend a\nserver s 1.1.1.1:80\nserver s-81 1.1.1.9:80\n", _PORT, 2, "another server has the name s-81"),
        ("backend a\n.if feature(X)\nserver s 1.1.1.1:80\n.endif\n", _PORT, 3, ".if"),
        ("backend a\nserver s 1.1.1.1:80 cookie 'a b'\n", _PORT, 2, "cookie"),
    ],
)  # fmt: skip
def test_what_cannot_be_spread_is_refused(root: Path, text: str, request_: Request, line: int, reason: str) -> None:
    with pytest.raises(ConfigurationRefusedError) as caught:
        planned(root, text, request_)
    assert (caught.value.path, caught.value.line) == (_MAIN, line)
    assert reason in caught.value.reason


@pytest.mark.parametrize(
    ("server", "request_", "expected"),
    [
        ("s 1.1.1.1:80", _PORT, ["s 1.1.1.1:80", "s-81 1.1.1.1:81"]),
        ("s 1.1.1.1:80", _ADDRESS, ["s 1.1.1.1:80", "s-10.0.0.9 10.0.0.9:80"]),
        ("s 1.1.1.1", _ADDRESS, ["s 1.1.1.1", "s-10.0.0.9 10.0.0.9"]),
        ("s 1.1.1.1:+10", _ADDRESS, ["s 1.1.1.1:+10", "s-10.0.0.9 10.0.0.9:+10"]),
        ("s tcp4@1.1.1.1:80", _PORT, ["s tcp4@1.1.1.1:80", "s-81 tcp4@1.1.1.1:81"]),
        ("s ::5:80", _PORT, ["s ::5:80", "s-81 ::5:81"]),
        ("s [::5]:80", _PORT, ["s [::5]:80", "s-81 [::5]:81"]),
        ("s 1.1.1.1:80", Request("a", (), (), (ServerAddresses("s", ("::9",)),)), ["s 1.1.1.1:80", "s-::9 [::9]:80"]),
        ("s [::5]:80", Request("a", ("::1",)), ["s [::5]:80 source [::1]"]),
        ("s 1.1.1.1:80", Request("a", (), (80,)), ["s 1.1.1.1:80"]),
        ("s 1.1.1.1:80 check port 88 rise 2", _PORT,
         ["s 1.1.1.1:80 check port 88 rise 2", "s-81 1.1.1.1:81 track a/s"]),
        ("s 1.1.1.1:80 check no-check", _PORT, ["s 1.1.1.1:80 check no-check", "s-81 1.1.1.1:81"]),
        ("s 1.1.1.1:80 guid g", _PORT, ["s 1.1.1.1:80 guid g", "s-81 1.1.1.1:81 guid g-2e1ab91c"]),
        ("s 1.1.1.1:80 hash-key addr", _PORT, ["s 1.1.1.1:80 hash-key addr", "s-81 1.1.1.1:81 hash-key id"]),
        ("s 1.1.1.1:80 maxconn 9 maxconn 5", _PORT, ["s 1.1.1.1:80 maxconn 3", "s-81 1.1.1.1:81 maxconn 2"]),
        ("s 1.1.1.1:80 maxconn 0", _PORT, ["s 1.1.1.1:80 maxconn 0", "s-81 1.1.1.1:81 maxconn 0"]),
        ("s 1.1.1.1:80 pool-max-conn 1", _PORT,
         ["s 1.1.1.1:80 pool-max-conn 1", "s-81 1.1.1.1:81 pool-max-conn 1"]),
        ("s 1.1.1.1:80 source 10.1.0.9:5000", _PORT,
         ["s 1.1.1.1:80 source 10.1.0.9:5000", "s-81 1.1.1.1:81 source 10.1.0.9:5000"]),
        ("s 1.1.1.1:80 source 10.1.0.2", _SOURCES,
         ["s 1.1.1.1:80 source 10.1.0.1", "s-from-10.1.0.2 1.1.1.1:80 source 10.1.0.2"]),
        ("s 1.1.1.1:80 backup", _PORT, ["s 1.1.1.1:80 backup", "t 1.1.1.9:80", "t-81 1.1.1.9:81"]),
    ],
)  # fmt: skip
def test_a_line_and_its_clones(root: Path, server: str, request_: Request, expected: list[str]) -> None:
    text = f"backend a\nserver {server}\n" + ("server t 1.1.1.9:80\n" if "backup" in server else "")
    found = [line[len("server ") :] for line in lines(root, text, request_)]
    assert found == expected


def test_a_clone_is_there_once_whoever_has_it(root: Path) -> None:
    text = "backend a\nserver s 1.1.1.1:80\nserver mine 1.1.1.1:81\n"
    targets = [(one.address, one.port) for one in planned(root, text, _PORT).connections]
    assert sorted(targets) == [("1.1.1.1", 80), ("1.1.1.1", 81)]


def test_a_server_that_changed_is_followed(root: Path) -> None:
    files = Files(str(root))
    first = planned(root, "backend a\n  server s 1.1.1.1:80 maxconn 10\n", _PORT).edits[_MAIN].decode()
    changed = first.replace("was server s 1.1.1.1:80 maxconn 10", "was server s 1.1.1.2:80 maxconn 20")
    plan = planned(root, changed, Request("a"))
    assert [(one.address, one.port) for one in plan.connections] == [("1.1.1.2", 80), ("1.1.1.2", 81)]
    assert plan.edits[_MAIN].decode().count("maxconn 10") == 2
    (root / _MAIN[1:]).write_bytes(plan.edits[_MAIN])
    assert edit.remove(files, Request("a")).edits == {_MAIN: b"backend a\n  server s 1.1.1.2:80 maxconn 20\n"}


def test_a_part_that_somebody_took_away_is_noticed(root: Path) -> None:
    after = planned(root, "backend a\nserver s 1.1.1.1:80\n", _SOURCES).edits[_MAIN].decode().splitlines(True)
    (root / _MAIN[1:]).write_text("".join(after[:2]))
    with pytest.raises(ConfigurationRefusedError, match="the line that this comment belongs to is gone"):
        edit.remove(Files(str(root)), Request("a"))
    (root / _MAIN[1:]).write_text("".join(after).replace("from 10.1.0.1", "form 10.1.0.1"))
    with pytest.raises(ConfigurationRefusedError, match="this comment was changed"):
        edit.remove(Files(str(root)), Request("a"))


def test_lines_are_counted_as_they_are(root: Path) -> None:
    text = "backend a\nserver s 1.1.1.1:80\nbalance source\nbackend z\nacl x nbsrv(a) gt 1\n"
    after = planned(root, text, _BOTH).edits[_MAIN].decode()
    plan = planned(root, after + "mode tcp\n", _BOTH)
    numbers = [int(warning.split(":")[1]) for warning in plan.warnings]
    assert [after.splitlines()[number - 1] for number in numbers] == ["balance source", "acl x nbsrv(a) gt 1"]
    broken = after.replace("balance source", "balance first")
    with pytest.raises(ConfigurationRefusedError) as caught:
        planned(root, broken, _BOTH)
    assert broken.splitlines()[caught.value.line - 1] == "balance first"


@pytest.mark.parametrize("end", ["", "\n", "\r\n", "\n\n", "\n# last"])
def test_a_file_keeps_its_end(root: Path, end: str) -> None:
    text = "backend a\r\nserver s 1.1.1.1:80 maxconn 9" + end
    plan = planned(root, text, _BOTH)
    (root / _MAIN[1:]).write_bytes(plan.edits[_MAIN])
    assert plan.edits[_MAIN].endswith(b"\n") is text.endswith("\n")
    assert edit.remove(Files(str(root)), Request("a")).edits == {_MAIN: text.encode()}


def test_the_marks_of_listen_ports_stay(root: Path) -> None:
    text = "listen a\nbind :80\nbind :81 # tcpops.timewait\nserver s 1.1.1.1:80\n"
    after = planned(root, text, _BOTH).edits[_MAIN]
    (root / _MAIN[1:]).write_bytes(after)
    assert edit.remove(Files(str(root)), _BOTH).edits == {_MAIN: text.encode()}


def test_what_is_no_address_is_refused(root: Path) -> None:
    for request_ in (Request("a", ("10.1",)), Request("a", (), (0,)),
                     Request("a", (), (), (ServerAddresses("s", ("a b",)),))):  # fmt: skip
        with pytest.raises(ValueError, match=r"port|address"):
            planned(root, "backend a\nserver s 1.1.1.1:80\n", request_)
