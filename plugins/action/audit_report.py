# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes the report of an audit and prints its last block. Runs once, for all hosts of the play."""

from __future__ import annotations

import os
from typing import Any

from ansible import constants
from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible.utils.color import ANSIBLE_COLOR
from ansible.utils.display import Display
from ansible_collections.tcpops.timewait.plugins.plugin_utils._findings import thresholds
from ansible_collections.tcpops.timewait.plugins.plugin_utils._report import audit, terminal
from ansible_collections.tcpops.timewait.plugins.plugin_utils._report.files import ReportError

STDOUT_CALLBACK = "tcpops.timewait.audit"

ARGUMENTS: dict[str, dict[str, Any]] = {
    "report_dir": {"type": "path", "default": "report"},
    "thresholds": {"type": "dict", "default": {}},
    "top": {"type": "int", "default": 20},
    "hosts": {"type": "list", "elements": "str"},
    "fail_on_unaudited": {"type": "bool", "default": True},
}


class ActionModule(ActionBase):
    BYPASS_HOST_LOOP = True
    TRANSFERS_FILES = False
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        variables = task_vars or {}
        _unused, options = self.validate_argument_spec(argument_spec=ARGUMENTS)
        try:
            bounds = thresholds.merge(options["thresholds"])
        except thresholds.ThresholdError as exc:
            raise AnsibleActionFail(str(exc)) from exc
        names = options["hosts"]
        if names is None:
            names = variables.get("ansible_play_hosts_all", [])
        directory = "" if self._task.check_mode else os.path.abspath(options["report_dir"])
        try:
            report = audit.write(audit.results(names, variables["hostvars"]), bounds, directory)
        except ReportError as exc:
            raise AnsibleActionFail(str(exc)) from exc
        result.update(
            # The report is about the hosts and changes none of them: a second audit is no less "ok".
            changed=False,
            summary=report.summary._asdict(),
            paths={kind: os.path.join(directory, name) for kind, name in audit.FILES.items()}
            if directory
            else {},
        )
        text = audit.block(report, directory, options["top"], Display().columns)
        if constants.DEFAULT_STDOUT_CALLBACK == STDOUT_CALLBACK:
            # It prints the block after everything else.
            result["block"] = text
        else:
            Display().display("\n" + (terminal.paint(text) if ANSIBLE_COLOR else text))
        if report.missing and options["fail_on_unaudited"]:
            result.update(failed=True, msg=audit.unaudited(report, directory))
        return result
