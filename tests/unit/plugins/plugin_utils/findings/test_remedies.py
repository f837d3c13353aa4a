# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A remedy names the role that does it for good, where there is one, on the host that it is for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.tcpops.timewait.plugins.plugin_utils._findings.evaluate import evaluate
from ansible_collections.tcpops.timewait.plugins.plugin_utils._findings.finding import Finding
from ansible_collections.tcpops.timewait.plugins.plugin_utils._findings.thresholds import DEFAULTS
from support.facts_factory import make_container, make_facts, make_namespace, make_pool, make_sysctls

ROLES = Path(__file__).resolve().parents[5] / "roles"


def find(facts: dict[str, Any], rule: str, host: str = "web1") -> Finding:
    (finding,) = (one for one in evaluate(host, facts, DEFAULTS) if one.id == rule)
    return finding


@pytest.mark.parametrize(
    ("rule", "facts", "role"),
    [
        ("TW-POOL-003", make_facts(pools=[make_pool(used=28000)]), "widen_port_range"),
        ("TW-SYS-001", make_facts(sysctls={"tcp_tw_recycle": 1}), "remove_tw_recycle"),
        ("TW-SYS-002", make_facts(sysctls={"tcp_tw_reuse": 1, "tcp_timestamps": 0}), "fix_timestamps"),
        ("TW-SYS-008", make_facts(sysctls={"tcp_max_tw_buckets": 5000}), "raise_tw_buckets"),
        ("TW-SYS-011", make_facts(sysctls={"tcp_timestamps": 0, "tcp_tw_reuse": 0}), "fix_timestamps"),
    ],
)
def test_the_command_comes_first_and_the_role_does_it_for_good(rule: str, facts: dict[str, Any], role: str) -> None:
    finding = find(facts, rule)
    assert str(finding.remedy).startswith("sysctl -w ")
    command = f"ansible-playbook tcpops.timewait.remediate --become --tags {role} --limit web1"
    assert str(finding.remedy_note).endswith(command)
    # the role writes the file
    assert "90-timewait.conf" not in str(finding.remedy_note)
    assert (ROLES / role / "tasks" / "main.yml").is_file()


@pytest.mark.parametrize(
    ("host", "shown"), [("", "--limit HOST"), ("web 1", "--limit 'web 1'"), ("a;reboot", "--limit 'a;reboot'")]
)
def test_the_host_is_quoted_for_the_shell(host: str, shown: str) -> None:
    assert str(find(make_facts(sysctls={"tcp_tw_recycle": 1}), "TW-SYS-001", host).remedy_note).endswith(shown)


def test_what_no_role_does_says_how_to_keep_it() -> None:
    note = str(find(make_facts(sysctls={"tcp_fin_timeout": 5}), "TW-SYS-009").remedy_note)
    assert "ansible-playbook" not in note
    assert "90-timewait.conf" in note


def test_another_namespace_is_no_matter_for_the_roles() -> None:
    container = make_container(sysctls=make_sysctls(tcp_timestamps=0))
    note = str(find(make_facts(namespaces=[make_namespace(), container]), "TW-SYS-002").remedy_note)
    assert "ansible-playbook" not in note
    assert "as long as this namespace does" in note
    blind = make_container(pools=[make_pool(used=28000)], sysctls=make_sysctls(ip_local_reserved_ports=...))
    note = str(find(make_facts(namespaces=[make_namespace(), blind]), "TW-POOL-003").remedy_note)
    assert "no command is proposed" in note
    assert "ansible-playbook" not in note


def test_more_listen_ports_are_a_role_without_a_command() -> None:
    finding = find(make_facts(pools=[make_pool("inbound", used=25000)]), "TW-POOL-005")
    assert finding.remedy is None
    assert str(finding.remedy_note).endswith("--tags add_listen_ports --limit web1")
    assert (ROLES / "add_listen_ports" / "tasks" / "main.yml").is_file()


def test_where_no_command_can_be_proposed_the_role_finds_out_by_itself() -> None:
    facts = make_facts(pools=[make_pool(used=28000)], sysctls={"ip_local_reserved_ports": ...})
    finding = find(facts, "TW-POOL-003")
    assert finding.remedy is None
    assert "--tags widen_port_range --limit web1" in str(finding.remedy_note)
