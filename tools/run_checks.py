#!/usr/bin/env python
# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run the checks of tools/checks.py in two lanes, go on after a failure, and say what happened."""

from __future__ import annotations

import argparse
import concurrent.futures
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from typing import NamedTuple

from checks import CHECKS, NEEDS, Check, Need

ROOT = pathlib.Path(__file__).resolve().parent.parent
LOGS = ROOT / ".cache" / "logs"
SYSTEM_FOLDERS = ":/usr/sbin:/sbin"  # not on the PATH of an ordinary user
HUNG = -1

# How tools count what they did: pytest first, then the others.
COUNTS = (
    re.compile(r"^=*\s*((?:\d+ [a-z]+(?:, )?)+) in [\d.]+s", re.MULTILINE),
    re.compile(r"^(?:FATAL: )?((?:The \d+ sanity|Found \d+ err|Failed:).*)$", re.MULTILINE),
    re.compile(r"^(?:INFO +)?((?:All checks passed|Success|Passed|checked|Molecule executed).*)$", re.MULTILINE),
)
# How they say what went wrong: Ansible, pytest, and the others. An attempt that is made again is no failure.
TROUBLE = re.compile(r"^(?:fatal: |failed: |FAILED (?!- RETRYING)|ERROR \S|FATAL)")


class Result(NamedTuple):
    """What became of one check."""

    name: str
    outcome: str  # passed, failed or skipped
    seconds: float
    detail: str


def missing(need: Need) -> list[str]:
    """The programs of a need that are not there."""
    path = os.environ.get("PATH", "") + SYSTEM_FOLDERS
    return [program for program in need.programs if not shutil.which(program, path=path)]


def install(packages: list[str]) -> None:
    """Install Debian packages; whether it worked is seen by what is there afterwards."""
    print(f"  installing {' '.join(packages)}", flush=True)
    variables = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    options = ("-y", "-qq", "--no-install-recommends")
    with (LOGS / "apt.log").open("ab") as log:
        for command in (("apt-get", "update", "-qq"), ("apt-get", "install", *options, *packages)):
            subprocess.run(command, env=variables, stdin=subprocess.DEVNULL, stdout=log, stderr=log, check=False)


def unmet(check: Check) -> str:
    """Why the check cannot run, or nothing. Installs what is missing where it may."""
    if check.path and not (ROOT / check.path).exists():
        return f"there is no {check.path}"
    needs = [NEEDS[name] for name in check.needs]
    is_root = os.geteuid() == 0
    packages = [package for need in needs for program in missing(need) for package in need.programs[program].split()]
    if packages and is_root and shutil.which("apt-get"):
        install(packages)
    absent = [program for need in needs for program in missing(need)]
    if absent:
        return f"no {', '.join(absent)}: sudo apt-get install {' '.join(packages)}"
    if any(need.root for need in needs) and not is_root:
        return f"needs root: sudo make test CHECKS={check.name}"
    return ""


