# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Wall time of an audit against ``ansible -m ping``: same hosts, forks and connection settings, over real ssh.

usage: python tests/benchmark/fleet_ratio.py [--hosts 20] [--rounds 5]

Hosts are network namespaces with an sshd each. The two commands take turns, each with connections of its own; the
ratio is the median of the rounds' ratios, and an audit includes its report. Needs root and openssh-server.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tests.benchmark.tables import Target, missed, table, targets_table  # noqa: E402
from tests.lab.fleet import Fleet, fleet  # noqa: E402
from tests.lab.namespaces import lab  # noqa: E402
from tests.lab.traffic import Traffic  # noqa: E402

BOUND = 1.4
FORKS = (20, 5)
_CONNECTIONS = 300


def seconds_of(hosts: Fleet, *argv: str) -> float:
    """Wall time of one command, which has to succeed on every host."""
    hosts.forget_connections()
    start = time.perf_counter()
    done = hosts.run(sys.executable, "-m", "ansible", *argv)
    seconds = time.perf_counter() - start
    if done.returncode:
        raise RuntimeError(f"{' '.join(argv)}: {done.stdout[-1500:]}{done.stderr[-1500:]}")
    return seconds


def measure(hosts: Fleet, forks: int, rounds: int) -> list[tuple[float, float]]:
    """``(ping, audit)`` seconds of each round, after one that is not counted."""
    common = ("-i", str(hosts.inventory), "-f", str(forks))
    measured = []
    with tempfile.TemporaryDirectory() as report:
        for _round in range(rounds + 1):
            ping = seconds_of(hosts, "adhoc", "all", "-m", "ping", *common)
            audit = seconds_of(
                hosts, "playbook", "tcpops.timewait.audit", *common, "-e", f"timewait_report_dir={report}"
            )
            measured.append((ping, audit))
        if not (Path(report) / "index.html").exists():
            raise RuntimeError("the audit left no report")
    return measured[1:]


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--hosts", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args(arguments)
    if os.geteuid():
        parser.error("network namespaces need root")
    rows = []
    targets = []
    with lab() as made, fleet(made, options.hosts) as hosts:
        traffic = Traffic(made, seconds=1800)
        first = next(iter(hosts.hosts.values()))
        server = traffic.listen(first, "127.0.0.1", 80)
        for forks in FORKS:
            traffic.connect(first, server, "127.0.0.1", "client", _CONNECTIONS)
            measured = measure(hosts, forks, options.rounds)
            ratios = [audit / ping for ping, audit in measured]
            ratio = statistics.median(ratios)
            rows.append(
                [
                    str(forks),
                    f"{statistics.median(ping for ping, _audit in measured):.2f} s",
                    f"{statistics.median(audit for _ping, audit in measured):.2f} s",
                    f"{ratio:.2f}",
                    f"{min(ratios):.2f} to {max(ratios):.2f}",
                ]
            )
            targets.append(Target(f"audit / ping, {forks} forks", ratio, BOUND, ""))
    print(f"{options.hosts} hosts over ssh; medians of {options.rounds} rounds.\n")
    print(table(["forks", "ansible -m ping", "audit with report", "ratio", "of the rounds"], rows))
    print()
    print(targets_table(targets))
    return missed(targets)


if __name__ == "__main__":
    sys.exit(main())
