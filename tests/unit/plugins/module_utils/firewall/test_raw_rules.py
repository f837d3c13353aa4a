# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Advice on rules that somebody loaded by hand, out of what nft 1.0.6 and iptables 1.8.9 print."""

import json

import pytest
from ansible_collections.tcpops.timewait.plugins.module_utils._firewall import open_ports, raw
from support.fake_programs import FakePrograms
from support.file_tree import make_tree

ACCEPT = {"accept": None}
INPUT = {"chain": {"family": "inet", "table": "site", "name": "input", "handle": 1, "type": "filter", "hook": "input"}}
SIDE = {"chain": {"family": "inet", "table": "site", "name": "side", "handle": 2}}
FORWARD = {"chain": {"family": "inet", "table": "site", "name": "forward", "handle": 3, "hook": "forward"}}


def dport(right, op="=="):
    return {"match": {"op": op, "left": {"payload": {"protocol": "tcp", "field": "dport"}}, "right": right}}


def rule(*expressions, chain="input", handle=7):
    one = {"family": "inet", "table": "site", "chain": chain, "handle": handle, "expr": list(expressions)}
    return {"rule": one}


def vmap(data):
    return {"vmap": {"key": {"payload": {"protocol": "tcp", "field": "dport"}}, "data": data}}


def advised(*items, text="\t\ttcp dport 80 accept # handle 7\n", more=()):
    answers = {"nft -j list ruleset": json.dumps({"nftables": [{"metainfo": {}}, INPUT, SIDE, FORWARD, *items]})}
    answers.update({"nft -a list chain inet site %s" % name: text for name in ("input", "side")})
    answers.update(more)
    return raw.advise(FakePrograms(answers), 80, [81, 82]).advice


WEB = {"set": {"family": "inet", "table": "site", "name": "web", "elem": [22, {"range": [80, 80]}]}}
TIMED = {"set": {"family": "inet", "table": "site", "name": "web", "elem": [{"elem": {"val": 80, "timeout": 9}}]}}
PORTS = {"map": {"family": "inet", "table": "site", "name": "ports", "elem": [[80, {"jump": {"target": "side"}}]]}}


@pytest.mark.parametrize(
    "items",
    [
        [rule(dport(80), ACCEPT)],
        [rule(dport({"set": [22, 80]}), ACCEPT)],
        [rule(dport({"set": [{"range": [70, 80]}]}), ACCEPT)],
        [rule(dport({"range": [70, 80]}), {"counter": {}}, {"drop": None})],
        [WEB, rule(dport("@web"), ACCEPT)],
        [TIMED, rule(dport("@web"), ACCEPT)],
        [rule(vmap({"set": [[80, ACCEPT], [443, ACCEPT]]}))],
        [PORTS, rule(vmap("@ports"))],
        [rule({"jump": {"target": "side"}}, handle=6), rule(dport(80), ACCEPT, chain="side")],
        [rule(vmap({"set": [[22, {"goto": {"target": "side"}}]]})), rule(dport(80), ACCEPT, chain="side")],
        [rule(dport(80, "!="), {"drop": None})],
        [rule(dport(80), {"redirect": {"port": 8080}})],
    ],
)
def test_a_rule_of_nftables_for_the_port(items):
    (sentence,) = advised(*items)
    assert sentence.startswith("nftables is left alone: chain ")
    assert "has a rule for port 80" in sentence
    assert "none for 81 and 82" in sentence


@pytest.mark.parametrize(
    "items",
    [
        [],
        [rule(dport(443), ACCEPT)],
        [rule(dport(80), {"counter": {}})],
        [rule(dport(80), ACCEPT, chain="forward")],
        [rule(dport(80), ACCEPT, chain="side")],
        [rule(dport(80), ACCEPT), rule(dport({"range": [81, 90]}), ACCEPT)],
        [rule({"match": {"left": {"payload": {"protocol": "udp", "field": "dport"}}, "right": 80}}, ACCEPT)],
        [rule({"match": {"left": {"payload": {"protocol": "tcp", "field": "sport"}}, "right": 80}}, ACCEPT)],
        [rule({"match": {"left": "x", "right": 80}}, dport(None), dport([]), dport({"set": None}), "x", ACCEPT)],
        [rule({"xt": None}, ACCEPT)],
    ],
)
def test_rules_that_need_nothing(items):
    assert advised(*items) == []


@pytest.mark.parametrize(
    "text,command",
    [
        ("tcp dport 80 accept", "nft add rule inet site input position 7 tcp dport { 81, 82 } accept"),
        (
            "ip saddr 10.0.0.0/8 tcp dport { 80, 443 } counter packets 5 bytes 6 accept",
            "nft add rule inet site input position 7 ip saddr 10.0.0.0/8 tcp dport { 81, 82 } counter accept",
        ),
        ("tcp dport != 80 drop", ""),
        ("tcp dport vmap { 80 : accept }", ""),
        ("", ""),
    ],
)
def test_the_command_to_add_it(text, command):
    (sentence,) = advised(rule(dport(80), ACCEPT), text="\t\t%s # handle 7\n\t\tother # handle 77\n" % text)
    if command:
        assert sentence.endswith(": %s, and the same in the file that it is loaded from" % command)
    else:
        assert sentence.endswith(": add the like")


def test_a_set_gets_elements():
    (sentence,) = advised(WEB, rule(dport("@web"), ACCEPT), text="\t\ttcp dport @web accept # handle 7\n")
    assert ": nft add element inet site web { 81, 82 }, and" in sentence
    (sentence,) = advised(PORTS, rule(vmap("@ports")), text="\t\ttcp dport vmap @ports # handle 7\n")
    assert sentence.endswith(": give map ports elements for them")


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"nftables": [1]}', '{"nftables": [{"rule": {}}]}'])
def test_what_nft_says_and_is_not_understood_is_told(text):
    (sentence,) = advised(more={"nft -j list ruleset": text})
    assert sentence.startswith("nftables cannot be asked (")
    assert sentence.endswith("so whether it bars ports 81 and 82 cannot be told")
    assert advised(more={"nft -j list ruleset": 1}) != []
    assert advised(more={"nft -j list ruleset": ""}) == []


