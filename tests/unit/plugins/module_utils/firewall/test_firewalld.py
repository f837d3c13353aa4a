# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is done about firewalld, by its state. Outputs as firewalld 1.3.3 prints them."""

import pytest
from ansible_collections.tcpops.timewait.plugins.module_utils import _opened_record
from ansible_collections.tcpops.timewait.plugins.module_utils._firewall import firewalld
from ansible_collections.tcpops.timewait.plugins.module_utils._transaction.errors import TransactionError
from ansible_collections.tcpops.timewait.plugins.module_utils._transaction.steps import RemoveFile, WriteFile
from support.fake_programs import FakePrograms
from support.file_tree import make_tree

RECORD = "/var/lib/tcpops-timewait-opened/firewalld.json"
ZONE = "/etc/firewalld/zones/public.xml"
VENDOR = "/usr/lib/firewalld/zones/public.xml"
BUS = "/run/dbus/system_bus_socket"
XML = '<zone>\n  <port port="80" protocol="tcp"/>\n</zone>\n'
FILES = {
    BUS: "",
    ZONE: XML,
    "/usr/lib/firewalld/services/http.xml": '<service><port protocol="tcp" port="80"/></service>',
    "/usr/lib/firewalld/services/web.xml": '<service><include service="http"/><include service="web"/></service>',
    "/usr/lib/firewalld/services/broken.xml": "<service>",
}


def zone(name="public (active)", **settings):
    """A block of ``--list-all-zones``."""
    shown = {"target": "default", "interfaces": "eth0", "services": "", "ports": "", "protocols": "", **settings}
    rules = "".join("\t%s\n" % rule for rule in shown.pop("rules", []))
    return "%s\n%s  rich rules: \n%s\n" % (name, "".join("  %s: %s\n" % one for one in shown.items()), rules)


def programs(zones, policies=1, default="public\n"):
    lines = ("--get-default-zone", "--list-all-zones", "--list-all-policies")
    return FakePrograms(dict(zip(["firewall-cmd " + line for line in lines], [default, zones, policies], strict=False)))


@pytest.fixture(name="opened")
def fixture_opened(tmp_path):
    def opened(answers, files=None, ports=(81, 82), verb="open_ports"):
        tree = {path: text for path, text in (files or FILES).items() if text is not None}
        return getattr(firewalld, verb)(make_tree(tmp_path, tree), answers, 80, list(ports))

    return opened


def commands(done):
    return [" ".join(step.argv[5:]) for step in done.steps if not isinstance(step, (WriteFile, RemoveFile))]


def written(done):
    return {step.path: step.content.decode() for step in done.steps if isinstance(step, WriteFile)}


@pytest.mark.parametrize(
    "settings",
    [
        {"ports": "80/tcp"},
        {"ports": "22/tcp 70-80/tcp"},
        {"services": "ssh http"},
        {"services": "web"},
    ],
    ids=["port", "range", "service", "service that includes another"],
)
def test_ports_are_opened_in_what_runs_and_in_the_file(opened, settings):
    done = opened(programs(zone(**settings)))
    assert (done.where, done.advice) == (["firewalld"], [])
    assert commands(done) == ["--zone=public --add-port=81/tcp --add-port=82/tcp"]
    files = written(done)
    assert files[ZONE] == XML.replace("</zone>", "").rstrip("\n") + "".join(
        '\n  <port port="%d" protocol="tcp"/>' % port for port in (81, 82)
    ) + "\n</zone>\n"
    command = done.steps[-1]
    assert command.undo_argv[5:] == ("--zone=public", "--remove-port=81/tcp", "--remove-port=82/tcp")
    assert "--state" in command.undo_argv[2], "harmless where firewalld is off"
    again = {**FILES, **files}
    assert opened(programs(zone(**{**settings, "ports": "80-82/tcp"})), files=again) == ([], [], [])
    closed = opened(programs(zone(ports="80/tcp 81/tcp 82/tcp")), files=again, ports=[81, 443], verb="close_ports")
    assert commands(closed) == ["--zone=public --remove-port=81/tcp"]
    assert '"81"' not in written(closed)[ZONE] and '"82"' in written(closed)[ZONE]
    closed = opened(programs(zone(ports="80/tcp 81/tcp 82/tcp")), files=again, verb="close_ports")
    assert written(closed) == {ZONE: XML}
    assert [step.path for step in closed.steps if isinstance(step, RemoveFile)] == [RECORD]


@pytest.mark.parametrize(
    "answers",
    [
        FakePrograms({"nft": ""}),
        FakePrograms({"firewall-cmd --get-default-zone": 252}),
        programs(zone(ports="443/tcp")),
        programs(zone(ports="80/udp 8080/tcp")),
        programs(zone(ports="80/tcp", target="ACCEPT")),
        programs(zone(name="public", ports="80/tcp"), default="work\n"),
        programs("nonsense\n\x00\n  : \n"),
    ],
    ids=["not installed", "not running", "not open", "other ports", "accepts all", "zone not in use", "nonsense"],
)
def test_nothing_is_done(opened, answers):
    files = {**FILES, ZONE: XML.replace("80", "443")}
    assert opened(answers, files=files) == ([], [], [])


def test_without_a_bus_nobody_is_asked(opened):
    answers = programs(zone(ports="80/tcp"))
    assert opened(answers, files={**FILES, BUS: None}) == ([], [], [])
    assert answers.asked == []


