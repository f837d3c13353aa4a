# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filters that remedies use: plain data out, one sentence for what makes no sense, documentation that is true."""

from __future__ import annotations

import inspect
from types import ModuleType
from typing import Any

import pytest
import yaml
from ansible.errors import AnsibleFilterError
from ansible_collections.tcpops.timewait.plugins.filter import bucket_limit, reuse_edits, wider_range, worse_findings
from support.facts_factory import make_facts

PLUGINS = (bucket_limit, reuse_edits, wider_range, worse_findings)


def names(plugin: ModuleType) -> str:
    return plugin.__name__.rpartition(".")[2]


def use(plugin: ModuleType, *arguments: Any, **named: Any) -> Any:
    return plugin.FilterModule().filters()[names(plugin)](*arguments, **named)


def test_they_give_plain_data() -> None:
    assert use(bucket_limit, make_facts())["wanted"] == 131072
    assert use(wider_range, make_facts(), "10240", 65535) == {"low": 10240, "high": 65535, "gained": 27064}
    critical = {"id": "TW-POOL-003", "severity": "CRITICAL", "state": "fail", "subject": "x", "evidence": ["full"]}
    (change,) = use(worse_findings, [], [critical])
    assert change == {"before": None, "after": critical, "reason": "new: TW-POOL-003 CRITICAL on x: full"}


def test_lines_are_those_of_one_backend_and_of_one_server_where_it_is_named() -> None:
    one = {"server": "nginx", "path": "/a", "line": 1, "backend": "app"}
    one |= {"reason": "no-keepalive", "change": "keepalive 32;"}
    never = {**one, "server": "haproxy", "path": "/b", "reason": "closed", "change": ""}
    facts = make_facts(connection_reuse=[one, never, {**one, "backend": "another"}])
    nginx = "/a:1: connections of app: the upstream keeps no idle connections; write keepalive 32;"
    haproxy = "/b:1: connections of app: the connection is closed after each response; take it away"
    assert use(reuse_edits, facts, "app") == [nginx, haproxy]
    assert use(reuse_edits, facts, "app", "nginx") == [nginx]
    assert use(reuse_edits, facts, "none") == []
    del facts["connection_reuse"]
    assert use(reuse_edits, facts, "app") == []


def test_what_was_not_seen_of_a_server_is_told_unless_the_other_one_is_named() -> None:
    nginx, many = "nginx: /etc/nginx/nginx.conf:3: no }.", "300 lines are more than are told: the first 200"
    gaps = [{"what": "connection_reuse", "reason": reason} for reason in (nginx, many)]
    facts = make_facts(connection_reuse=[], unavailable=[*gaps, {"what": "census", "reason": "nginx: no"}])
    told = [f"whether connections of app are used again was not seen: {why}" for why in (nginx[:-1], many)]
    assert use(reuse_edits, facts, "app") == use(reuse_edits, facts, "app", "nginx") == told
    assert use(reuse_edits, facts, "app", "haproxy") == told[1:]


@pytest.mark.parametrize(
    ("plugin", "arguments"),
    [
        (reuse_edits, ("garbage", "app")),
        (bucket_limit, ("garbage",)),
        (bucket_limit, (make_facts(), "much")),
        (bucket_limit, (make_facts(), None)),
        (wider_range, (make_facts(), 5, 4)),
        (wider_range, (make_facts(), "low", 4)),
        (worse_findings, (None, [])),
        (worse_findings, ([], [], "BAD")),
    ],
)
def test_bad_input_fails_with_one_sentence(plugin: ModuleType, arguments: tuple[Any, ...]) -> None:
    with pytest.raises(AnsibleFilterError, match=rf"^tcpops\.timewait\.{names(plugin)}: [^\n]+$"):
        use(plugin, *arguments)


@pytest.mark.parametrize("plugin", PLUGINS, ids=names)
def test_the_documentation_matches_the_signature(plugin: ModuleType) -> None:
    documented = yaml.safe_load(plugin.DOCUMENTATION)
    assert documented["name"] == names(plugin)
    parameters = list(inspect.signature(plugin.FilterModule().filters()[names(plugin)]).parameters.values())
    assert list(documented["options"]) == ["_input", *(one.name for one in parameters[1:])]
    for parameter in parameters[1:]:
        option = documented["options"][parameter.name]
        if parameter.default is inspect.Parameter.empty:
            assert option["required"]
        else:
            assert option["default"] == parameter.default
    assert yaml.safe_load(plugin.EXAMPLES) and yaml.safe_load(plugin.RETURN)
