# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules of ufw, as ufw 0.36.2 writes them, for more ports."""

import pytest
from ansible_collections.tcpops.timewait.plugins.module_utils._firewall import ufw_rules
from ansible_collections.tcpops.timewait.plugins.module_utils._firewall.ufw_rules import RulesFileError

HEAD = b"*filter\n:ufw-user-input - [0:0]\n### RULES ###\n"
TAIL = b"\n### END RULES ###\n\n### LOGGING ###\n### END LOGGING ###\nCOMMIT\n"
COMMENT = b" comment=" + b"tcpops.timewait: as port 80".hex().encode()

NEW = b"-m conntrack --ctstate NEW -m recent"
DAPP = b" -m comment --comment 'dapp_WWW%20Full'"
LOG = b"-m limit --limit 3/min --limit-burst 10 -j LOG --log-prefix \"[UFW ALLOW] \""

#: name -> (rules that are there, what is put behind them for port 81)
CLONED = {
    "plain": (
        b"\n### tuple ### allow tcp 80 0.0.0.0/0 any 0.0.0.0/0 in\n-A ufw-user-input -p tcp --dport 80 -j ACCEPT\n",
        b"\n### tuple ### allow tcp 81 0.0.0.0/0 any 0.0.0.0/0 in%s\n-A ufw-user-input -p tcp --dport 81 -j ACCEPT\n",
    ),
    "both protocols": (
        (
            b"\n### tuple ### reject any 80 0.0.0.0/0 any 0.0.0.0/0 in\n"
            b"-A ufw-user-input -p tcp --dport 80 -j REJECT --reject-with tcp-reset\n"
            b"-A ufw-user-input -p udp --dport 80 -j REJECT\n"
        ),
        (
            b"\n### tuple ### reject tcp 81 0.0.0.0/0 any 0.0.0.0/0 in%s\n"
            b"-A ufw-user-input -p tcp --dport 81 -j REJECT --reject-with tcp-reset\n"
        ),
    ),
    "a list, from and to somewhere, on an interface": (
        (
            b"\n### tuple ### allow tcp 80,443 10.2.2.2 any 10.0.0.0/8 in_eth0 comment=776562\n"
            b"-A ufw-user-input -i eth0 -p tcp -m multiport --dports 80,443 -d 10.2.2.2 -s 10.0.0.0/8 -j ACCEPT\n"
        ),
        (
            b"\n### tuple ### allow tcp 81 10.2.2.2 any 10.0.0.0/8 in_eth0%s\n"
            b"-A ufw-user-input -i eth0 -p tcp -d 10.2.2.2 --dport 81 -s 10.0.0.0/8 -j ACCEPT\n"
        ),
    ),
    "a range that ends before": (
        (
            b"\n### tuple ### deny tcp 70:80 0.0.0.0/0 any 10.0.0.1 in\n"
            b"-A ufw-user-input -p tcp -m multiport --dports 70:80 -s 10.0.0.1 -j DROP\n"
        ),
        (
            b"\n### tuple ### deny tcp 81 0.0.0.0/0 any 10.0.0.1 in%s\n"
            b"-A ufw-user-input -p tcp --dport 81 -s 10.0.0.1 -j DROP\n"
        ),
    ),
    "limit": (
        b"\n### tuple ### limit tcp 80 0.0.0.0/0 any 10.0.0.0/8 in\n"
        b"-A ufw-user-input -p tcp --dport 80 -s 10.0.0.0/8 " + NEW + b" --set\n"
        b"-A ufw-user-input -p tcp --dport 80 -s 10.0.0.0/8 " + NEW
        + b" --update --seconds 30 --hitcount 6 -j ufw-user-limit\n"
        b"-A ufw-user-input -p tcp --dport 80 -s 10.0.0.0/8 -j ufw-user-limit-accept\n",
        b"\n### tuple ### limit tcp 81 0.0.0.0/0 any 10.0.0.0/8 in%s\n"
        b"-A ufw-user-input -p tcp --dport 81 -s 10.0.0.0/8 " + NEW + b" --set\n"
        b"-A ufw-user-input -p tcp --dport 81 -s 10.0.0.0/8 " + NEW
        + b" --update --seconds 30 --hitcount 6 -j ufw-user-limit\n"
        b"-A ufw-user-input -p tcp --dport 81 -s 10.0.0.0/8 -j ufw-user-limit-accept\n",
    ),
    "logged": (
        b"\n### tuple ### allow_log tcp 80 0.0.0.0/0 any 0.0.0.0/0 in\n"
        b"-A ufw-user-logging-input -p tcp --dport 80 -m conntrack --ctstate NEW " + LOG + b"\n"
        b"-A ufw-user-logging-input -p tcp --dport 80 -j RETURN\n"
        b"-A ufw-user-input -p tcp --dport 80 -j ufw-user-logging-input\n"
        b"-A ufw-user-input -p tcp --dport 80 -j ACCEPT\n",
        b"\n### tuple ### allow_log tcp 81 0.0.0.0/0 any 0.0.0.0/0 in%s\n"
        b"-A ufw-user-logging-input -p tcp --dport 81 -m conntrack --ctstate NEW " + LOG + b"\n"
        b"-A ufw-user-logging-input -p tcp --dport 81 -j RETURN\n"
        b"-A ufw-user-input -p tcp --dport 81 -j ufw-user-logging-input\n"
        b"-A ufw-user-input -p tcp --dport 81 -j ACCEPT\n",
    ),
    "a profile, whose rules stay together": (
        b"\n### tuple ### allow tcp 80,443 0.0.0.0/0 any 0.0.0.0/0 WWW%20Full - in\n"
        b"-A ufw-user-input -p tcp -m multiport --dports 80,443 -j ACCEPT" + DAPP + b"\n"
        b"\n### tuple ### allow udp 443 0.0.0.0/0 any 0.0.0.0/0 WWW%20Full - in\n"
        b"-A ufw-user-input -p udp --dport 443 -j ACCEPT" + DAPP + b"\n",
        b"\n### tuple ### allow tcp 81 0.0.0.0/0 any 0.0.0.0/0 in%s\n-A ufw-user-input -p tcp --dport 81 -j ACCEPT\n",
    ),
    "IPv6": (
        (
            b"\n### tuple ### allow tcp 80 fd00::1 any ::/0 in\n"
            b"-A ufw6-user-input -p tcp -d fd00::1 --dport 80 -j ACCEPT\n"
        ),
        (
            b"\n### tuple ### allow tcp 81 fd00::1 any ::/0 in%s\n"
            b"-A ufw6-user-input -p tcp -d fd00::1 --dport 81 -j ACCEPT\n"
        ),
    ),
}
PLAIN = CLONED["plain"][0]
OTHER = b"\n### tuple ### deny any any 0.0.0.0/0 any 10.9.0.0/16 in\n-A ufw-user-input -s 10.9.0.0/16 -j DROP\n"

