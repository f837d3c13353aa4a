# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Unit files: syntax, precedence, masks, drop-ins, templates, and the ports of sockets."""

import os

import pytest
from ansible_collections.tcpops.timewait.plugins.module_utils._service_ports import socket_units, unit_syntax
from ansible_collections.tcpops.timewait.plugins.module_utils._service_ports.unit_files import (
    UnitFiles,
    drop_in_folders,
    template_of,
)
from support.file_tree import make_tree

ETC, RUN, USR, LIB = (
    "/etc/systemd/system/",
    "/run/systemd/system/",
    "/usr/lib/systemd/system/",
    "/lib/systemd/system/",
)


def sock(*values):
    return "[Socket]\n" + "".join(f"ListenStream={value}\n" for value in values)


def ports(tmp_path, entries):
    claims, problems = socket_units.find(make_tree(tmp_path, entries))
    return sorted((claim.first, claim.where) for claim in claims), problems


def test_syntax_of_unit_files():
    text = (
        "; comment\n[Socket]\nListenStream = 80\nListenStream=1\\\n# amid\n  2\nnonsense\n[Install]\nWantedBy=a=b\n"
        "ListenStream=9"
    )
    found = [one[:3] + one[4:] for one in unit_syntax.assignments(text, "/u")]
    assert found == [
        ("Socket", "ListenStream", "80", 3),
        ("Socket", "ListenStream", "1 2", 4),
        ("Install", "WantedBy", "a=b", 9),
        ("Install", "ListenStream", "9", 10),
    ]


@pytest.mark.parametrize(
    ("value", "port"),
    [
        ("8080", 8080),
        ("0.0.0.0:8080", 8080),
        ("[::]:8080", 8080),
        ("[fe80::1]:8080%eth0", 8080),
        ("127.0.0.1:1", 1),
        ("/run/x.sock", None),
        ("@abstract", None),
        ("vsock:2:1234", None),
        ("vsock::1234", None),
        ("%t/x:80", None),
        ("0", None),
        ("65536", None),
        ("8080-8090", None),
        ("::1", None),
        ("", None),
        ("٨٠", None),
    ],
)
def test_the_port_of_a_stream(value, port):
    assert socket_units.listen_port(value) == ([(port, port)] if port else [])


def test_etc_wins_over_run_over_usr(tmp_path):
    found, problems = ports(
        tmp_path,
        {
            ETC + "a.socket": sock(1001),
            RUN + "a.socket": sock(1002),
            USR + "a.socket": sock(1003),
            RUN + "b.socket": sock(1004),
            LIB + "b.socket": sock(1005),
        },
    )
    assert found == [(1001, ETC + "a.socket:2"), (1004, RUN + "b.socket:2")]
    assert problems == []


def test_drop_ins_add_and_an_empty_assignment_resets(tmp_path):
    found, _problems = ports(
        tmp_path,
        {
            USR + "a.socket": sock(1001, 1002),
            ETC + "a.socket.d/10.conf": sock(1003),
            USR + "b.socket": sock(2001),
            ETC + "b.socket.d/10.conf": sock("", 2002),
            RUN + "b.socket.d/20.conf": sock(2003),
            USR + "b.socket.d/10.conf": sock(2004),
            ETC + "b.socket.d/readme": sock(2005),
        },
    )
    assert [port for port, _where in found] == [1001, 1002, 1003, 2002, 2003]
    assert (2002, ETC + "b.socket.d/10.conf:3") in found


def test_a_masked_drop_in_hides_the_one_of_its_name(tmp_path):
    found, problems = ports(
        tmp_path,
        {
            USR + "a.socket": sock(1001),
            USR + "a.socket.d/10.conf": sock(1002),
            ETC + "a.socket.d/10.conf": ("link", "/dev/null"),
            "/dev/null": "",
        },
    )
    assert [port for port, _where in found] == [1001]
    assert problems == []


