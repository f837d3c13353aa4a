# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs modules in a namespace, the facts module above all: by themselves, or through Ansible."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from .namespaces import Namespace

ROOT = Path(__file__).resolve().parents[2]
COLLECTIONS = ROOT / ".cache"
_MODULES = ROOT / "plugins" / "modules"
_SECONDS = 120


class ModuleFailed(RuntimeError):
    """The module, or Ansible, gave no facts. The text is what it said."""


def by_module(namespace: Namespace, *prefix: str, **options: Any) -> dict[str, Any]:
    """``ansible_facts.timewait`` of the module run as Ansible would, without Ansible around it.

    :param prefix: command that runs the interpreter, to drop privileges for example.
    :param options: of the module.
    """
    done = _run(module_argv(namespace, "timewait_facts", *prefix), module_input(**options))
    return _facts(done.stdout, done)


def result_of(namespace: Namespace, module: str, *prefix: str, **options: Any) -> dict[str, Any]:
    """The same of any module: all that it returned."""
    done = _run(module_argv(namespace, module, *prefix), module_input(**options))
    try:
        result: dict[str, Any] = json.loads(done.stdout)
    except ValueError:
        raise ModuleFailed(f"rc {done.returncode}: {done.stdout[-1500:]} {done.stderr[-1500:]}") from None
    if result.get("failed"):
        raise ModuleFailed(str(result.get("msg")))
    return result


def module_argv(namespace: Namespace, module: str, *prefix: str) -> list[str]:
    return namespace.argv(*prefix, sys.executable, str(_MODULES / f"{module}.py"))


def module_input(**options: Any) -> str:
    """What a module reads from its standard input."""
    return json.dumps({"ANSIBLE_MODULE_ARGS": options})


def by_ansible(namespace: Namespace, **options: Any) -> dict[str, Any]:
    """The same by ``ansible -m``, which runs inside with a local connection."""
    argv = namespace.argv(
        *(sys.executable, "-m", "ansible", "adhoc", "localhost", "-i", "localhost,", "-c", "local"),
        *("-e", f"ansible_python_interpreter={sys.executable}"),
        *("-m", "tcpops.timewait.timewait_facts", "-a", json.dumps(options)),
    )
    done = _run(argv, None)
    return _facts(done.stdout[done.stdout.find("{") :], done)


def environment() -> dict[str, str]:
    """For Ansible: this checkout's collection, whatever the user's configuration says."""
    return {
        **os.environ,
        "PYTHONPATH": str(COLLECTIONS),
        "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS),
        "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
        "ANSIBLE_LOCALHOST_WARNING": "false",
        "ANSIBLE_NOCOLOR": "true",
        "LC_ALL": "C.UTF-8",
    }


def _run(argv: list[str], text_in: str | None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        argv, input=text_in, capture_output=True, text=True, env=environment(), timeout=_SECONDS, cwd="/", check=False
    )


def _facts(text: str, done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    try:
        facts: dict[str, Any] = json.loads(text)["ansible_facts"]["timewait"]
    except (ValueError, KeyError):
        raise ModuleFailed(f"rc {done.returncode}: {done.stdout[-1500:]} {done.stderr[-1500:]}") from None
    return facts
