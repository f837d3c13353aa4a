# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""In which order transactions are taken back. Nothing is read of the host: all states are pretended."""

from __future__ import annotations

from ansible_collections.tcpops.timewait.plugins.module_utils._transaction.address_target import (
    AddressState,
    AddressTarget,
)
from ansible_collections.tcpops.timewait.plugins.module_utils._transaction.changes import (
    Change,
    Command,
    Entry,
    Planned,
    States,
)
from ansible_collections.tcpops.timewait.plugins.module_utils._transaction.file_state import ABSENT, FileState
from ansible_collections.tcpops.timewait.plugins.module_utils._transaction.rollback import Plan, plan_rollback
from ansible_collections.tcpops.timewait.plugins.module_utils._transaction.targets import FileTarget

_ADDRESS = AddressTarget("tw-none", "192.0.2.77/32")
_NETWORK, _PROXY = FileTarget("/nowhere/network"), FileTarget("/nowhere/proxy")
_THERE, _GONE = AddressState(True, "boot"), AddressState(False, "boot")
_RELOAD = ("reload", "proxy")


def _file(content: bytes) -> FileState:
    return FileState("file", content, 0o644, 0, 0, (), 1)


def _entry(number: int, module: str, *steps: Planned) -> Entry:
    return Entry(f"2026010{number}T000000.000000Z", "change", "committed", module, "", "", "", (), None, None, steps)


_ADDED = _entry(1, "ip_addresses", Change(_NETWORK, ABSENT, _file(b"new")), Change(_ADDRESS, _GONE, _THERE))
_USED = _entry(
    2, "spread_connections", Change(_PROXY, _file(b"one"), _file(b"two")), Command(_RELOAD, _RELOAD, 60)
)
_REMOVED = _entry(3, "ip_addresses", Change(_ADDRESS, _THERE, _GONE))


def _plan(entries: list[Entry], *undone: Entry, force: bool = False) -> Plan:
    states = States()
    for entry in entries:
        for change in entry.changes:
            states.pretend(change.target, change.after)
    return plan_rollback(entries, [one.id for one in undone], states, force)


def _order(plan: Plan) -> list[str]:
    return [step.argv[0] if isinstance(step, Command) else step.target.name for step in plan.steps]


def _address(plan: Plan) -> AddressState:
    (found,) = [step.after for step in plan.steps if isinstance(step, Change) and step.target == _ADDRESS]
    assert isinstance(found, AddressState)
    return found


def test_an_address_goes_after_those_who_use_it_were_told() -> None:
    plan = _plan([_ADDED, _USED], _ADDED, _USED)
    assert _order(plan) == ["/nowhere/proxy", "/nowhere/network", "reload", "192.0.2.77/32 on tw-none"]
    assert (_address(plan).wait > 0, _address(plan).settling) == (True, True)


def test_alone_nobody_was_told_anything() -> None:
    plan = _plan([_ADDED], _ADDED)
    assert _order(plan) == ["/nowhere/network", "192.0.2.77/32 on tw-none"]
    assert (_address(plan).wait > 0, _address(plan).settling) == (True, False)


def test_force_waits_for_nobody() -> None:
    assert _address(_plan([_ADDED, _USED], _ADDED, _USED, force=True)).wait == 0


def test_an_address_comes_back_before_those_who_use_it_are_told() -> None:
    unused = _entry(
        2, "spread_connections", Change(_PROXY, _file(b"two"), _file(b"one")), Command(_RELOAD, _RELOAD, 60)
    )
    plan = _plan([unused, _REMOVED], unused, _REMOVED)
    assert _order(plan) == ["192.0.2.77/32 on tw-none", "/nowhere/proxy", "reload"]
    assert _address(plan).wait == 0