SAVED = """# Generated by iptables-save v1.8.9 (nf_tables) on Thu Nov 26 16:19:03 2026
*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:site - [0:0]
:ufw-user-input - [0:0]
:ufw-before-input - [0:0]
:lost - [0:0]
-A INPUT -j site
-A INPUT -j ufw-user-input
-A INPUT -j ufw-before-input
%s
COMMIT
"""


@pytest.mark.parametrize(
    "line,command",
    [
        ("-A site -p tcp -m tcp --dport 80 -j ACCEPT", "-I site 2 -p tcp -m multiport --dports 81,82 -j ACCEPT"),
        (
            "-A INPUT -s 10.0.0.0/8 -p tcp -m multiport --dports 80,443 -m comment --comment \"a -j b\" -j ACCEPT",
            "-I INPUT 5 -s 10.0.0.0/8 -p tcp -m multiport --dports 81,82 -m comment --comment \"a -j b\" -j ACCEPT",
        ),
        ("-A INPUT -p tcp -m tcp --dport 70:80 -g site", "-I INPUT 5 -p tcp -m multiport --dports 81,82 -g site"),
    ],
)
def test_a_rule_of_iptables_for_the_port(line, command):
    (sentence,) = raw.advise(FakePrograms({"iptables-save": SAVED % line}), 80, [81, 82]).advice
    assert sentence.endswith(": iptables -t filter %s, and the same wherever it is loaded from" % command)


@pytest.mark.parametrize(
    "line",
    [
        "-A FORWARD -p tcp -m tcp --dport 80 -j ACCEPT",
        "-A lost -p tcp -m tcp --dport 80 -j ACCEPT",
        "-A INPUT -p udp -m udp --dport 80 -j ACCEPT",
        "-A INPUT -p tcp -m tcp --sport 80 -j ACCEPT",
        "-A INPUT -p tcp -m tcp --dport 80 -j LOG",
        "-A INPUT -p tcp -m tcp --dport 80",
        "-A ufw-user-input -p tcp -m tcp --dport 80 -j ACCEPT",
        "-A INPUT -p tcp -m tcp --dport 80:82 -j ACCEPT",
        "-A nowhere -p tcp --dport 80 -j ACCEPT\n-A\n:\n*",
    ],
)
def test_rules_of_iptables_that_need_nothing(line):
    assert raw.advise(FakePrograms({"iptables-save": SAVED % line}), 80, [81, 82]).advice == []


def test_chains_of_firewalld_s_zones_are_its_own():
    lines = ":IN_public - [0:0]\n-A INPUT -j IN_public\n-A IN_public -p tcp --dport 80 -j ACCEPT"
    for zoned in (True, False):
        saved = SAVED % ((":INPUT_ZONES - [0:0]\n" if zoned else "") + lines)
        assert bool(raw.advise(FakePrograms({"iptables-save": saved}), 80, [81]).advice) is not zoned


def test_one_port_and_negation_and_files_of_ufw():
    programs = FakePrograms({"ip6tables-save": SAVED % "-A site -p tcp -m tcp --dport 80 -j ACCEPT"})
    (sentence,) = raw.advise(programs, 80, [81]).advice
    assert ": ip6tables -t filter -I site 2 -p tcp --dport 81 -j ACCEPT, and" in sentence
    programs = FakePrograms({"iptables-save": SAVED % "-A site -p tcp -m tcp ! --dport 80 -j DROP"})
    assert raw.advise(programs, 80, [81]).advice[0].endswith(": add the like")
    programs = FakePrograms({"iptables-save": SAVED % "-A ufw-before-input -p tcp --dport 80 -j ACCEPT"})
    assert raw.advise(programs, 80, [81]).advice[0].endswith(": add the like in /etc/ufw/before.rules")


def test_what_both_programs_show_is_told_once():
    chain = {"chain": {"family": "ip", "table": "filter", "name": "INPUT", "hook": "input"}}
    there = {"rule": {"family": "ip", "table": "filter", "chain": "INPUT", "handle": 2, "expr": [dport(80), ACCEPT]}}
    saved = SAVED % "-A INPUT -p tcp -m tcp --dport 80 -j ACCEPT"
    assert len(advised(chain, there, more={"iptables-save": saved})) == 1
    legacy = saved.replace("(nf_tables)", "")
    assert len(advised(chain, there, more={"iptables-save": legacy})) == 2


def test_the_old_interface_is_asked_where_there_is_something():
    warning = "# Warning: iptables-legacy tables present, use iptables-legacy-save to see them\n"
    answers = {"iptables-save": warning, "iptables-legacy-save": SAVED % "-A INPUT -p tcp --dport 80 -j ACCEPT"}
    assert len(raw.advise(FakePrograms(answers), 80, [81]).advice) == 1
    assert raw.advise(FakePrograms({**answers, "iptables-save": ""}), 80, [81]).advice == []
    assert "iptables cannot be asked" in raw.advise(FakePrograms({"iptables-save": 1}), 80, [81]).advice[0]


def test_a_host_with_nothing(tmp_path):
    assert open_ports(make_tree(tmp_path, {"/etc/hostname": "x"}), 80, [81], FakePrograms({})) == ([], [], [])
    assert open_ports(make_tree(tmp_path, {}), 80, [80], FakePrograms({"nft -j list ruleset": 1})) == ([], [], [])