#: rules that need nothing for port 81
SUFFICIENT = {
    "a range around both": b"\n### tuple ### allow tcp 70:90 0.0.0.0/0 any 0.0.0.0/0 in\n"
    b"-A ufw-user-input -p tcp -m multiport --dports 70:90 -j ACCEPT\n",
    "the like by somebody": PLAIN + PLAIN.replace(b"80", b"81"),
    "the like for both protocols": PLAIN + PLAIN.replace(b"tcp 80", b"any 81").replace(b"80", b"81"),
    "another port": PLAIN.replace(b"80", b"8080"),
    "UDP": PLAIN.replace(b"tcp", b"udp"),
    "outgoing": PLAIN.replace(b" in\n", b" out\n").replace(b"input", b"output"),
    "all ports": OTHER,
    "none": b"",
}

#: rules that are left alone, and told
ODD = {
    "forwarded": PLAIN.replace(b"allow", b"route:allow").replace(b"input", b"forward"),
    "a profile of source ports": PLAIN.replace(b" in\n", b" - WWW in\n"),
    "lines that are not as the tuple": PLAIN.replace(b"--dport 80", b"--dport 8080"),
    "lines of another chain": PLAIN.replace(b"ufw-user-input", b"ufw-before-input"),
    "source ports in a list": PLAIN.replace(b"--dport 80", b"-m multiport --dports 80 -m multiport --sports 1,2"),
    "a tuple of old": PLAIN.replace(b" in\n", b"\n"),
    "no lines": b"\n### tuple ### allow tcp 80 0.0.0.0/0 any 0.0.0.0/0 in\n",
    "two spaces": PLAIN.replace(b"-p tcp", b"-p  tcp"),
}


