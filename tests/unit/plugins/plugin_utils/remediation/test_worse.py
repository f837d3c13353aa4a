# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What counts as worse between two looks at a host, and what does not."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.tcpops.timewait.plugins.plugin_utils._findings.evaluate import evaluate
from ansible_collections.tcpops.timewait.plugins.plugin_utils._findings.thresholds import DEFAULTS
from ansible_collections.tcpops.timewait.plugins.plugin_utils._remediation.errors import RemediationError
from ansible_collections.tcpops.timewait.plugins.plugin_utils._remediation.worse import worse
from support.facts_factory import make_container, make_facts, make_namespace, make_pool


def judged(facts: object) -> list[dict[str, Any]]:
    return [finding.as_dict() for finding in evaluate("web1", facts, DEFAULTS)]


def with_pools(*used: int, **sysctls: Any) -> list[dict[str, Any]]:
    pools = [make_pool(used=one, capacity=10000, remote_port=80 + at) for at, one in enumerate(used)]
    return judged(make_facts(pools=pools, sysctls=sysctls))


def reasons(before: object, after: object, **options: Any) -> list[str]:
    return [change.reason for change in worse(before, after, **options)]


@pytest.mark.parametrize("used", [[], [5000], [9500, 8000, 100]])
def test_the_same_findings_are_not_worse(used: list[int]) -> None:
    assert reasons(with_pools(*used), with_pools(*used)) == []


@pytest.mark.parametrize(("before", "after"), [(9600, 8500), (8500, 5500), (9600, 100), (9999, 9500)])
def test_a_pool_that_got_emptier_is_not_worse(before: int, after: int) -> None:
    assert reasons(with_pools(before), with_pools(after)) == []


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        (100, 5000, "new: TW-POOL-001 MEDIUM on 10.0.0.1 -> 10.0.0.2:80: used 5000 of 10000"),
        (5000, 8000, "was TW-POOL-001 MEDIUM: TW-POOL-002 HIGH on 10.0.0.1 -> 10.0.0.2:80"),
        (7900, 9500, "was TW-POOL-001 MEDIUM: TW-POOL-003 CRITICAL"),
        (5000, 6000, "weight 0.50 -> 0.60: TW-POOL-001 MEDIUM"),
    ],
)
def test_a_pool_that_got_fuller_is(before: int, after: int, words: str) -> None:
    (reason,) = reasons(with_pools(before), with_pools(after))
    assert words in reason


def test_a_little_more_of_the_same_is_not() -> None:
    assert reasons(with_pools(5000), with_pools(5999)) == []
    assert len(reasons(with_pools(5000), with_pools(5200), margin=0.02)) == 1


def test_another_pool_is_another_case() -> None:
    (reason,) = reasons(with_pools(9600, 100), with_pools(100, 5000))
    assert reason.startswith("new: TW-POOL-001 MEDIUM on 10.0.0.1 -> 10.0.0.2:81")


def test_another_namespace_is_another_case() -> None:
    full, empty = [make_pool(used=28000)], [make_pool(used=1)]
    before = judged(make_facts(namespaces=[make_namespace(full), make_container(pools=empty)]))
    after = judged(make_facts(namespaces=[make_namespace(empty), make_container(pools=full)]))
    assert [change.after["namespace"] for change in worse(before, after)] == ["0123456789ab"]


def test_a_value_in_the_subject_does_not_make_it_another_case() -> None:
    same_parity = {"ip_local_port_range": "32768 61000"}
    wider = {"ip_local_port_range": "1025 65535"}
    assert reasons(with_pools(**same_parity), with_pools(**wider), least="LOW") == []


def test_severities_below_the_least_do_not_count() -> None:
    before, after = with_pools(), with_pools(tcp_rfc1337=1)
    assert reasons(before, after) == []
    assert len(reasons(before, after, least="LOW")) == 1


def test_a_rule_that_cannot_be_judged_any_more_is_worse() -> None:
    blind = make_facts()
    del blind["namespaces"][0]["counters"]
    found = reasons(judged(make_facts()), judged(blind))
    assert {reason.split(" ", 1)[0] for reason in found} == {"TW-SYS-006", "TW-KERN-002"}
    assert all("cannot be judged any more" in reason for reason in found)
    assert reasons(judged(blind), judged(blind)) == []


def test_facts_that_are_none_any_more_are_worse() -> None:
    (reason,) = reasons(judged(make_facts()), judged("garbage"))
    assert reason.startswith("TW-FACTS-001 cannot be judged any more")


@pytest.mark.parametrize(
    ("before", "after", "options", "words"),
    [
        ({}, [], {}, "given as before"),
        ([], [{"id": "x"}], {}, "given as after"),
        ([], ["x"], {}, "given as after"),
        ([], [], {"least": "BAD"}, "severity 'BAD' is none of INFO"),
        ([], [], {"margin": 0}, "margin of 0 "),
        ([], [], {"margin": 2}, "margin of 2 "),
    ],
)
def test_what_makes_no_sense_is_one_sentence(before: object, after: object, options: Any, words: str) -> None:
    with pytest.raises(RemediationError, match=words) as caught:
        worse(before, after, **options)
    assert "\n" not in str(caught.value)
