# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The callback: progress that suits the output, one safe line per failure, the block last."""

from __future__ import annotations

import io
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.tcpops.timewait.plugins.callback.audit import (
    GATHER,
    REPORT,
    CallbackModule,
    Progress,
)


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_log_gets_a_line_every_tenth() -> None:
    out = io.StringIO()
    progress = Progress(out, 200, Clock())
    for _host in range(200):
        progress.step()
    lines = out.getvalue().splitlines()
    assert lines[0] == "Audited 20 of 200 hosts"
    assert lines[-1] == "Audited 200 of 200 hosts"
    assert len(lines) == 10
    assert "\033" not in out.getvalue()


def test_a_log_gets_a_line_every_ten_seconds() -> None:
    out, clock = io.StringIO(), Clock()
    progress = Progress(out, 1000, clock)
    for _host in range(4):
        clock.now += 5
        progress.step()
    assert out.getvalue().splitlines() == ["Audited 2 of 1000 hosts", "Audited 4 of 1000 hosts"]


def test_a_terminal_gets_one_line_that_changes() -> None:
    out, clock = Terminal(), Clock()
    progress = Progress(out, 3, clock)
    for _host in range(3):
        clock.now += 1
        progress.step()
    assert out.getvalue() == "".join(f"\r\033[KAudited {n} of 3 hosts" for n in (1, 2, 3))
    progress.clear()
    assert out.getvalue().endswith("\r\033[K")


class Display:
    verbosity = 0
    columns = 79

    def __init__(self) -> None:
        self.lines: list[str] = []

    def display(self, msg: str, **_options: Any) -> None:
        self.lines.append(msg)

    def banner(self, msg: str, **_options: Any) -> None:
        self.lines.append(msg)

    def __getattr__(self, name: str) -> Any:
        return lambda *args, **kwargs: None


@pytest.fixture(name="callback")
def _callback(monkeypatch: pytest.MonkeyPatch) -> CallbackModule:
    callback = CallbackModule()
    callback._display = Display()
    monkeypatch.setattr(callback, "get_option", lambda name: False)
    return callback


def play(*actions: str) -> Any:
    manager = SimpleNamespace(get_vars=lambda play: {"ansible_play_hosts_all": ["a", "b"]})
    tasks = [[SimpleNamespace(action="meta"), *[SimpleNamespace(action=action) for action in actions]]]
    return SimpleNamespace(
        get_tasks=lambda: tasks,
        get_variable_manager=lambda: manager,
        get_name=lambda: "a play",
        check_mode=False,
        strategy="linear",
    )


def outcome(action: str, data: dict[str, Any]) -> Any:
    return SimpleNamespace(
        task=SimpleNamespace(action=action), result=data, host=SimpleNamespace(get_name=lambda: "web\033[2J1")
    )


def test_an_audit_shows_failures_and_then_the_block(
    callback: CallbackModule, capsys: pytest.CaptureFixture[str]
) -> None:
    callback.v2_playbook_on_play_start(play(GATHER))
    callback.v2_runner_on_unreachable(outcome(GATHER, {"msg": "No\033]0;x\007 route\nCRITICAL"}))
    callback.v2_runner_on_ok(outcome(GATHER, {"ansible_facts": {}}))
    callback.v2_playbook_on_play_start(play(REPORT))
    callback.v2_runner_on_failed(
        outcome(REPORT, {"block": "THE BLOCK\n", "msg": "1 host could not be audited."})
    )
    callback.v2_playbook_on_no_hosts_remaining()
    callback.v2_playbook_on_stats(SimpleNamespace())
    assert callback._display.lines == [
        "web\\x1b[2J1: UNREACHABLE: No\\x1b]0;x\\x07 route CRITICAL",
        "\nTHE BLOCK\n",
        "1 host could not be audited.",
    ]
    assert "Audited 2 of 2 hosts" in capsys.readouterr().out


def test_a_report_that_could_not_be_written_is_shown(callback: CallbackModule) -> None:
    callback.v2_playbook_on_play_start(play(REPORT))
    callback.v2_runner_on_failed(
        outcome(REPORT, {"failed": True, "msg": "The report cannot be written to /x: full."})
    )
    assert callback._display.lines == ["web\\x1b[2J1: FAILED: The report cannot be written to /x: full."]


def test_other_playbooks_look_as_ever(callback: CallbackModule) -> None:
    callback.v2_playbook_on_play_start(play("ansible.builtin.command"))
    assert any("a play" in line for line in callback._display.lines)
    assert callback._take(outcome("ansible.builtin.command", {"msg": "no"}), "FAILED") is False
