# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Integration tests need root, for network namespaces; without it they are skipped, and say so."""

from __future__ import annotations

import os
import shutil
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

_ROOT = Path(__file__).resolve().parents[2]
for _path in (str(_ROOT), str(_ROOT / ".cache")):  # the collection is linked in there by `make setup`
    if _path not in sys.path:
        sys.path.insert(0, _path)

from tests.lab.namespaces import Lab, Namespace, lab  # noqa: E402
from tests.lab.traffic import Traffic  # noqa: E402

#: files that take minutes, longest first
_LONGEST = (
    "test_quadruplets.py",
    "test_roles.py",
    "test_remediate.py",
    "test_address_managers.py",
    "test_socket_listeners.py",
    "test_spread_module.py",
    "test_history.py",
    "test_web_listeners.py",
    "test_add_listen_ports.py",
    "test_firewalls.py",
)


def pytest_configure() -> None:
    """To be told to end is as being interrupted: fixtures take away what they made."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """They begin first, so that no process is alone with one of them at the end."""
    items.sort(key=lambda item: _LONGEST.index(item.path.name) if item.path.name in _LONGEST else len(_LONGEST))


@pytest.fixture(name="made")
def fixture_made() -> Iterator[Lab]:
    """A lab for one test."""
    if os.geteuid():
        pytest.skip("network namespaces need root")
    missing = [name for name in ("ip", "ss", "setpriv", "unshare") if not shutil.which(name)]
    if missing:
        pytest.skip(f"missing: {' '.join(missing)} (apt-get install iproute2 util-linux)")
    with lab() as one:
        yield one


@pytest.fixture
def namespace(made: Lab) -> Namespace:
    """A namespace in which no TIME-WAIT is reused, so that what is made stays."""
    return made.namespace(tcp_tw_reuse=0)


@pytest.fixture
def traffic(made: Lab) -> Traffic:
    return Traffic(made)
