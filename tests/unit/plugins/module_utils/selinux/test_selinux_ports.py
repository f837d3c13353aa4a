# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SELinux types of ports.

That SELinux is enforced, and semanage, are made up: a kernel with SELinux cannot be had in every place where tests run.
Listings are as semanage 3.4 prints them over a distribution's policy; the program in the tests of commands is a script
that keeps its list in a file. An integration test uses the real one.
"""

import os
import subprocess

import pytest
from ansible_collections.tcpops.timewait.plugins.module_utils import _selinux
from ansible_collections.tcpops.timewait.plugins.module_utils._selinux import port_types
from ansible_collections.tcpops.timewait.plugins.module_utils._selinux.port_types import PortType
from ansible_collections.tcpops.timewait.plugins.module_utils._transaction.errors import TransactionError
from ansible_collections.tcpops.timewait.plugins.module_utils._transaction.steps import (
    RemoveFile,
    RunCommand,
    WriteFile,
)
from support.fake_programs import FakePrograms
from support.file_tree import make_tree

ENFORCE = "/sys/fs/selinux/enforce"
RECORD = "/var/lib/tcpops-timewait-opened/selinux.json"
LISTED = """hi_reserved_port_t             tcp      512-1023
hi_reserved_port_t             udp      512-1023
http_cache_port_t              tcp      3128, 8080, 8118, 10001-10010
http_cache_port_t              udp      3130
http_port_t                    tcp      80, 443, 488, 8008, 8009, 8443, 8448
mysqld_port_t                  tcp      1186, 3306, 63132-63164
reserved_port_t                tcp      1-511
unreserved_port_t              tcp      1024-65535
"""
ALL, LOCAL = "semanage port -l -n", "semanage port -l -n -C"

#: keeps "TYPE PORT" lines; as semanage, it adds nothing twice, and modifies and deletes only what is there
SCRIPT = """#!/bin/sh
store=%(store)s
verb=$2
case $verb in
    -l) sed 's/ / tcp /' "$store"; exit;;
    -d) port=$5;;
    *) type=$4 port=$7;;