@pytest.mark.parametrize("name", list(CLONED))
@pytest.mark.parametrize("behind", [b"", OTHER], ids=["last", "amid"])
def test_a_rule_is_cloned_behind_itself(name, behind):
    there, made = CLONED[name]
    made = made.replace(b"%s", COMMENT)
    content = HEAD + OTHER + there + behind + TAIL
    done = ufw_rules.cloned(content, 80, [81])
    assert done == (HEAD + OTHER + there + made + behind + TAIL, [])
    assert ufw_rules.cloned(done.content, 80, [81]).content == done.content
    assert ufw_rules.marked_ports(ufw_rules.parse(done.content), 80) == [81]
    assert ufw_rules.taken_out(done.content, 80) == content


@pytest.mark.parametrize("name", list(SUFFICIENT))
def test_nothing_is_done_where_nothing_is_missing(name):
    content = HEAD + SUFFICIENT[name] + TAIL
    assert ufw_rules.cloned(content, 80, [81]) == (content, [])


@pytest.mark.parametrize("name", list(ODD))
def test_what_is_not_understood_is_left_alone_and_told(name):
    content = HEAD + ODD[name] + TAIL
    done = ufw_rules.cloned(content, 80, [81])
    assert done.content == content
    assert done.odd == [ODD[name].decode().split("\n")[1]]


def test_each_rule_of_several_is_cloned_in_its_place_for_each_port():
    deny = PLAIN.replace(b"allow", b"deny").replace(b"ACCEPT", b"DROP").replace(b"any 0.0.0.0/0 in", b"any 10.1.1.1 in")
    content = HEAD + PLAIN + deny + TAIL
    done = ufw_rules.cloned(content, 80, [81, 82]).content
    order = [(rule.action, rule.ports) for rule in ufw_rules.parse(done).rules]
    assert order == [(action, port) for action in ("allow", "deny") for port in ("80", "81", "82")]
    less = ufw_rules.taken_out(done, 80, [82])
    assert less == ufw_rules.cloned(content, 80, [81]).content
    assert ufw_rules.taken_out(done, 443) == done, "added beside another port"
    assert ufw_rules.taken_out(less, 80, [81]) == content


def test_line_ends_stay():
    content = (HEAD + PLAIN + TAIL).replace(b"\n", b"\r\n")
    done = ufw_rules.cloned(content, 80, [81]).content
    assert done.count(b"\n") == done.count(b"\r\n") == content.count(b"\n") + 3
    assert ufw_rules.taken_out(done, 80) == content


@pytest.mark.parametrize("content", [b"", HEAD, TAIL, TAIL + HEAD, HEAD + HEAD + TAIL, b"\xff\x00"])
def test_a_file_that_ufw_did_not_write(content):
    with pytest.raises(RulesFileError):
        ufw_rules.cloned(content, 80, [81])


@pytest.mark.parametrize("comment", [b"zz", b"ff", b"776562", b"", b"tcpops".hex().encode(), b"1"])
def test_comments_of_others_are_no_mark(comment):
    content = HEAD + PLAIN.replace(b" in\n", b" in comment=" + comment + b"\n") + TAIL
    assert ufw_rules.taken_out(content, 80) == content


def test_what_runs_is_compared_as_far_as_it_is_written_alike():
    running = (
        "-N ufw-user-input\n"
        "-A ufw-user-input -s 10.0.0.0/8 -p tcp -m tcp --dport 80 -m recent --set --name DEFAULT --rsource\n"
        "-A ufw-user-input -p tcp -m multiport --dports 80,443 -j ACCEPT\n"
        "-A ufw-user-input -s 10.9.0.0/16 -j DROP\n"
    )
    written = (
        "### tuple ### ...\n-A ufw-user-input -p tcp --dport 80 -s 10.0.0.0/8 -m recent --set\n"
        "-A ufw-user-input -p tcp -m multiport --dports 80,443 -j ACCEPT\n"
        "-A ufw-user-logging-input -p tcp --dport 80 -j RETURN\n"
        "-A ufw-user-input -s 10.9.0.0/16 -j DROP\n"
    )
    assert ufw_rules.essences(running, "ufw-user-input") == ufw_rules.essences(written, "ufw-user-input")
    assert len(ufw_rules.essences(written, "ufw-user-input")) == 3
