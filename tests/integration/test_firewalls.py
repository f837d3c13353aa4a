# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ports opened in real firewalls and closed again, by transactions, as clients in another network namespace see it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.lab.walled_host import CLIENT6, OTHER, THIRD, WalledHost, walled_host

_OPEN = {80: True, 81: True, 82: True, 85: False, 443: True}
_SHUT = {80: True, 81: False, 82: False, 85: False, 443: True}

#: refused, and not dropped, is what shows a gap in the rules: a dropped packet is sent again
_UFW = f"""
ufw default reject incoming
ufw allow from {OTHER} to any port 80 proto tcp
ufw deny from {OTHER}
ufw deny from {THIRD} to any port 80
ufw allow 80,443/tcp comment 'the web'
ufw limit log 22/tcp
ufw --force enable
"""
_FIREWALLD = f"""
systemctl start firewalld
firewall-cmd -q --permanent --zone=public --add-port=80/tcp --add-port=443/tcp
firewall-cmd -q --permanent --zone=internal --add-source={OTHER}/32
firewall-cmd -q --permanent --zone=internal --add-service=http
firewall-cmd -q --reload
firewall-cmd -q --zone=dmz --add-source={THIRD}/32
"""
_RULES = {"ufw": _UFW, "firewalld": _FIREWALLD}
_RELOAD = {
    "ufw": "ufw reload",
    "firewalld": f"firewall-cmd --reload && firewall-cmd --zone=dmz --add-source={THIRD}/32",
}


@pytest.fixture(scope="module", params=list(_RULES))
def walled(request: pytest.FixtureRequest) -> Iterator[WalledHost]:
    with walled_host("bookworm", f"tw-{request.param}") as host:
        host.run(_RULES[request.param])
        host.firewall = request.param
        yield host


@pytest.fixture
def host(walled: WalledHost) -> Iterator[WalledHost]:
    """As nobody has opened anything yet, also after a test that failed."""
    yield walled
    walled.step("back")


def test_new_ports_are_as_open_as_the_existing_one(host: WalledHost) -> None:
    assert host.reached() == _SHUT
    done = host.step("open", 80, 81, 82)
    assert (done["changed"], done["where"], done["advice"]) == (True, [host.firewall], [])
    assert host.reached() == host.reached(source=CLIENT6) == _OPEN
    assert host.reached(source=OTHER) == {**dict.fromkeys(_OPEN, False), 80: True, 81: True, 82: True}
    barred = host.reached(source=THIRD)
    assert not barred[80] and not barred[81] and not barred[82], "who may not have the old port, may not have the new"
    host.run(_RELOAD[host.firewall])
    assert host.reached() == _OPEN, "what runs and what is kept are the same"
    again = host.step("open", 80, 81, 82)
    assert (again["changed"], again["where"], again["advice"]) == (False, [], [])
    assert host.step("back")["changed"]
    assert host.reached() == _SHUT


def test_no_connection_is_refused_or_lost_meanwhile(host: WalledHost) -> None:
    before = host.step("snapshot")
    with host.talking() as clients:
        assert host.step("open", 80, 81, 82)["changed"]
        assert host.step("close", 80, 81)["changed"]
        assert host.step("back")["changed"]
    assert host.step("snapshot") == before
    assert clients["made"] > 100
    assert (clients["refused"], clients["lost"]) == ([], [])


def test_what_fails_leaves_nothing(host: WalledHost) -> None:
    before = host.step("snapshot")
    assert "not as it should be; everything was put back" in host.step("fail", 80, 81, 82)["error"]
    assert host.step("snapshot") == before


def test_closing_takes_away_what_was_opened_and_no_more(host: WalledHost) -> None:
    before = host.step("snapshot")
    host.step("open", 80, 81, 82)
    assert host.step("close", 80, 81, 85, 443)["where"] == [host.firewall]
    assert host.reached() == {**_OPEN, 81: False}
    assert not host.step("close", 80, 81)["changed"]
    host.step("close", 80, 82)
    assert host.reached() == _SHUT
    assert host.step("snapshot") == before


@pytest.mark.parametrize("walled", ["firewalld"], indirect=True)
def test_a_zone_that_only_the_package_describes(host: WalledHost) -> None:
    before = host.step("snapshot")
    done = host.step("open", 22, 85)
    assert "/etc/firewalld/zones/dmz.xml" in done["files"]
    assert host.reached(source=THIRD)[85]
    host.step("close", 22, 85)
    assert host.step("snapshot") == before, "and no file of ours is left"


@pytest.fixture(scope="module")
def bare() -> Iterator[WalledHost]:
    """A host with no firewall that is managed."""
    with walled_host("bookworm", "tw-bare", boots=False) as host:
        yield host


_BY_HAND = {
    "nft": """nft -f - <<END
table inet site {
    set web { type inet_service; flags interval; elements = { 80, 443 } }
    chain input {
        type filter hook input priority 0; policy drop;
        iif lo accept
        ct state established,related accept
        meta nfproto ipv6 jump six
        ip saddr 10.99.0.0/24 tcp dport { 80, 443 } counter accept
    }
    chain six { tcp dport @web accept; icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept; }
}
END""",
    "iptables": """for program in iptables ip6tables; do
    $program -A INPUT -m state --state ESTABLISHED -j ACCEPT
    $program -A INPUT -p tcp -m multiport --dports 80,443 -j ACCEPT
    $program -A INPUT -p tcp -j REJECT --reject-with tcp-reset
done""",
}
_FLUSH = "nft flush ruleset"


@pytest.mark.parametrize("program", list(_BY_HAND))
def test_what_is_advised_opens_the_ports(bare: WalledHost, program: str) -> None:
    try:
        bare.run(_BY_HAND[program])
        before = bare.step("snapshot")
        done = bare.step("open", 80, 81, 82)
        assert not done["changed"]
        assert bare.step("snapshot") == before
        assert len(done["advice"]) == 2
        assert bare.reached() == bare.reached(source=CLIENT6) == _SHUT
        for sentence in done["advice"]:
            command = sentence.partition(": ")[2].rpartition(", and the same")[0].rpartition(": ")[2]
            assert command.startswith(("nft add ", "iptables -t", "ip6tables -t"))
            bare.run(command.replace("{", "'{").replace("}", "}'"))
        assert bare.reached() == bare.reached(source=CLIENT6) == _OPEN
        assert bare.step("open", 80, 81, 82)["advice"] == []
    finally:
        bare.run(_FLUSH)


def test_selinux_types_are_given_and_taken_back(bare: WalledHost) -> None:
    """By semanage, over the policy of the distribution; only that it is enforced is pretended."""
    listing = "semanage port -l -C -n"
    bare.run("semanage port -a -t mysqld_port_t -p tcp 85")
    bare.enforced = "1"
    try:
        before = bare.step("snapshot")
        done = bare.step("open", 80, 82, 85, 443)
        assert done["changed"]
        assert "port 85 had the type mysqld_port_t" in done["advice"][0]
        assert sorted(bare.run(listing).replace(",", "").split()) == ["82", "85", "http_port_t", "tcp"]
        assert not bare.step("open", 80, 82, 85)["changed"]
        bare.step("back")
        assert bare.step("snapshot") == before
    finally:
        bare.enforced = ""
