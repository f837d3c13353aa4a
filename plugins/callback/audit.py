# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Output of an audit: progress on one line, failures on one line each, the report's block at the very end."""

from __future__ import annotations

DOCUMENTATION = r"""
name: audit
type: stdout
short_description: Progress and result of a TIME-WAIT audit
version_added: 0.1.0
author:
  - tcpops.timewait contributors (@tcpops)
description:
  - Shows how far an audit is, each host that could not be audited on one line, and the audit's result last.
  - Anything that is no audit looks as with P(ansible.builtin.default#callback).
requirements:
  - Set as stdout callback, for example with E(ANSIBLE_STDOUT_CALLBACK=tcpops.timewait.audit).
extends_documentation_fragment:
  - default_callback
  - result_format_callback
"""

import sys
import time
from typing import Any

from ansible import constants
from ansible.plugins.callback.default import CallbackModule as Default
from ansible.utils.color import ANSIBLE_COLOR
from ansible_collections.tcpops.timewait.plugins.plugin_utils._report.collect import reason
from ansible_collections.tcpops.timewait.plugins.plugin_utils._report.terminal import paint
from ansible_collections.tcpops.timewait.plugins.plugin_utils._untrusted.text import clean

GATHER = "tcpops.timewait.timewait_facts"
REPORT = "tcpops.timewait.audit_report"
# Without a terminal, progress is a line of a log: now and then is enough.
LOG_SECONDS = 10.0
LOG_SHARE = 0.1
TERMINAL_SECONDS = 0.1


class Progress:
    """Decides when and how `n of N hosts` is shown."""

    def __init__(self, out: Any, total: int, clock: Any = time.monotonic) -> None:
        self._out = out
        self._total = total
        self._clock = clock
        self._terminal = bool(getattr(out, "isatty", bool)())
        self._shown_at = clock()
        self._shown_done = 0
        self._line = False
        self.done = 0

    def step(self) -> None:
        self.done += 1
        now = self._clock()
        waited, more = now - self._shown_at, self.done - self._shown_done
        if self._terminal:
            due = waited >= TERMINAL_SECONDS or self.done in (1, self._total)
        else:
            due = waited >= LOG_SECONDS or more >= max(self._total * LOG_SHARE, 1) or self.done == self._total
        if due:
            self._shown_at, self._shown_done = now, self.done
            self._show()

    def _show(self) -> None:
        text = f"Audited {self.done} of {self._total} hosts"
        self._out.write(f"\r\033[K{text}" if self._terminal else f"{text}\n")
        self._line = self._terminal
        self._out.flush()

    def clear(self) -> None:
        """Makes room for another line."""
        if self._line:
            self._out.write("\r\033[K")
            self._out.flush()
            self._line = False


class CallbackModule(Default):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "tcpops.timewait.audit"

    def __init__(self) -> None:
        super().__init__()
        self._quiet = False
        self._progress: Progress | None = None
        self._block = ""
        self._failure = ""

    def v2_playbook_on_play_start(self, play: Any) -> None:
        actions = {getattr(task, "action", "") for block in play.get_tasks() for task in _flat(block)}
        self._quiet = bool(actions & {GATHER, REPORT})
        self._progress = None
        if not self._quiet:
            super().v2_playbook_on_play_start(play)
            return
        self._play = play
        if GATHER in actions:
            # The only place that knows how many hosts a play has before they answer.
            variables = play.get_variable_manager().get_vars(play=play)
            self._progress = Progress(sys.stdout, len(variables.get("ansible_play_hosts_all", [])))

    def v2_playbook_on_task_start(self, task: Any, is_conditional: bool) -> None:
        if not self._ours(task):
            super().v2_playbook_on_task_start(task, is_conditional)

    def v2_runner_on_start(self, host: Any, task: Any) -> None:
        if not self._ours(task):
            super().v2_runner_on_start(host, task)

    def v2_runner_on_ok(self, result: Any) -> None:
        if not self._take(result, ""):
            super().v2_runner_on_ok(result)

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
        if not self._take(result, "FAILED"):
            super().v2_runner_on_failed(result, ignore_errors=ignore_errors)

    def v2_runner_on_unreachable(self, result: Any) -> None:
        if not self._take(result, "UNREACHABLE"):
            super().v2_runner_on_unreachable(result)

    def v2_runner_on_skipped(self, result: Any) -> None:
        if not self._take(result, ""):
            super().v2_runner_on_skipped(result)

    def v2_playbook_on_no_hosts_remaining(self) -> None:
        if not self._quiet:
            super().v2_playbook_on_no_hosts_remaining()

    def v2_playbook_on_stats(self, stats: Any) -> None:
        if self._progress:
            self._progress.clear()
        if not self._block:
            super().v2_playbook_on_stats(stats)
            return
        self._display.display("\n" + (paint(self._block) if ANSIBLE_COLOR else self._block))
        if self._failure:
            self._display.display(self._failure, color=constants.COLOR_ERROR, stderr=True)

    def _ours(self, task: Any) -> bool:
        return self._quiet and getattr(task, "action", "") in (GATHER, REPORT)

    def _take(self, result: Any, problem: str) -> bool:
        """Deals with a result of the audit's own tasks; False when it is somebody else's."""
        # ansible-core 2.19 renamed the attributes; the old names warn from 2.23 on.
        task = result.task if hasattr(result, "task") else result._task
        if not self._ours(task):
            return False
        data = result.result if hasattr(result, "result") else result._result
        host = result.host if hasattr(result, "host") else result._host
        if self._progress:
            self._progress.clear()
        if task.action == REPORT and data.get("block"):
            self._block = str(data["block"])
            self._failure = str(data.get("msg", "")) if problem else ""
        elif problem:
            self._display.display(
                _failed_line(host.get_name(), problem, data), color=constants.COLOR_ERROR, stderr=True
            )
        if self._progress and task.action == GATHER:
            self._progress.step()
        return True


def _flat(block: Any) -> list[Any]:
    return [task for item in block for task in _flat(item)] if isinstance(block, list) else [block]


def _failed_line(host: str, problem: str, data: dict[str, Any]) -> str:
    return f"{clean(host, 120)}: {problem}: {reason(data) or 'no message'}"
