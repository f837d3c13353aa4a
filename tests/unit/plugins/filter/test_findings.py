# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter: dictionaries out, one sentence for thresholds that cannot be used, and documentation that is true."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from ansible.errors import AnsibleFilterError
from ansible_collections.tcpops.timewait.plugins.filter import findings as plugin
from support.facts_factory import make_facts, make_pool


def findings(*arguments: Any, **named: Any) -> list[dict[str, Any]]:
    return plugin.FilterModule().filters()["findings"](*arguments, **named)  # type: ignore[no-any-return]


def test_findings_are_dictionaries_that_carry_the_host() -> None:
    found = findings(make_facts(pools=[make_pool(used=28000)]), host="web1")
    assert [type(finding) for finding in found] == [dict, dict]
    assert (found[0]["id"], found[0]["host"]) == ("TW-POOL-003", "web1")


def test_thresholds_are_used() -> None:
    facts = make_facts(pools=[make_pool(used=20000)])
    assert findings(facts)[0]["id"] == "TW-POOL-001"
    assert findings(facts, {"pool_high": 0.6})[0]["id"] == "TW-POOL-002"
    assert findings(facts, None)[0]["id"] == "TW-POOL-001"


@pytest.mark.parametrize("thresholds", [{"nonsense": 1}, {"pool_high": "x"}, [1], {"pool_high": 0.1}])
def test_bad_thresholds_fail_with_one_sentence(thresholds: object) -> None:
    with pytest.raises(AnsibleFilterError, match=r"^tcpops\.timewait\.findings: [^\n]+$"):
        findings(make_facts(), thresholds)


def test_bad_facts_do_not_fail() -> None:
    assert [finding["state"] for finding in findings("garbage")] == ["error"]


def test_the_documentation_matches_the_signature() -> None:
    documented = yaml.safe_load(plugin.DOCUMENTATION)
    assert documented["name"] == "findings"
    assert set(documented["options"]) == {"_input", "thresholds", "host"}
    assert yaml.safe_load(plugin.EXAMPLES) and yaml.safe_load(plugin.RETURN)
