# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An address that a rollback takes away goes once nobody opens connections from it any more."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Iterator

import pytest
from ansible_collections.tcpops.timewait.plugins.module_utils._transaction.address_target import AddressTarget
from ansible_collections.tcpops.timewait.plugins.module_utils._transaction.errors import TransactionError

from tests.lab.facts import ROOT
from tests.lab.namespaces import Namespace, ip

_ADDRESS, _OWN = "10.77.0.70", "10.77.0.10"


@pytest.fixture
def target(namespace: Namespace) -> AddressTarget:
    for address in (f"{_OWN}/32", f"{_ADDRESS}/32"):
        ip("-n", namespace.name, "address", "add", address, "dev", "lo")
    return AddressTarget("lo", f"{_ADDRESS}/32", namespace.path)


@contextlib.contextmanager
def opening(namespace: Namespace, seconds: float, how: str) -> Iterator[subprocess.Popen[str]]:
    """Somebody who opens connections from the address meanwhile."""
    command = namespace.argv(sys.executable, "-m", "tests.lab.opening", _ADDRESS, _OWN, str(seconds), how)
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            assert process.stdout.readline() == "open\n"
            yield process
        finally:
            process.kill()


def failures(process: subprocess.Popen[str]) -> int:
    assert process.stdout
    return int(process.stdout.readline())


def go(target: AddressTarget, wait: int, settling: bool = True) -> None:
    found = target.read()
    assert found.there
    target.put(found, found._replace(there=False, wait=wait, settling=settling))


@pytest.mark.parametrize("how", ["closed", "reset"])
def test_it_waits_for_the_last_connection(namespace: Namespace, target: AddressTarget, how: str) -> None:
    with opening(namespace, 3, how) as process:
        go(target, 30)
        assert process.poll() == 0, "it did not wait until the end"
        assert failures(process) == 0
    assert not target.read().there


def test_it_gives_up_when_there_is_no_end(namespace: Namespace, target: AddressTarget) -> None:
    with opening(namespace, 30, "closed"):
        with pytest.raises(TransactionError, match=r"10\.77\.0\.70/32 .* is still used by connections .* after 3 s"):
            go(target, 3)
        assert target.read().there


def test_nobody_is_waited_for_where_there_is_no_trace_of_anybody(namespace: Namespace, target: AddressTarget) -> None:
    # so short that it would not be over
    go(target, 1, settling=False)
    assert not target.read().there


def test_force_takes_it_away_at_once(namespace: Namespace, target: AddressTarget) -> None:
    with opening(namespace, 3, "closed") as process:
        go(target, 0)
        assert not target.read().there
        process.wait(20)
        assert failures(process) > 0
