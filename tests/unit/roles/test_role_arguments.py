# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Argument specs, defaults and tasks of each role name the same variables, with the same values."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

ROOT = Path(__file__).resolve().parents[3]
ROLES = sorted(path.name for path in (ROOT / "roles").iterdir())
SHORT = {
    "add_client_addresses": "client",
    "add_listen_ports": "listen",
    "add_server_addresses": "server",
    "fix_timestamps": "timestamps",
    "raise_tw_buckets": "buckets",
    "remove_tw_recycle": "recycle",
    "set_tw_reuse": "reuse",
    "spread_over_ports": "spread",
    "widen_port_range": "widen",
}
#: variables that mean the same in every role that has them
SHARED = {
    "timewait_addresses_count",
    "timewait_addresses_free_range",
    "timewait_addresses_install",
    "timewait_addresses_interface",
    "timewait_addresses_list",
    "timewait_addresses_state",
    "timewait_addresses_wait",
    "timewait_conflicts",
    "timewait_journal_keep",
    "timewait_spread_backend",
    "timewait_spread_despite_reuse",
    "timewait_spread_server",
    "timewait_spread_watch",
}
#: what a fleet is to bear, and not how a role does it
GOALS = {"timewait_target_rate"}
_VARIABLE = re.compile(r"(?<![\w.])(?:__)?timewait_\w+")
#: attributes and modules of the same prefix that are no variables
_NO_VARIABLE = {"timewait_facts"}


def read(role: str, path: str) -> Any:
    return yaml.safe_load((ROOT / "roles" / role / path).read_text(encoding="utf-8"))


def spec_of(role: str) -> dict[str, Any]:
    specs = read(role, "meta/argument_specs.yml")["argument_specs"]
    assert list(specs) == ["main"]
    return dict(specs["main"])


def used_in(role: str, *folders: str) -> set[str]:
    paths = [path for folder in folders for path in (ROOT / "roles" / role / folder).glob("*.yml")]
    texts = [path.read_text(encoding="utf-8") for path in paths]
    return {name for text in texts for name in _VARIABLE.findall(text)} - _NO_VARIABLE


def test_every_role_is_looked_at() -> None:
    assert sorted(SHORT) == ROLES


@pytest.mark.parametrize("role", ROLES)
def test_defaults_are_those_of_the_argument_specs(role: str) -> None:
    specified = {name: option["default"] for name, option in spec_of(role)["options"].items()}
    assert specified == read(role, "defaults/main.yml")


@pytest.mark.parametrize("role", ROLES)
def test_defaults_pass_their_own_specs(role: str) -> None:
    result = ArgumentSpecValidator(spec_of(role)["options"]).validate(read(role, "defaults/main.yml"))
    assert result.error_messages == []
    assert result.validated_parameters == read(role, "defaults/main.yml")


@pytest.mark.parametrize("role", ROLES)
def test_variables_are_named_after_their_role(role: str) -> None:
    own = f"timewait_{SHORT[role]}_"
    assert {name for name in spec_of(role)["options"] if not name.startswith(own)} <= SHARED | GOALS
    internal = used_in(role, "tasks", "vars") - set(spec_of(role)["options"])
    assert {name for name in internal if not name.startswith(f"__{own}")} == set()


@pytest.mark.parametrize("role", ROLES)
def test_every_variable_is_read(role: str) -> None:
    assert set(spec_of(role)["options"]) <= used_in(role, "tasks", "vars")
    given = set(read(role, "vars/main.yml"))
    assert given <= used_in(role, "tasks") | used_in(role, "vars")


def test_shared_variables_are_the_same_everywhere() -> None:
    for name in SHARED:
        options = [spec_of(role)["options"][name] for role in ROLES if name in spec_of(role)["options"]]
        assert len(options) > 1
        assert all(option == options[0] for option in options)


@pytest.mark.parametrize("role", ROLES)
def test_every_option_says_what_it_is(role: str) -> None:
    spec = spec_of(role)
    assert spec["short_description"] == read(role, "meta/main.yml")["galaxy_info"]["description"]
    for option in spec["options"].values():
        assert option["type"] and option["description"]
        assert option["type"] != "list" or option["elements"]


@pytest.mark.skipif(not (ROOT / "tools").is_dir(), reason="not a source tree")
def test_the_readmes_are_up_to_date() -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "tools" / "generate_role_readmes.py"), "--check"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
