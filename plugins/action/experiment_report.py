# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Prints the experiments of all hosts side by side. Runs once, for all hosts of the play."""

from __future__ import annotations

import locale
from typing import Any

from ansible.plugins.action import ActionBase
from ansible.utils.color import ANSIBLE_COLOR
from ansible.utils.display import Display
from ansible_collections.tcpops.timewait.plugins.plugin_utils._experiments.compare import compare
from ansible_collections.tcpops.timewait.plugins.plugin_utils._experiments.table import paint, table
from ansible_collections.tcpops.timewait.plugins.plugin_utils._report.audit import results
from ansible_collections.tcpops.timewait.plugins.plugin_utils._report.text import quantity

RESULT = "timewait_experiments"

ARGUMENTS: dict[str, dict[str, Any]] = {"hosts": {"type": "list", "elements": "str"}}


class ActionModule(ActionBase):
    BYPASS_HOST_LOOP = True
    TRANSFERS_FILES = False
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        variables = task_vars or {}
        _unused, options = self.validate_argument_spec(argument_spec=ARGUMENTS)
        names = options["hosts"]
        if names is None:
            names = variables.get("ansible_play_hosts_all", [])
        comparison = compare(results(names, variables["hostvars"], RESULT))
        # Ansible takes 79 columns when there is no terminal to ask.
        columns = Display().columns
        text = table(comparison, columns if columns > 79 else 100)
        if locale.getpreferredencoding(False).lower().replace("-", "") != "utf8":
            text = text.encode("ascii", "backslashreplace").decode("ascii")
        Display().display("\n" + (paint(text) if ANSIBLE_COLOR else text))
        missing = [name for name, _status, _why in comparison.missing]
        result.update(changed=False, verdicts=comparison.verdicts(), missing=missing)
        if missing:
            told = ", ".join(missing[:5]) + (", ..." if len(missing) > 5 else "")
            result.update(failed=True, msg=f"{quantity(len(missing), 'host')} did not run the experiments: {told}.")
        return result