def test_a_zone_that_nothing_is_in_counts_when_it_is_the_default(opened):
    assert commands(opened(programs(zone(name="public", ports="80/tcp"))))
    assert commands(opened(programs(zone(name="public (default, active)", ports="80/tcp"))))


def test_what_runs_and_what_is_kept_are_taken_apart(opened):
    """Each follows its own: a port that is open only until a reload gets others that are."""
    running = opened(programs(zone(ports="80/tcp")), files={**FILES, ZONE: XML.replace("80", "443")})
    assert list(written(running)) == [RECORD]
    assert len(commands(running)) == 1
    kept = opened(programs(zone(ports="443/tcp")))
    assert list(written(kept)) == [ZONE, RECORD]
    assert commands(kept) == []


def test_the_package_s_zone_is_copied_and_the_copy_goes(opened):
    here = {**FILES, ZONE: None, VENDOR: XML}
    done = opened(programs(zone(ports="80/tcp")), files=here)
    assert list(written(done)) == [ZONE, RECORD]
    closed = opened(programs(zone(ports="80/tcp")), files={**here, **written(done)}, verb="close_ports")
    assert [step.path for step in closed.steps if isinstance(step, RemoveFile)] == [ZONE, RECORD]


def test_what_others_opened_stays(opened):
    there = {**FILES, ZONE: XML.replace("</zone>", '<port port="81" protocol="tcp"/></zone>')}
    done = opened(programs(zone(ports="80/tcp 81/tcp")), files=there)
    assert commands(done) == ["--zone=public --add-port=82/tcp"]
    closed = opened(programs(zone(ports="80/tcp 81/tcp 82/tcp")), files={**there, **written(done)}, verb="close_ports")
    assert commands(closed) == ["--zone=public --remove-port=82/tcp"]
    assert '"81"' in written(closed)[ZONE]


def test_closing_where_firewalld_is_off_takes_them_from_the_file(opened):
    files = {**FILES, **written(opened(programs(zone(ports="80/tcp"))))}
    done = opened(FakePrograms({"firewall-cmd --get-default-zone": 252}), files=files, verb="close_ports")
    assert written(done) == {ZONE: XML}
    assert commands(done) == []


def test_a_file_that_cannot_be_closed_is_remembered(opened):
    added = {**FILES, **written(opened(programs(zone(ports="80/tcp"))))}
    done = opened(programs(zone(ports="80/tcp 81/tcp")), files={**added, ZONE: "<zone>"}, verb="close_ports")
    assert (done.steps, done.where) == ([], [])
    assert done.advice == ["ports 81 and 82 stay open in zone public of firewalld: %s: no element found: "
                           "line 1, column 6" % ZONE]  # fmt: skip
    lost = opened(FakePrograms({"firewall-cmd --get-default-zone": 1}), files=added, verb="close_ports")
    assert written(lost) == {ZONE: XML}
    assert "so ports 81 and 82 stay open, until it is reloaded" in lost.advice[0]


def test_a_zone_that_is_no_more_in_use_is_closed_too(opened):
    added = {**FILES, **written(opened(programs(zone(ports="80/tcp"))))}
    now = programs(zone(name="public", ports="80/tcp 81/tcp"), default="work\n")
    assert commands(opened(now, files=added, verb="close_ports")) == ["--zone=public --remove-port=81/tcp"]


RICH = 'rule family="ipv4" source address="10.0.0.0/8" port port="80" protocol="tcp" accept'


@pytest.mark.parametrize(
    "answers,files,told",
    [
        (programs(zone(rules=[RICH])), {}, "zone public has a rule (%s) for port 80, which is left alone" % RICH),
        (programs(zone(), zone("deny (active)", ports="80/tcp", **{"egress-zones": "HOST"})), {}, "policy deny opens"),
        (
            programs(zone()),
            {"/etc/firewalld/direct.xml": "<rule>-p tcp --dport 80</rule>"},
            "direct.xml has a rule",
        ),
        (programs(zone(ports="80/tcp")), {ZONE: "<zone>"}, "%s: no element found" % ZONE),
        (FakePrograms({"firewall-cmd --get-default-zone": 1}), {}, "firewalld cannot be asked (firewall-cmd"),
    ],
)
def test_what_is_left_to_do_is_told(opened, answers, files, told):
    done = opened(answers, files={**FILES, ZONE: XML.replace("80", "443"), **files})
    assert len(done.advice) == 1
    assert told in done.advice[0]
    assert "81 and 82" in done.advice[0]
    assert ZONE not in written(done)


@pytest.mark.parametrize("rule", [RICH.replace("80", "81"), RICH.replace("tcp", "udp"), RICH.replace("80", "8080")])
def test_rules_that_say_nothing_of_the_port(opened, rule):
    files = {**FILES, ZONE: XML.replace("80", "443")}
    assert opened(programs(zone(rules=[rule])), files=files) == ([], [], [])
    both = [RICH, RICH.replace('"80"', '"81-82"')]
    assert opened(programs(zone(rules=both)), files=files).advice == []


@pytest.mark.parametrize("text", ["", "[]", '{"format": 2, "opened": []}', '{"format": 1, "opened": [{"port": 1}]}'])
def test_a_record_that_is_none_stops_all(opened, text):
    with pytest.raises(TransactionError, match="is no record of opened ports"):
        opened(programs(zone(ports="80/tcp")), files={**FILES, RECORD: text})
    assert RECORD.startswith(_opened_record.FOLDER)