def environment() -> dict[str, str]:
    """The caller's environment with .venv first and the quirks of this machine."""
    script = ("bash", "-c", ". tools/machine_quirks.sh && env -0")
    output = subprocess.run(script, cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout
    variables = dict(item.split("=", 1) for item in output.decode().split("\0") if "=" in item)
    # A check sees the settings of the project, not those of whoever runs it, nor make's.
    for name in list(variables):
        if name.startswith(("ANSIBLE_", "MAKE", "MFLAGS", "PYTEST_")):
            del variables[name]
    # What a check has compiled, the next one need not.
    variables.pop("PYTHONDONTWRITEBYTECODE", None)
    variables["PATH"] = f"{ROOT}/.venv/bin:{variables['PATH']}{SYSTEM_FOLDERS}"
    variables["NO_COLOR"] = variables["ANSIBLE_NOCOLOR"] = "1"
    return variables


def end(process: subprocess.Popen[bytes]) -> None:
    """End a check with all that it started; politely first, so that it can clean up."""
    os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(30)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


class Running:
    """The checks that run, so that an interrupt leaves nothing running."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._processes: set[subprocess.Popen[bytes]] = set()
        self.interrupted = False

    def execute(self, check: Check, log: pathlib.Path) -> int:
        """Run the command of a check with a log of its own; its exit code, or HUNG."""
        with log.open("wb") as output:
            with self._lock:
                if self.interrupted:
                    return HUNG
                process = subprocess.Popen(
                    check.command,
                    cwd=ROOT,
                    env=environment(),
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    start_new_session=True,
                )
                self._processes.add(process)
            try:
                return process.wait(check.timeout)
            except subprocess.TimeoutExpired:
                end(process)
                return HUNG
            finally:
                with self._lock:
                    self._processes.discard(process)

    def interrupt(self) -> None:
        """End what runs, and let nothing else begin."""
        with self._lock:
            self.interrupted = True
            processes = list(self._processes)
        for process in processes:
            end(process)


def counted(text: str) -> str:
    """The last line of a log in which the tool counts, for the table."""
    for pattern in COUNTS:
        found = pattern.findall(text)
        if found:
            return found[-1][:100]
    return ""


def trouble(text: str) -> list[str]:
    """The last thing that went wrong, with what is said of it, and how the log ends."""
    lines = [line[:300] for line in text.splitlines()]
    places = [number for number, line in enumerate(lines) if TROUBLE.match(line)]
    said = lines[places[-1] :][:12] if places else []
    after = places[-1] + len(said) if places else 0
    return said + lines[max(after, len(lines) - 8) :]


def run(check: Check, running: Running, installing: threading.Lock) -> Result:
    """Run one check and show the end of its log if it fails."""
    with installing:
        reason = unmet(check)
    if reason:
        return Result(check.name, "skipped", 0.0, reason)
    log = LOGS / f"{check.name}.log"
    started = time.monotonic()
    status = running.execute(check, log)
    seconds = time.monotonic() - started
    text = log.read_text(errors="replace")
    if status == 0:
        return Result(check.name, "passed", seconds, counted(text))
    shown = [f"    | {line}" for line in text.splitlines()[-25:]]
    print("\n".join([*shown, f"    ({log.relative_to(ROOT)})"]), flush=True)
    why = f"no end within {check.timeout} s" if status == HUNG else counted(text) or f"exit code {status}"
    return Result(check.name, "failed", seconds, why)


def select(wanted: set[str]) -> list[Check]:
    """The checks that were asked for, by name or by group; if none were, all that run without being asked for."""
    known = {name for check in CHECKS for name in (check.name, check.group)}
    if wanted - known:
        raise SystemExit(f"unknown: {', '.join(sorted(wanted - known))}; known: {', '.join(sorted(known))}")
    return [check for check in CHECKS if {check.name, check.group} & wanted or not (wanted or check.on_request)]


def run_all(checks: list[Check]) -> list[Result]:
    """All of them, a lane beside the other, in the order of the table."""
    running, installing = Running(), threading.Lock()

    def run_lane(lane: list[tuple[int, Check]]) -> dict[int, Result]:
        found = {}
        for number, check in lane:
            if running.interrupted:
                break
            print(f"[{number}/{len(checks)}] {check.name}", flush=True)
            result = run(check, running, installing)
            print(f"[{number}/{len(checks)}] {check.name}: {result.outcome}, {result.seconds:.0f} s", flush=True)
            found[number] = result
        return found

    lanes: dict[int, list[tuple[int, Check]]] = {}
    for number, check in enumerate(checks, 1):
        lanes.setdefault(check.lane, []).append((number, check))
    with concurrent.futures.ThreadPoolExecutor() as pool:
        try:
            done = [pool.submit(run_lane, lane) for lane in lanes.values()]
            results = {number: result for lane in done for number, result in lane.result().items()}
        except BaseException:  # interrupted
            running.interrupt()
            raise
    return [results[number] for number in sorted(results)]


def main() -> int:
    """Run, then print the table; its last line is for machines too."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="a check or a group; all but those on request without")
    checks = select(set(parser.parse_args().names))
    LOGS.mkdir(parents=True, exist_ok=True)
    # as an exception, so that the checks that run are ended too
    signal.signal(signal.SIGTERM, lambda number, _frame: sys.exit(128 + number))
    started = time.monotonic()
    results = run_all(checks)
    print()
    for result in results:
        print(f"{result.name:20} {result.outcome:8} {result.seconds:6.1f} s  {result.detail}")
    print(f"\n{time.monotonic() - started:.0f} s in all, logs in {LOGS.relative_to(ROOT)}/\n")
    # once more, for whoever has the end of the output only
    for result in results:
        if result.outcome == "failed":
            text = (LOGS / f"{result.name}.log").read_text(errors="replace")
            print("\n".join([f"{result.name}:", *(f"    | {line}" for line in trouble(text)), ""]))
    outcomes = [result.outcome for result in results]
    print(", ".join(f"{outcomes.count(word)} {word}" for word in ("passed", "failed", "skipped")))
    return 1 if "failed" in outcomes else 0


if __name__ == "__main__":
    sys.exit(main())