def test_masked_units_need_no_port(tmp_path):
    (tmp_path / "dev").mkdir()
    os.mkfifo(tmp_path / "dev" / "null")  # no regular file either
    found, problems = ports(
        tmp_path,
        {
            USR + "a.socket": sock(1001),
            ETC + "a.socket": ("link", "/dev/null"),
            USR + "b.socket": sock(1002),
            ETC + "b.socket": "",
            ETC + "b.socket.d/x.conf": sock(1003),
        },
    )
    assert (found, problems) == ([], [])


def test_the_more_specific_of_two_drop_ins_of_a_name_wins(tmp_path):
    found, _problems = ports(
        tmp_path,
        {
            USR + "a-b.socket": sock(1001),
            USR + "a-b.socket.d/x.conf": sock(1002),
            ETC + "a-.socket.d/x.conf": sock(1003),
        },
    )
    assert [port for port, _where in found] == [1001, 1002]


def test_an_alias_is_not_a_second_unit_but_has_drop_ins(tmp_path):
    found, _problems = ports(
        tmp_path,
        {
            USR + "real.socket": sock(1001),
            ETC + "other.socket": ("link", USR + "real.socket"),
            ETC + "other.socket.d/a.conf": sock(1002),
        },
    )
    assert [port for port, _where in found] == [1001, 1002]


def test_instances_that_something_names_tell_the_port_of_a_template(tmp_path):
    found, problems = ports(
        tmp_path,
        {
            USR + "web@.socket": sock("%i"),
            ETC + "sockets.target.wants/web@8081.socket": ("link", USR + "web@.socket"),
            ETC + "web@8082.socket.d/x.conf": "[Socket]\nBacklog=1\n",
            USR + "named@.socket": sock("127.0.0.1:%i") + "[Install]\nDefaultInstance=8090\n",
            USR + "unknown@.socket": sock("[::]:%i"),
            USR + "journal@.socket": sock("/run/journal.%i/socket"),
        },
    )
    assert [port for port, _where in found] == [8081, 8082, 8090]
    said = {problem.what: problem.reason for problem in problems}
    assert "no instance" in said[USR + "unknown@.socket:2"]
    assert set(said) == {USR + "unknown@.socket:2"}, "instances tell for a template, and a path needs none"


def test_drop_ins_by_prefix_and_type(tmp_path):
    found, _problems = ports(
        tmp_path,
        {
            USR + "a-b-c.socket": sock(1001),
            ETC + "a-b-.socket.d/x.conf": sock(1002),
            ETC + "a-.socket.d/y.conf": sock(1003),
            ETC + "socket.d/z.conf": sock(1004),
            ETC + "a-b-c-.socket.d/w.conf": sock(1005),
        },
    )
    assert [port for port, _where in found] == [1001, 1002, 1003, 1004]


def test_sctp_is_not_tcp(tmp_path):
    found, _problems = ports(
        tmp_path,
        {
            USR + "a.socket": sock(1001) + "SocketProtocol=sctp\n",
            USR + "b.socket": sock(1002) + "SocketProtocol=mptcp\n",
        },
    )
    assert [port for port, _where in found] == [1002]


def test_what_cannot_be_read_is_said(tmp_path):
    (tmp_path / "etc/systemd/system/a.socket").mkdir(parents=True)
    found, problems = ports(tmp_path, {USR + "b.socket": sock(1001)})
    assert [port for port, _where in found] == [1001]
    assert [problem.what for problem in problems] == [ETC + "a.socket"]


def test_names():
    assert template_of("a@b.c.socket") == "a@.socket"
    assert template_of("a.socket") == "a.socket"
    assert drop_in_folders(["a-b@c.socket"]) == ["a-b@c.socket.d", "a-b@.socket.d", "a-.socket.d", "socket.d"]


def test_links_to_removed_units_are_passed_over(tmp_path):
    files = make_tree(tmp_path, {ETC + "a.service": ("link", "/opt/gone/a.service")})
    units = UnitFiles(files, "service")
    assert (list(units.units()), units.problems) == ([], [])
