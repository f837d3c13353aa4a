# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Connections spread by HAProxy and nginx of three Debian releases, as those and the servers behind them see it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.lab.server_image import VOLUMES, image_of, shell
from tests.lab.spread_cases import CASES, Case
from tests.lab.spread_traffic import REUSE, TRAFFIC, Traffic

_SUITES = ("bullseye", "bookworm", "trixie")
_SEEDS = 8
#: of even
_WITHIN = 0.2
#: addresses that the configurations name need not be there
_INSIDE = (
    'image=$1; sysctl=$2; shift 2; timeout 300 podman run --rm --interactive --network none --sysctl "$sysctl"'
    ' "${@:1:8}" $image python3 -m tests.lab.spread_checks "${@:9}"'
)
_NONLOCAL = "net.ipv4.ip_nonlocal_bind=1"


def seen_by(suite: str, sysctl: str, *arguments: str) -> dict[str, Any]:
    done = shell(_INSIDE, image_of(suite), sysctl, *VOLUMES, *arguments)
    assert done.returncode == 0, done.stderr[-3000:]
    return {"suite": suite, **json.loads(done.stdout)}


@pytest.fixture(scope="module", params=_SUITES)
def cases(request: pytest.FixtureRequest) -> dict[str, Any]:
    """What the servers of a release made of every case."""
    return seen_by(request.param, _NONLOCAL, "cases", str(_SEEDS))


@pytest.fixture(scope="module", params=_SUITES)
def traffic(request: pytest.FixtureRequest) -> dict[str, Any]:
    """Which connections the servers of a release opened."""
    return seen_by(request.param, _NONLOCAL, "traffic")


@pytest.mark.parametrize("case", CASES, ids=[f"{case.server}-{case.name}" for case in CASES])
def test_the_server_takes_what_is_spread(cases: dict[str, Any], case: Case) -> None:
    result = cases["results"][f"{case.server}/{case.name}"]
    if cases["suite"] in case.not_on:
        assert result["refused"], "this release takes it"
        return
    assert result["refused"] == ""
    assert result["refused_after"] == ""
    assert result["edited"] > 0
    assert result["left"] == []
    if case.server == "haproxy":
        before, after = result["ids"]
        # sticky entries and hashes go by them
        assert {name: after[name] for name in before} == before
        assert len(after) > len(before)


def test_the_servers_take_what_is_made_up(cases: dict[str, Any]) -> None:
    """Else the properties that the unit tests find in such configurations would mean nothing."""
    assert len(cases["made_up"]) == 2 * _SEEDS
    assert {made: said for made, said in cases["made_up"].items() if said != ["", ""]} == {}


@pytest.mark.parametrize("one", TRAFFIC, ids=[one.name for one in TRAFFIC])
def test_connections_come_from_everywhere_and_go_everywhere(traffic: dict[str, Any], one: Traffic) -> None:
    result = traffic["spread"][one.name]
    assert result["failed"] == 0
    counts = {tuple(key): count for *key, count in result["connections"]}
    assert sorted(counts) == sorted(map(tuple, result["wanted"]))
    total = sum(counts.values())
    assert total < one.requests if one.reused else total == one.requests
    even = total / len(counts)
    assert {key: count for key, count in counts.items() if abs(count - even) > _WITHIN * even} == {}


@pytest.mark.parametrize("one", REUSE, ids=[one.name for one in REUSE])
def test_what_is_found_is_what_keeps_connections_from_being_used_again(traffic: dict[str, Any], one: Traffic) -> None:
    result = traffic["reuse"][one.name]
    reason = one.name.partition(",")[0].partition(" ")[2]
    assert result["reasons"] == ([reason] if reason else [])
    if reason == "never":
        assert result["connections"] == result["clients"]
    elif reason:
        assert result["connections"] == result["requests"]
    else:
        # HAProxy gives the first request of a client no connection that was not used again before
        assert result["connections"] <= result["clients"]


@pytest.mark.parametrize("suite", _SUITES)
def test_both_servers_leave_the_port_to_connect(suite: str) -> None:
    """Seen in the ports that they have: as many as connect() can give, and of its parity. A client that binds the
    port has none left for a second server port.
    """
    few = seen_by(suite, "net.ipv4.ip_local_port_range=40000 40003", "ports", "8")
    many = seen_by(suite, "net.ipv4.ip_local_port_range=40000 40999", "ports", "60")
    for server in ("haproxy", "nginx"):
        assert few[server]["answered"] == 8
        assert few[server]["connections"] == {"127.0.0.1:9001": 4, "127.0.0.1:9002": 4}
        assert few[server]["judged"][0] is True
        assert many[server]["judged"][0] is True
        assert many[server]["judged_by_parity"][0] is True
    assert few["plain"]["answered"] == 4
    assert few["plain"]["judged"][0] is None
    assert many["plain"]["judged"][0] is False
