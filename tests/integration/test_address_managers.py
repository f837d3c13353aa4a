# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module ip_addresses on hosts whose interface is managed, each by something else."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from tests.lab import managed_host
from tests.lab.container import MODULES
from tests.lab.managed_host import ManagedHost
from tests.lab.namespaces import lab

_NEW = ["10.77.0.70/32", "fd77::70/128"]
_ADDRESSES = ["10.77.0.70", "fd77::70"]
_SECONDS = 30


@pytest.fixture(scope="module", params=managed_host.EVERY, ids=lambda one: one.id)
def shared(request: pytest.FixtureRequest) -> Iterator[ManagedHost]:
    if os.geteuid():
        pytest.skip("containers with their own network need root")
    with lab() as made:
        one = ManagedHost(made, request.param)
        try:
            yield one
        finally:
            one.remove()


@pytest.fixture
def host(shared: ManagedHost) -> Iterator[ManagedHost]:
    """The host, and afterwards as it was before: files byte for byte, addresses, routes and sources."""
    files, addresses, routes, sources = shared.files(), describe(shared), shared.routes(), shared.sources()
    yield shared
    shared.module("rollback", all=True)
    assert describe(shared) == addresses
    assert shared.routes() == routes
    assert shared.sources() == sources
    assert shared.files() == files


def describe(host: ManagedHost) -> dict[str, tuple[Any, ...]]:
    kinds = ("scope", "label", "deprecated", "temporary", "broadcast")
    return {text: tuple(one.get(kind) for kind in kinds) for text, one in host.addresses().items()}


def ask(host: ManagedHost, **more: Any) -> dict[str, Any]:
    answer = host.module("ip_addresses", **{"interface": "eth0", "addresses": _ADDRESSES, **more})
    assert not answer.get("failed"), answer
    return answer


def has_all(host: ManagedHost) -> None:
    """Whether it has the new addresses and its own, and no traffic comes from the new ones."""
    addresses = host.addresses()
    assert addresses.keys() == {*_NEW, *managed_host.OWN}
    assert addresses["fd77::70/128"].get("deprecated")
    assert not {"10.77.0.70", "fd77::70"} & set(host.sources().values()), host.sources()


def test_addresses_come_and_go(host: ManagedHost) -> None:
    """Each state four times: check, real, check, real."""
    files, addresses, sources = host.files(), describe(host), host.sources()
    promised = ask(host, check=True)
    assert (promised["changed"], promised["added"], promised["transaction"]) == (True, _NEW, None), promised
    assert (host.files(), describe(host)) == (files, addresses)
    done = ask(host)
    assert (done["changed"], done["added"], done["chosen"]) == (True, _NEW, _ADDRESSES), done
    assert done["diff"] == promised["diff"]
    assert (done["manager"]["name"], done["manager"]["path"]) == (host.managed.name, host.managed.ours[0])
    has_all(host)
    assert host.sources() == sources
    for path in host.managed.ours:
        assert "77" in host.read(path)
    after = host.files(), describe(host)
    for check in (True, False):
        again = ask(host, check=check)
        assert (again["changed"], again["added"], again["chosen"]) == (False, [], _ADDRESSES), again
    assert (host.files(), describe(host)) == after
    assert ask(host, state="absent", check=True)["removed"] == _NEW
    assert (host.files(), describe(host)) == after
    gone = ask(host, state="absent")
    assert (gone["changed"], sorted(gone["removed"])) == (True, _NEW), gone
    assert (host.files(), describe(host)) == (files, addresses)
    assert not ask(host, state="absent")["changed"]


def kill_in_the_middle(host: ManagedHost) -> None:
    """While the kernel looks for duplicates: addresses and files are there, and nothing is committed."""
    running = subprocess.Popen(
        host.argv("python3", f"{MODULES}/ip_addresses.py"), stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
    )
    options = {"interface": "eth0", "addresses": _ADDRESSES, "detect_duplicates": False}
    assert running.stdin
    running.stdin.write(json.dumps({"ANSIBLE_MODULE_ARGS": options}))
    running.stdin.close()
    host.wait_for(lambda: set(_NEW) <= host.addresses().keys() and "77" in host.read_all(host.managed.ours))
    host.run("pkill", "-KILL", "-f", "modules/ip_addresses.py")
    assert running.wait(_SECONDS)


def test_addresses_last(host: ManagedHost) -> None:
    """Over a kill, a restart of the network service and of the host, and what was taken back does not come again."""
    addresses, files = describe(host), host.files()
    kill_in_the_middle(host)
    assert host.files() != files
    back = host.module("rollback")
    assert [one["action"] for one in back["recovered"]] == ["undone"], back
    assert (describe(host), host.files()) == (addresses, files)
    # the kernel asks nobody from now on, until the interface is a new one
    host.namespace.set_sysctls({"ipv6/conf/eth0/dad_transmits": 0})
    ask(host, detect_duplicates=False)
    taken_off = host.restart_network()
    assert not (host.managed.keeps and taken_off), taken_off
    host.wait_for(lambda: set(_NEW) <= host.addresses().keys())
    has_all(host)
    assert not ask(host)["changed"]
    host.boot_again()
    host.wait_for(lambda: set(_NEW) <= host.addresses().keys())
    has_all(host)
    assert not ask(host)["changed"]
    back = host.module("rollback", all=True)
    assert back["changed"], back
    assert describe(host) == addresses
    host.restart_network()
    assert describe(host) == addresses
    assert not set(_NEW) & set(ask(host, state="absent")["before"]["addresses"])
