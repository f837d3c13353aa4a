# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs every benchmark, one after the other, and writes what they found to docs/benchmarks.md.

usage: python tests/benchmark/run.py [NAME...] [--dry-run]

With names (census_speed, fleet_ratio, report_scale) only those run, and the page keeps the others' figures.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "benchmarks.md"
BENCHMARKS = {
    "census_speed": "The census against the kernel's dump",
    "fleet_ratio": "An audit against a ping",
    "report_scale": "The report of a large fleet",
}
_SECONDS = 3600
_HEAD = """\
<!--
Copyright: (c) 2026, tcpops.timewait contributors
GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
SPDX-License-Identifier: GPL-3.0-or-later
-->

# Benchmarks

Written by `make benchmark`; the figures are those of the machine that is named with them. Each benchmark fails
when it misses a target.
"""


def machine() -> str:
    """What the figures depend on, without the machine's name."""
    with open("/proc/meminfo", encoding="ascii") as stream:
        kib = int(stream.readline().split()[1])
    return (
        f"{os.cpu_count()} cores ({processor()}), {round(kib / 1024 / 1024)} GiB, "
        f"Linux {re.split('[-+]', platform.release())[0]}, Python {platform.python_version()}"
    )


def processor() -> str:
    with open("/proc/cpuinfo", encoding="utf-8") as stream:
        for line in stream:
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.machine()


def section(name: str, output: str, exit_code: int, seconds: float) -> str:
    verdict = "All targets were reached." if exit_code == 0 else "Not all targets were reached."
    return (
        f"\n<!-- begin {name} -->\n## {BENCHMARKS[name]}\n\n"
        f"```shell\n.venv/bin/python tests/benchmark/{name}.py\n```\n\n"
        f"{time.strftime('%Y-%m-%d', time.gmtime())}, {machine()}, in {seconds:.0f} s. {verdict}\n\n"
        f"{output.strip()}\n<!-- end {name} -->\n"
    )


def kept(name: str) -> str:
    """The section of a benchmark that does not run this time."""
    if not PAGE.exists():
        return ""
    found = re.search(
        rf"\n<!-- begin {name} -->.*?<!-- end {name} -->\n", PAGE.read_text(encoding="utf-8"), re.DOTALL
    )
    return found[0] if found else ""


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(BENCHMARKS))
    parser.add_argument("--dry-run", action="store_true", help="print the figures and leave the page alone")
    options = parser.parse_args(arguments)
    unknown = sorted(set(options.names) - set(BENCHMARKS))
    if unknown:
        parser.error(f"no such benchmark: {', '.join(unknown)}")
    page = _HEAD
    failed = []
    for name, title in BENCHMARKS.items():
        if options.names and name not in options.names:
            page += kept(name)
            continue
        print(f"== {name}: {title}", flush=True)
        start = time.monotonic()
        done = subprocess.run(
            [sys.executable, str(Path(__file__).parent / f"{name}.py")],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
        print(done.stdout, flush=True)
        if done.returncode:
            failed.append(name)
        # A benchmark that broke has no figures: those from before stay, and the run fails.
        has_figures = "|" in done.stdout
        page += (
            section(name, done.stdout, done.returncode, time.monotonic() - start)
            if has_figures
            else kept(name)
        )
    if not options.dry_run:
        PAGE.write_text(page, encoding="utf-8")
        print(f"written: {PAGE.relative_to(ROOT)}")
    if failed:
        print(f"missed a target, or broke: {', '.join(failed)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
