# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is done about ufw, by its state."""

import pytest
from ansible_collections.tcpops.timewait.plugins.module_utils._firewall import ufw
from ansible_collections.tcpops.timewait.plugins.module_utils._transaction.steps import RunCommand, WriteFile
from support.fake_programs import FakePrograms
from support.file_tree import make_tree

RULES = """*filter
### RULES ###

### tuple ### allow tcp 80 0.0.0.0/0 any 0.0.0.0/0 in
-A ufw-user-input -p tcp --dport 80 -j ACCEPT

### END RULES ###
COMMIT
"""
RULES6 = RULES.replace("ufw-", "ufw6-").replace("0.0.0.0/0", "::/0")
RUNNING = "-N ufw-user-input\n-A ufw-user-input -p tcp -m tcp --dport 80 -j ACCEPT\n"
FILES = {"/etc/ufw/user.rules": RULES, "/etc/ufw/user6.rules": RULES6}
ACTIVE = {
    "ufw status": "Status: active\n\nTo  Action  From\n",
    "ufw version": "ufw 0.36.2\nCopyright 2008-2023 Canonical Ltd.\n",
    "iptables -S ufw-user-input": RUNNING,
    "ip6tables -S ufw6-user-input": RUNNING.replace("ufw-", "ufw6-"),
    "iptables -V": "iptables v1.8.9 (nf_tables)\n",
    "ip6tables -V": "ip6tables v1.8.9 (nf_tables)\n",
    "iptables-restore": "",
    "ip6tables-restore": "",
}


@pytest.fixture(name="opened")
def fixture_opened(tmp_path):
    """Opens port 81 on a host that differs from the usual one in some files and answers; None takes one away."""

    def opened(files=(), answers=(), verb="open_ports"):
        tree = {path: text for path, text in {**FILES, **dict(files)}.items() if text is not None}
        programs = {line: text for line, text in {**ACTIVE, **dict(answers)}.items() if text is not None}
        return getattr(ufw, verb)(make_tree(tmp_path, tree), FakePrograms(programs), 80, [81])

    return opened


def test_both_families_are_written_and_loaded(opened):
    done = opened()
    assert (done.where, done.advice) == (["ufw"], [])
    assert [type(step) for step in done.steps] == [WriteFile, RunCommand] * 2
    assert b"--dport 81 -j ACCEPT" in done.steps[0].content
    assert b"ufw6-user-input -p tcp --dport 81" in done.steps[2].content
    command = done.steps[1]
    assert command.argv == command.undo_argv, "undone by loading the file that was put back"
    assert command.argv[4:] == (
        "/usr/sbin/iptables", "ufw-user-input", "/etc/ufw/user.rules", "/usr/sbin/iptables-restore", "-w", "10", "-n",
    )  # fmt: skip


@pytest.mark.parametrize("version", ["iptables v1.4.21", "iptables v1.6.1", ""])
def test_old_programs_do_not_wait(opened, version):
    assert "-w" not in opened(answers={"iptables -V": version}).steps[1].argv


@pytest.mark.parametrize(
    "answers",
    [
        {"ufw status": "Status: inactive\n"},
        {"ufw status": None, "ufw version": None},
        {"iptables -S ufw-user-input": 1, "ip6tables -S ufw6-user-input": 1},
    ],
    ids=["inactive", "not installed", "no chains"],
)
def test_nothing_where_ufw_is_not_active(opened, answers):
    assert opened(answers=answers) == ([], [], [])


def test_without_ipv6_only_one_family(opened):
    assert [step.path for step in opened(answers={"ip6tables -S ufw6-user-input": 1}).steps[::2]] == [
        "/etc/ufw/user.rules"
    ]


@pytest.mark.parametrize("allowed", [True, False])
def test_a_port_that_no_rule_lets_through(opened, allowed):
    """Nothing, unless everything is let through: then whom a rule bars has to be barred from the new ports."""
    barred = {path: text.replace("allow", "deny").replace("ACCEPT", "DROP") for path, text in FILES.items()}
    files = {**barred, "/etc/default/ufw": 'DEFAULT_INPUT_POLICY="%s"\n' % ("ACCEPT" if allowed else "DROP")}
    answers = {line: ACTIVE[line].replace("ACCEPT", "DROP") for line in list(ACTIVE)[2:4]}
    done = opened(files=files, answers=answers)
    assert (bool(done.steps), done.advice) == (allowed, [])


@pytest.mark.parametrize(
    "files,answers,told",
    [
        ({}, {"ufw status": 1}, "ufw cannot be asked (ufw status failed with status 1)"),
        ({}, {"ufw version": "ufw 0.34\n"}, "older than 0.35"),
        ({"/etc/ufw/user.rules": None}, {}, "/etc/ufw/user.rules: there is no such file"),
        ({"/etc/ufw/user.rules": "*filter\n"}, {}, "/etc/ufw/user.rules: it has no section of rules"),
        ({}, {"iptables -S ufw-user-input": "-N ufw-user-input\n"}, "does not run as /etc/ufw/user.rules says"),
        (
            {},
            {"iptables -S ufw-user-input": RUNNING + "-A ufw-user-input -s 192.0.2.1/32 -j DROP\n"},
            "does not run as /etc/ufw/user.rules says",
        ),
        (
            {"/etc/ufw/user.rules": RULES.replace("allow tcp", "route:allow tcp").replace("input", "forward")},
            {"iptables -S ufw-user-input": "-N ufw-user-input\n"},
            "",
        ),
    ],
)
def test_what_is_in_the_way_is_told_and_left_alone(opened, files, answers, told):
    done = opened(files=files, answers=answers)
    assert "/etc/ufw/user.rules" not in [step.path for step in done.steps if isinstance(step, WriteFile)]
    assert any(told in sentence for sentence in done.advice) or not told


def test_in_check_mode_what_an_interrupted_run_loaded_is_not_in_the_way(opened):
    ahead = RUNNING + "-A ufw-user-input -p tcp -m tcp --dport 81 -j ACCEPT\n"
    assert len(opened(answers={"iptables -S ufw-user-input": ahead}).steps) == 4


def test_closing_takes_out_what_was_added_whether_ufw_runs_or_not(opened):
    added = {step.path: step.content.decode() for step in opened().steps[::2]}
    lines = list(ACTIVE)[2:4]
    answers = {line: ACTIVE[line] + ACTIVE[line].split("\n")[1].replace("80", "81") + "\n" for line in lines}
    done = opened(files=added, answers=answers, verb="close_ports")
    assert {step.path: step.content.decode() for step in done.steps[::2]} == FILES
    off = opened(files=added, answers={"iptables -S ufw-user-input": 1}, verb="close_ports")
    assert off.steps[0].content.decode() == RULES
    assert opened(verb="close_ports") == ([], [], [])
    assert opened(files=dict.fromkeys(FILES), verb="close_ports") == ([], [], [])