esac
known=$(grep -c " $port$" "$store")
case $verb:$known in -a:0|-m:1|-d:1) ;; *) exit 1;; esac
sed -i "/ $port$/d" "$store"
[ "$verb" = -d ] || echo "$type $port" >> "$store"
"""


@pytest.fixture(name="allowed")
def fixture_allowed(tmp_path):
    def allowed(ports, local="", existing=80, enforce="1", files=(), verb="allow_ports"):
        tree = make_tree(tmp_path, {ENFORCE: enforce, **dict(files)})
        return getattr(_selinux, verb)(tree, existing, ports, FakePrograms({ALL: LISTED, LOCAL: local}))

    return allowed


def commands(steps):
    return [" ".join(step.argv) for step in steps if isinstance(step, RunCommand)]


@pytest.mark.parametrize(
    "port,local,verb",
    [
        (81, "", "-a -t http_port_t"),
        (1025, "", "-a -t http_port_t"),
        (10005, "", "-a -t http_port_t"),
        (8080, "", "-m -t http_port_t"),
        (81, "ssh_port_t tcp 81\n", "-m -t http_port_t"),
        (81, "ssh_port_t tcp 81-90\n", "-a -t http_port_t"),
        (8008, "ssh_port_t tcp 8008\n", "-m -t http_port_t"),
    ],
)
def test_a_port_of_another_type_gets_that_of_the_existing_one(allowed, port, local, verb):
    steps, advice = allowed([port], local)
    assert commands(steps) == ["/usr/sbin/semanage port %s -p tcp %d" % (verb, port)]
    assert isinstance(steps[0], WriteFile), "before the commands, so that there is a change that they go with"
    assert len(advice) == (port not in (81, 1025) or bool(local))


@pytest.mark.parametrize(
    "ports,local,existing",
    [
        ([443, 8008], "", 80),
        ([81], "http_port_t tcp 81, 82\n", 80),
        ([81], "http_port_t tcp 70-90\n", 80),
        ([81], "", 79),
        ([2000], "", 1500),
        ([80], "", 80),
    ],
)
def test_nothing_is_done_where_the_type_is_right(allowed, ports, local, existing):
    assert allowed(ports, local, existing) == ([], [])


@pytest.mark.parametrize("enforce", ["0", "", "\n", "on"])
def test_nothing_is_done_where_it_is_not_enforced(allowed, enforce):
    assert allowed([81], enforce=enforce) == ([], [])


def test_a_server_without_a_type_of_its_own_takes_no_type_from_others(allowed):
    steps, advice = allowed([8080], existing=1500)
    assert steps == []
    assert "port 8080 has the type http_cache_port_t and port 1500 none of its own" in advice[0]


def test_semanage_that_is_missing_or_fails_is_told(tmp_path):
    tree = make_tree(tmp_path, {ENFORCE: "1"})
    with pytest.raises(TransactionError, match=r"dnf install policycoreutils-python-utils"):
        _selinux.allow_ports(tree, 80, [81], FakePrograms({}))
    with pytest.raises(TransactionError, match="types of ports cannot be listed: semanage port -l -n failed"):
        _selinux.allow_ports(tree, 80, [81], FakePrograms({ALL: 1}))
    assert _selinux.allow_ports(tree, 80, [], FakePrograms({})) == ([], [])


def test_types_that_cannot_be_taken_away_are_remembered(allowed, tmp_path):
    record = allowed([81])[0][0].content.decode()
    steps, advice = _selinux.forget_ports(make_tree(tmp_path / "x", {RECORD: record}), 80, [81], FakePrograms({}))
    assert steps == []
    assert "ports 81 keep the types of SELinux" in advice[0]


def test_only_what_was_given_is_taken_away(allowed):
    steps, _advice = allowed([81, 82], "ssh_port_t tcp 82\n")
    files = {RECORD: steps[0].content.decode()}
    local = "http_port_t tcp 81, 82, 83\n"
    less, _advice = allowed([81, 83], local, files=files, verb="forget_ports")
    assert [step.argv[-5:] for step in less[1:]] == [("port", "-d", "-p", "tcp", "81")]
    assert b'"port": 82' in less[0].content
    rest, _advice = allowed([81, 82], local, files=files, verb="forget_ports")
    assert rest[0] == RemoveFile(RECORD)
    assert rest[2].argv[-6:] == ("-m", "-t", "ssh_port_t", "-p", "tcp", "82"), "as the administrator had it"
    gone, _advice = allowed([81, 82], "ssh_port_t tcp 81\n", files=files, verb="forget_ports")
    assert gone == [RemoveFile(RECORD)], "somebody else decided otherwise since"
    assert allowed([81], local, verb="forget_ports", files={RECORD: steps[0].content.decode().replace("80", "8")}) == (
        [],
        [],
    )


@pytest.fixture(name="semanage")
def fixture_semanage(tmp_path):
    """Runs a command with the script in semanage's place; returns the list that there is then."""
    store, program = tmp_path / "store", tmp_path / "semanage"
    program.write_text(SCRIPT % {"store": store})
    program.chmod(0o755)

    def run(argv, listed=None):
        if listed is not None:
            store.write_text(listed)
        subprocess.run([str(program) if "semanage" in word else word for word in argv], check=True, env=os.environ)
        return store.read_text()

    return run


@pytest.mark.parametrize("before", ["", "ssh_port_t 81\n"])
def test_commands_and_their_undoing(allowed, semanage, before):
    step = allowed([81], before.replace(" ", " tcp "))[0][1]
    assert semanage(step.undo_argv, before) == before, "harmless where the command did not run"
    assert semanage(step.argv) == "http_port_t 81\n"
    assert semanage(step.undo_argv) == before
    assert semanage(step.undo_argv) == before
    other = "http_port_t 181\nssh_port_t 8181\n"
    assert semanage(step.undo_argv, other) == other
    record = {RECORD: allowed([81], before.replace(" ", " tcp "))[0][0].content.decode()}
    forget = allowed([81], "http_port_t tcp 81\n", files=record, verb="forget_ports")[0][1]
    assert semanage(forget.argv, "http_port_t 81\n") == before
    assert semanage(forget.undo_argv) == "http_port_t 81\n"
    assert semanage(forget.undo_argv) == "http_port_t 81\n"


def test_listings():
    entries = port_types.parse("x\nname_t tcp 1, 5-9, z, 10-\nname_t sctp 3\nother_t\ttcp\t7\n")
    assert entries == [PortType("other_t", 7, 7)], "a line that is not understood says nothing"
    found = port_types.parse(LISTED)
    assert port_types.of_port(found, [], 8080) == PortType("http_cache_port_t", 8080, 8080)
    assert port_types.of_port(found, [PortType("a_t", 1, 65535)], 8080).type == "a_t"
    assert port_types.of_port([], [], 80) is None
