# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is published works where it is installed, and carries nothing that it should not."""

from __future__ import annotations

import json
import re

import pytest

AUDIT = ("ansible-playbook", "tcpops.timewait.audit", "-i", "localhost,", "-c", "local")


@pytest.mark.parametrize(
    "name",
    [
        "LICENSE",
        "README.md",
        "meta/runtime.yml",
        "playbooks/audit.yml",
        "plugins/modules/timewait_facts.py",
        "plugins/module_utils/_census.py",
    ],
)
def test_artefact_has(members, name):
    assert name in members


def test_artefact_has_nothing_of_the_workshop(members):
    workshop = re.compile(r"(\.(cache|venv|ci|git)|tests|tools|report|inventory)(/|$)|.*(\.tar\.gz|\.pyc|__pycache__)$")
    assert [name for name in members if workshop.match(name)] == []


def test_artefact_declares_no_dependency(artefact, installed):
    manifest = json.loads((installed.path / "MANIFEST.json").read_text())["collection_info"]
    assert (manifest["namespace"], manifest["name"], manifest["dependencies"]) == ("tcpops", "timewait", {})


def test_audit_runs_where_it_is_installed(installed):
    # Where the playbook is run from is where `report` goes.
    done = installed.run(*AUDIT)
    assert done.returncode == 0, done.stdout
    report = json.loads((installed.elsewhere / "report/audit.json").read_text())
    (host,) = report["hosts"]
    assert (host["name"], host["status"]) == ("localhost", "audited")
    assert host["facts"]["namespaces"][0]["port_range"]["usable"] > 0
    page = (installed.elsewhere / "report/index.html").read_text()
    assert page.lstrip().lower().startswith("<!doctype html>")
    assert page.rstrip().endswith("</html>")


def test_audit_runs_with_its_own_terminal_summary(installed):
    done = installed.run(*AUDIT, "-e", "timewait_report_dir=summary", ANSIBLE_STDOUT_CALLBACK="tcpops.timewait.audit")
    assert done.returncode == 0, done.stdout
    assert "Could not load" not in done.stdout
    assert (installed.elsewhere / "summary/index.html").is_file()


def test_audit_changes_nothing(installed):
    done = installed.run(*AUDIT, "-e", "timewait_report_dir=" + str(installed.elsewhere / "second"))
    assert done.returncode == 0, done.stdout
    (recap,) = re.findall(r"changed=(\d+)", done.stdout)
    assert recap == "0"


@pytest.mark.parametrize("kind", ["module", "callback", "filter"])
def test_documentation_is_found(installed, kind):
    listed = installed.run("ansible-doc", "-t", kind, "--list", "--json", "tcpops.timewait")
    names = json.loads(listed.stdout)
    assert names, f"no {kind}"
    for name in names:
        shown = installed.run("ansible-doc", "-t", kind, "--json", name)
        assert shown.returncode == 0, shown.stdout
        assert json.loads(shown.stdout)[name]["doc"]["short_description"]
