# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The range is never narrower than the present one, whatever is asked for."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.tcpops.timewait.plugins.plugin_utils._remediation.errors import RemediationError
from ansible_collections.tcpops.timewait.plugins.plugin_utils._remediation.wider_range import wider_range
from support.facts_factory import make_facts


def host(port_range: str = "32768 60999", **sysctls: Any) -> dict[str, Any]:
    return make_facts(sysctls={"ip_local_port_range": port_range, **sysctls})


@pytest.mark.parametrize(
    ("present", "low", "high", "wanted"),
    [
        ("32768 60999", 10240, 65535, (10240, 65535, 27064)),
        ("10240 65535", 10240, 65535, (10240, 65535, 0)),
        ("1024 65535", 10240, 65535, (1024, 65535, 0)),
        ("9000 40000", 10240, 50001, (9000, 50001, 10001)),
        ("32768 60999", 40000, 50001, (32768, 60999, 0)),
        # ends of the same parity: one port down, or one up where there is none below
        ("32768 60999", 20000, 60000, (20000, 60999, 12768)),
        ("32768 60999", 20001, 60999, (20000, 60999, 12768)),
        ("32768 60998", 1024, 60000, (1024, 60999, 31745)),
        ("1025 65535", 10240, 65535, (1024, 65535, 1)),
    ],
)
def test_it_holds_the_present_range_and_the_wanted_one(
    present: str, low: int, high: int, wanted: tuple[int, int, int]
) -> None:
    assert wider_range(host(present), low, high) == wanted


def test_it_begins_no_lower_than_the_kernel_takes() -> None:
    facts = host(ip_unprivileged_port_start=20000)
    assert wider_range(facts, 10240, 65535)[:2] == (20000, 65535)
    # the port below, which would make the parities differ, is not to be had either
    assert wider_range(host(ip_unprivileged_port_start=20001), 10240, 65535)[:2] == (20001, 65535)


@pytest.mark.parametrize(
    ("facts", "low", "high", "words"),
    [
        (host(), 80, 65535, "80 to 65535 is no range"),
        (host(), 50000, 40000, "50000 to 40000 is no range"),
        (host(), 40000, 40000, "40000 to 40000 is no range"),
        (host(), 10240, 65536, "10240 to 65536 is no range"),
        ({**host(), "namespaces": [{"label": "host"}]}, 10240, 65535, "present range is not in the facts"),
        (None, 10240, 65535, "not a dictionary"),
    ],
)
def test_what_cannot_be_worked_out_is_one_sentence(facts: object, low: int, high: int, words: str) -> None:
    with pytest.raises(RemediationError, match=words) as caught:
        wider_range(facts, low, high)
    assert "\n" not in str(caught.value)
