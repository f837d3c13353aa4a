# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""No place is forgotten that the readers of configuration look at."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.tcpops.timewait.plugins.module_utils._files import Files
from ansible_collections.tcpops.timewait.plugins.module_utils._listeners.haproxy import invocation as haproxy
from ansible_collections.tcpops.timewait.plugins.module_utils._listeners.nginx import invocation as nginx
from ansible_collections.tcpops.timewait.plugins.module_utils._proxies_there import may_be_there

_UNITS = [haproxy.UNIT, *nginx.UNITS]
_MAINS = [*haproxy._USUAL, *(main for main, _program in nginx._USUAL)]


def test_neither(tmp_path: Path) -> None:
    (tmp_path / "etc" / "nginx").mkdir(parents=True)
    assert not may_be_there(Files(str(tmp_path)))


@pytest.mark.parametrize(
    "path",
    [*_MAINS, *(f"{folder}/{unit}" for unit in _UNITS for folder in ("/etc/systemd/system", "/lib/systemd/system"))],
)
def test_each_place_alone(tmp_path: Path, path: str) -> None:
    place = tmp_path / path.lstrip("/")
    place.parent.mkdir(parents=True)
    place.write_text("")
    assert may_be_there(Files(str(tmp_path)))
