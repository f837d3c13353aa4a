# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What more listen ports are for: each gives a client of 1000 ports another 1000 connections to the server."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab import facts, web_services
from tests.lab.container import Container
from tests.lab.namespaces import Lab, Namespace, lab
from tests.lab.oracle import wait_for

_CLIENT = str(Path(__file__).resolve().parents[1] / "lab" / "until_failure.py")
_ADDRESS = "10.79.0.1"
_RANGE = "20000 20999"


@pytest.fixture(scope="module")
def made() -> Iterator[Lab]:
    if os.geteuid():
        pytest.skip("containers with their own network need root")
    with lab() as one:
        yield one


@pytest.fixture(scope="module")
def server(made: Lab) -> Iterator[Container]:
    one = Container("trixie", made.namespace())
    try:
        web_services.install(one)
        yield one
    finally:
        one.remove()


@pytest.fixture
def client(made: Lab, server: Container) -> Iterator[Namespace]:
    """A host with 1000 ports and nothing in TIME-WAIT, linked to the server."""
    one = made.namespace(ip_local_port_range=_RANGE, tcp_tw_reuse=0)
    made.veth(server.namespace, f"{_ADDRESS}/24", one, "10.79.0.2/24")
    yield one
    made.remove(one)


def until_failure(client: Namespace, closer: str, most: int, ports: list[int]) -> tuple[int, str]:
    said = client.run(sys.executable, _CLIENT, closer, str(most), _ADDRESS, *map(str, ports), seconds=300)
    number, error = said.split()
    return int(number), error


@pytest.mark.parametrize("count", [0, 1, 3], ids=["1-port", "2-ports", "4-ports"])
@pytest.mark.parametrize("closer", ["client", "server"])
def test_each_port_is_worth_a_thousand_connections(
    server: Container, client: Namespace, closer: str, count: int
) -> None:
    ports = [80]
    if count:
        done = server.module("listen_ports", existing_port=80, count=count)
        ports = done["after"]["ports"]
        # a worker that is told to end may take one connection more, and is the first to close it
        wait_for(lambda: server.run("pgrep", "--count", "--full", "^nginx: worker").strip() == "1")
    assert len(ports) == count + 1
    assert until_failure(client, closer, 5000, ports) == (1000 * len(ports), "EADDRNOTAVAIL")
    if closer == "client":
        predicted = facts.by_module(client)["namespaces"][0]
        pools = [one for one in predicted["pools"] if one["direction"] == "outbound"]
        assert sorted(one["remote_port"] for one in pools) == ports
        assert sum(one["capacity"] for one in pools) == 1000 * len(ports)
        assert {one["used"] for one in pools} == {1000}
    server.module("listen_ports", server="nginx", existing_port=80, state="absent")


def test_a_server_that_closes_first_bars_no_port_of_its_client(server: Container, client: Namespace) -> None:
    """Its TIME-WAIT takes a new SYN of the same quadruplet (``tcp_timewait_state_process``), so that nothing runs out
    as long as the client closes too: the thousand is what the server holds."""
    assert until_failure(client, "both", 1500, [80]) == (1500, "none")
    held = server.module("timewait_facts", gather_subset=["census"])["ansible_facts"]["timewait"]["namespaces"][0]
    used = [one["used"] for one in held["pools"] if (one["direction"], one["local_port"]) == ("inbound", 80)]
    assert json.dumps(used) and max(used) <= 1000
