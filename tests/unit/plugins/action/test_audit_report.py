# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The audit playbook with its action, run by the ansible-playbook of this environment against made-up hosts."""

from __future__ import annotations

import json
import os
import pathlib
import shutil
import subprocess
import sys
import textwrap
from typing import Any

import pytest
from ansible_collections.tcpops.timewait.plugins.plugin_utils._report.audit import results
from support.facts_factory import make_facts, make_pool

ROOT = pathlib.Path(__file__).resolve().parents[4]
PLAYBOOK = shutil.which(
    "ansible-playbook", path=f"{pathlib.Path(sys.executable).parent}:{os.environ['PATH']}"
)

# Stands in for the facts module: returns what the inventory's directory holds for the host.
MODULE = textwrap.dedent(
    """
    import json, sys
    def main():
        args = json.loads(open(sys.argv[1]).read())
        print(open(args["folder"] + "/" + args["name"] + ".json").read())
    main()
    """
)


class HostVars(dict[str, Any]):
    def __getitem__(self, name: str) -> Any:
        raise AssertionError("this would template what a host returned")

    def raw_get(self, name: str) -> Any:
        return self.get(name)


def test_results_are_read_raw() -> None:
    hostvars = HostVars(web1={"timewait_result": {"msg": "{{ 7 * 7 }}"}}, web2={})
    assert list(results(["web1", "web2", "web3"], hostvars)) == [
        ("web1", {"msg": "{{ 7 * 7 }}"}),
        ("web2", None),
        ("web3", None),
    ]


class Run:
    """The playbook's plays, with a module that returns given results in the place of the facts module."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.folder = folder
        self.report = folder / "report"
        (folder / "library").mkdir()
        (folder / "library" / "stand_in.py").write_text("#!/usr/bin/python\n# WANT_JSON\n" + MODULE)
        text = (ROOT / "playbooks" / "audit.yml").read_text(encoding="utf-8")
        start, end = text.index("      tcpops.timewait.timewait_facts:"), text.index("      register:")
        call = f"      stand_in:\n        folder: {folder}\n        name: '{{{{ inventory_hostname }}}}'\n"
        (folder / "audit.yml").write_text(text[:start] + call + text[end:])

    def __call__(
        self, hosts: dict[str, Any], *arguments: str, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        lines = []
        for name, result in hosts.items():
            connection = "ssh ansible_host=127.0.0.1 ansible_port=9" if result is None else "local"
            lines.append(
                f"{name} ansible_connection={connection} ansible_python_interpreter={sys.executable}"
            )
            (self.folder / f"{name}.json").write_text(json.dumps(result))
        (self.folder / "hosts").write_text("\n".join(lines) + "\n")
        assert PLAYBOOK
        return subprocess.run(
            [PLAYBOOK, "-i", str(self.folder / "hosts"), str(self.folder / "audit.yml"),
             "-e", f"timewait_report_dir={self.report}", *arguments],
            env={**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".cache"), "ANSIBLE_LOCALHOST_WARNING": "0",
                 "ANSIBLE_LOCAL_TEMP": str(self.folder / "tmp"), "ANSIBLE_REMOTE_TEMP": str(self.folder / "tmp"),
                 "LC_ALL": "C.UTF-8", **environment},
            cwd=self.folder, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip

    def document(self) -> Any:
        return json.loads((self.report / "audit.json").read_text())


@pytest.fixture(name="run")
def _run(tmp_path: pathlib.Path) -> Run:
    if not PLAYBOOK:
        pytest.skip("needs ansible-playbook")
    return Run(tmp_path)


def good(**overrides: Any) -> dict[str, Any]:
    return {"changed": False, "ansible_facts": {"timewait": make_facts(**overrides)}}


AUDIT = {"ANSIBLE_STDOUT_CALLBACK": "tcpops.timewait.audit"}


def test_a_fleet_with_hosts_that_fail(run: Run) -> None:
    hosts = {
        "down": None,
        "busy": good(pools=[make_pool(used=28000)]),
        "broken": {"failed": True, "msg": "no netlink"},
    }
    done = run(hosts, **AUDIT)
    assert done.returncode == 2, done.stdout + done.stderr
    status = {host["name"]: host["status"] for host in run.document()["hosts"]}
    assert status == {"down": "unreachable", "busy": "audited", "broken": "failed"}
    assert done.stdout.count("TIME-WAIT audit of 3 hosts") == 1
    assert "PLAY RECAP" not in done.stdout
    assert "2 hosts could not be audited: down, broken." in done.stderr
    assert (run.report / "audit.txt").read_text() in done.stdout


def test_the_playbook_as_it_is(run: Run) -> None:
    shutil.copy(ROOT / "playbooks" / "audit.yml", run.folder / "audit.yml")
    done = run({"down": None}, **AUDIT)
    assert done.returncode == 2, done.stdout + done.stderr
    assert done.stderr.startswith("down: UNREACHABLE: ")
    assert "Audited 1 of 1 hosts" in done.stdout
    assert "0 audited, 1 unreachable" in done.stdout


@pytest.mark.parametrize("callback", [{}, AUDIT], ids=["default", "audit"])
def test_success_prints_the_block_once(run: Run, callback: dict[str, str]) -> None:
    done = run({"one": good(), "two": good()}, **callback)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("TIME-WAIT audit of 2 hosts") == 1
    assert "changed=1" not in done.stdout


def test_limit_is_respected(run: Run) -> None:
    done = run({"one": good(), "two": good(), "three": None}, "--limit", "two")
    assert done.returncode == 0, done.stdout + done.stderr
    assert [host["name"] for host in run.document()["hosts"]] == ["two"]


def test_check_mode_writes_nothing(run: Run) -> None:
    done = run({"one": good()}, "--check")
    # The stand-in knows no check mode; the real module does. What counts here is the report.
    assert "check mode: nothing was written" in done.stdout
    assert not run.report.exists()


def test_what_a_host_says_is_never_a_template(run: Run) -> None:
    mark = run.folder / "templated"
    evil = "{{ lookup('pipe', 'touch " + str(mark) + "') }}"
    facts = good(
        pools=[make_pool(used=28000, remote_address=evil)], unavailable=[{"what": evil, "reason": evil}]
    )
    facts["ansible_facts"]["timewait"]["kernel"]["release"] = evil
    done = run({"evil": facts, "sick": {"failed": True, "msg": evil}}, **AUDIT)
    assert done.returncode == 2, done.stdout + done.stderr
    assert not mark.exists()
    assert run.document()["hosts"][0]["facts"]["kernel"]["release"] == evil


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["-e", '{"timewait_thresholds": {"pool_hihg": 1}}'], "unknown threshold 'pool_hihg'"),
        (["-e", "timewait_report_dir=/dev/null/report"], "The report cannot be written to /dev/null/report"),
    ],
)
def test_mistakes_are_one_sentence(run: Run, arguments: list[str], told: str) -> None:
    done = run({"one": good()}, *arguments, **AUDIT)
    assert done.returncode == 2
    assert told in done.stderr
    assert "Traceback" not in done.stdout + done.stderr


def test_a_threshold_decides(run: Run) -> None:
    hosts = {"one": good(pools=[make_pool(used=12000)])}
    run(hosts)
    before = run.document()["summary"]["findings"]["MEDIUM"]
    run(hosts, "-e", '{"timewait_thresholds": {"pool_cliff": 0.3}}')
    assert run.document()["summary"]["findings"]["MEDIUM"] == before + 1
    assert run.document()["thresholds"]["pool_cliff"] == 0.3
