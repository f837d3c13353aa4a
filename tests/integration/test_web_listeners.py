# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ports added to forty configurations of HAProxy and Apache, seen by those of three Debian releases."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from tests.lab.listener_cases import APACHE, HAPROXY, Case
from tests.lab.listener_random import haproxy
from tests.lab.server_image import VOLUMES, image_of, shell

_SUITES = ("bullseye", "bookworm", "trixie")
_SEEDS = 25
_EVERY = HAPROXY + APACHE
#: since HAProxy 2.3 and 2.4
_NEW = re.compile(rb"tcp@|\.if 1")
#: addresses that the configurations name need not be there
_INSIDE = (
    'image=$1; shift; podman run --rm --interactive --network none --sysctl net.ipv4.ip_nonlocal_bind=1'
    ' "${@:1:8}" $image python3 -m tests.lab.listener_checks "${@:9}"'
)


@pytest.fixture(scope="module", params=_SUITES)
def seen(request: pytest.FixtureRequest) -> dict[str, Any]:
    """What the servers of a release made of every case."""
    image = image_of(request.param)
    done = shell(_INSIDE, image, *VOLUMES, str(_SEEDS))
    assert done.returncode == 0, done.stderr[-3000:]
    return {"suite": request.param, **json.loads(done.stdout)}


def addresses(sockets: list[list[Any]], port: int) -> list[str]:
    return [address for address, number in sockets if number == port]


@pytest.mark.parametrize("case", _EVERY, ids=[f"{case.server}-{case.name}" for case in _EVERY])
def test_the_server_takes_the_ports_and_listens_on_them(seen: dict[str, Any], case: Case) -> None:
    result = seen["results"][f"{case.server}/{case.name}"]
    if seen["suite"] in case.not_on:
        assert result["refused"], "this release takes it"
        return
    assert result["refused"] == ""
    assert result["refused_after"] == ""
    for when in ("original", "added"):
        sockets = {tuple(one) for one in result[when]["opened"]}
        certain = {tuple(one) for one in result[when]["expected"]}
        assert certain <= sockets <= certain | {tuple(one) for one in result[when]["perhaps"]}
    opened = {port: addresses(result["added"]["opened"], port) for port in (case.existing_port, *case.ports)}
    if case.name == "peers_and_resolvers":  # which have an address of the port for themselves
        opened[case.existing_port].remove("127.0.0.1")
    for port in case.ports:
        assert opened[port] == opened[case.existing_port] != []
        assert addresses(result["original"]["opened"], port) == []
    assert result["again"] == []
    assert result["edited"] > 0
    assert result["left"] == []


@pytest.mark.parametrize("case", APACHE, ids=[case.name for case in APACHE])
def test_a_new_port_has_the_virtual_hosts_of_the_old_one(seen: dict[str, Any], case: Case) -> None:
    hosts = seen["results"][f"{case.server}/{case.name}"]["hosts"]
    old = {place: chosen for place, chosen in hosts.items() if place.endswith(f":{case.existing_port}")}
    assert old, "the case has hosts"
    for place, chosen in old.items():
        for port in case.ports:
            assert hosts[place.rpartition(":")[0] + f":{port}"] == chosen


def test_the_servers_take_what_is_made_up(seen: dict[str, Any]) -> None:
    """Else the properties that the unit tests find in such configurations would mean nothing."""
    assert len(seen["made_up"]) == 2 * _SEEDS
    refused = {made for made, said in seen["made_up"].items() if said != ["", ""]}
    new = {f"haproxy/{seed}" for seed in range(_SEEDS) if _NEW.search(b"".join(haproxy(seed).files.values()))}
    assert refused == (new if seen["suite"] == "bullseye" else set())
