# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Speed and memory of the census with 600 000 TIME-WAIT sockets in a namespace, and beside many live connections.

usage: python tests/benchmark/census_speed.py [--sockets 600000] [--rounds 5]

Every method reads the same sockets in turn, round after round, so that a busy machine slows all of them; the figures
are medians. Needs root, ss, awk and pyroute2, and 400 MB of kernel memory.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tests.benchmark.tables import Target, missed, table, targets_table  # noqa: E402
from tests.lab import flood  # noqa: E402
from tests.lab.namespaces import Namespace, lab  # noqa: E402

SS = "ss -tan state time-wait | wc -l"
PIPELINE = """ss -tan state time-wait | awk '{print $(NF)" "$(NF-1)}' | sed 's/:[^ ]*//g' | sort | uniq -c"""
#: the first sockets expire 60 s after the start; no measurement counts that begins later than this
LAST_START_SECONDS = 54
PYROUTE2_PART = 10
MEMORY_MIB = 15.0
# Direction -> bound on census / floor.
MIXES = (flood.OUTBOUND, flood.INBOUND, flood.INBOUND_MANY_CLIENTS, flood.HALF_AND_HALF, flood.MANY_LIVE)
FLOOR_BOUNDS = {
    flood.OUTBOUND.name: 2.0,
    flood.INBOUND.name: 2.0,
    flood.HALF_AND_HALF.name: 2.5,
    flood.MANY_LIVE.name: 2.5,
}


class Sample(NamedTuple):
    seconds: float
    peak_kib: int
    sockets: int
    wall_seconds: float


class Results(NamedTuple):
    mix: flood.Mix
    sockets: int
    samples: dict[str, list[Sample]]
    idle_kib: int

    def median(self, name: str) -> float:
        return statistics.median(sample.seconds for sample in self.samples[name])

    def peak_mib(self, name: str) -> float:
        """Above the idle interpreter, the worst of all rounds."""
        return (max(sample.peak_kib for sample in self.samples[name]) - self.idle_kib) / 1024


def probe(namespace: Namespace, name: str) -> Sample:
    """Run one measurement of ``probe.py`` inside."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT / ".cache")}
    argv = namespace.argv(sys.executable, str(ROOT / "tests" / "benchmark" / "probe.py"), name)
    start = time.perf_counter()
    done = subprocess.run(argv, env=environment, capture_output=True, text=True, timeout=120, check=False)
    wall = time.perf_counter() - start
    if done.returncode:
        raise RuntimeError(f"{name} failed: {done.stderr.strip()[-500:]}")
    return Sample(**json.loads(done.stdout), wall_seconds=wall)


def shell(namespace: Namespace, command: str) -> Sample:
    start = time.perf_counter()
    namespace.run("sh", "-c", command, seconds=120)
    seconds = time.perf_counter() - start
    return Sample(seconds, 0, 0, seconds)


def pyroute2(small: flood.Mix) -> list[Sample]:
    """pyroute2 over a part of the sockets, its seconds as for all of them."""
    samples = []
    with lab() as made:
        namespace = flood.flood(made, small)
        for _round in range(2):
            one = probe(namespace, "pyroute2")
            samples.append(one._replace(seconds=one.seconds * small.total / one.sockets * PYROUTE2_PART))
    return samples


def measure(mix: flood.Mix, rounds: int) -> Results:
    samples: dict[str, list[Sample]] = {"floor": [], "census": []}
    if not mix.live:  # the other methods leave live connections out
        samples.update(ss=[], pipeline=[], pyroute2=pyroute2(mix.scaled(1 / PYROUTE2_PART)))
    with lab() as made:
        idle_kib = probe(made.namespace(), "idle").peak_kib
        start = time.monotonic()
        namespace = flood.flood(made, mix)
        taken = time.monotonic() - start
        print(f"{mix.name}: {flood.time_wait_count(namespace)} sockets in {taken:.1f} s", file=sys.stderr)
        for _round in range(rounds):
            complete = {"floor": probe(namespace, "floor"), "census": probe(namespace, "census")}
            if not mix.live:
                complete.update(ss=shell(namespace, SS), pipeline=shell(namespace, PIPELINE))
            sockets = flood.time_wait_count(namespace)
            if time.monotonic() - start > LAST_START_SECONDS or sockets < 0.999 * mix.total:
                break  # this round saw sockets expire
            for name, sample in complete.items():
                samples[name].append(sample)
    if not samples["floor"]:
        raise RuntimeError(f"{mix.name}: the sockets were made too slowly to be measured before they expired")
    seen = {sample.sockets for sample in samples["census"]}
    if min(seen) < 0.999 * mix.total:
        raise RuntimeError(f"{mix.name}: the census saw {min(seen)} of {mix.total} sockets")
    return Results(mix, max(seen), samples, idle_kib)


def rows(results: Results) -> list[list[str]]:
    names = {
        "floor": "kernel's dump, read and thrown away",
        "census": "census with history",
        "ss": f"`{SS}`".replace("|", "\\|"),
        "pipeline": "`ss \\| awk \\| sed \\| sort \\| uniq -c`",
        "pyroute2": f"pyroute2, a {PYROUTE2_PART}th of it × {PYROUTE2_PART}",
    }
    floor = results.median("floor")
    made = []
    for name, label in names.items():
        if name not in results.samples:
            continue
        peak = f"{results.peak_mib(name):.1f} MiB" if name in ("floor", "census") else ""
        seconds = results.median(name)
        count = len(results.samples[name])
        made.append([results.mix.name, label, f"{seconds:.3f} s", f"{seconds / floor:.2f}", peak, str(count)])
    return made


def targets(results: Results) -> list[Target]:
    name = results.mix.name
    census = results.median("census")
    bound = FLOOR_BOUNDS.get(name, FLOOR_BOUNDS[flood.INBOUND.name])
    wanted = [Target(f"{name}: census / kernel's dump", census / results.median("floor"), bound, "")]
    for other, times in (("pipeline", 4), ("pyroute2", 50)):
        if other in results.samples:
            label = f"{name}: {other} / census"
            wanted.append(Target(label, results.median(other) / census, times, "×", at_least=True))
    memory = f"{name}: memory above the idle interpreter"
    return [*wanted, Target(memory, results.peak_mib("census"), MEMORY_MIB, "MiB")]


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sockets", type=int, default=flood.OUTBOUND.total, help="a multiple of 6000")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args(arguments)
    if os.geteuid():
        parser.error("network namespaces need root")
    part = options.sockets / flood.OUTBOUND.total
    every = [measure(mix.scaled(part), options.rounds) for mix in MIXES]
    print(f"{options.sockets} TIME-WAIT sockets ({every[-1].sockets} beside live ones); medians.\n")
    head = ["sockets", "method", "median", "× dump", "memory", "rounds"]
    print(table(head, [row for results in every for row in rows(results)]))
    print()
    reached = [target for results in every for target in targets(results)]
    print(targets_table(reached))
    return missed(reached)


if __name__ == "__main__":
    sys.exit(main())
