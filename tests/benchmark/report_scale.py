# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Time and memory that a report takes, by size of the fleet: 20 pools a host, a minute of history each.

    python tests/benchmark/report_scale.py [hosts ...]

Each size runs in a process of its own. The making of the facts is measured apart, and taken off.
"""

from __future__ import annotations

import json
import pathlib
import resource
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
SIZES = (100, 1000, 10_000)


def measure(hosts: int, directory: str) -> dict[str, float]:
    sys.path[:0] = [str(ROOT / ".cache"), str(ROOT / "tests" / "benchmark"), str(ROOT / "tests" / "unit")]
    import report_fleet
    from ansible_collections.tcpops.timewait.plugins.plugin_utils._findings import thresholds
    from ansible_collections.tcpops.timewait.plugins.plugin_utils._report import audit

    bounds = thresholds.merge({})
    imported = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.process_time()
    for _host in report_fleet.fleet(hosts):
        pass
    made = time.process_time() - started
    started = time.process_time()
    # A generator: each host's facts are gone when the next host's turn comes.
    audit.write(report_fleet.fleet(hosts), bounds, directory)
    return {
        "seconds": time.process_time() - started - made,
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "imported_mib": imported / 1024,
        "page_mib": (pathlib.Path(directory) / "index.html").stat().st_size / 2**20,
        "json_mib": (pathlib.Path(directory) / "audit.json").stat().st_size / 2**20,
    }


def main() -> None:
    if sys.argv[1:2] == ["--one"]:
        print(json.dumps(measure(int(sys.argv[2]), sys.argv[3])))
        return
    print(
        f"{'hosts':>6} {'CPU s':>8} {'ms/host':>8} {'growth':>7} {'peak MiB':>9} {'page MiB':>9} {'json MiB':>9}"
    )
    before = 0.0
    for hosts in [int(size) for size in sys.argv[1:]] or SIZES:
        with tempfile.TemporaryDirectory() as directory:
            done = subprocess.run(
                [sys.executable, __file__, "--one", str(hosts), directory],
                check=True,
                capture_output=True,
                text=True,
            )
        figures = json.loads(done.stdout)
        each = figures["seconds"] / hosts
        # 1.0 is linear: the time for one host, compared with that at the size before.
        growth = f"{each / before:.2f}" if before else "-"
        before = each
        print(
            f"{hosts:>6} {figures['seconds']:>8.2f} {each * 1000:>8.2f} {growth:>7} {figures['peak_mib']:>9.0f}"
            f" {figures['page_mib']:>9.1f} {figures['json_mib']:>9.1f}"
        )
    print(f"Peak memory without any host: {figures['imported_mib']:.0f} MiB.")


if __name__ == "__main__":
    main()
