# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The audit of a fleet over ssh of which not every host answers."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from tests.lab.fleet import fleet
from tests.lab.namespaces import Lab
from tests.lab.traffic import Traffic


def test_hosts_that_cannot_be_audited_are_in_the_report_as_such(
    made: Lab, traffic: Traffic, tmp_path: Path
) -> None:
    with fleet(made, 4) as hosts:
        hosts.add_absent("host05", "10.78.9.9")
        hosts.set_variables("host04", ansible_python_interpreter="/bin/false")
        target = traffic.listen(hosts.hosts["host02"], "10.78.1.2", 8080)
        for _round in range(3):
            traffic.connect(hosts.hosts["host01"], target, "10.78.1.2", "client", 200)
        done = hosts.run(
            *(sys.executable, "-m", "ansible", "playbook", "tcpops.timewait.audit"),
            *("-i", str(hosts.inventory), "-e", f"timewait_report_dir={tmp_path}"),
        )
    assert done.returncode == 2, done.stdout + done.stderr
    audit = json.loads((tmp_path / "audit.json").read_text(encoding="utf-8"))
    by_name = {host["name"]: host for host in audit["hosts"]}
    statuses = {name: host["status"] for name, host in by_name.items()}
    assert statuses == {
        "host01": "audited",
        "host02": "audited",
        "host03": "audited",
        "host04": "failed",
        "host05": "unreachable",
    }
    assert {key: audit["summary"][key] for key in ("hosts", "audited", "unreachable", "failed")} == {
        "hosts": 5,
        "audited": 3,
        "unreachable": 1,
        "failed": 1,
    }
    for name in ("host04", "host05"):
        assert by_name[name]["facts"] is None
        assert by_name[name]["reason"], "why it was not audited"
    (pool,) = [
        pool for pool in by_name["host01"]["facts"]["namespaces"][0]["pools"] if pool["remote_port"] == 8080
    ]
    assert (pool["direction"], pool["remote_address"], pool["used"]) == ("outbound", "10.78.1.2", 600)
    page = (tmp_path / "index.html").read_text(encoding="utf-8")
    for name in by_name:
        assert name in page
        assert name in done.stdout or by_name[name]["status"] == "audited"
