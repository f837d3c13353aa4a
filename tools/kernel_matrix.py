#!/usr/bin/env python
# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Judge what the guests of the Molecule scenario `kernels` have said, and keep it for docs/kernel-matrix.md.

usage: kernel_matrix.py RESULTS [--keep]      RESULTS: folder with SUITE.json of each guest

Fails when a census differs from the connections that were made or from ss, when a probe and an experiment
contradict each other, and when an experiment has failed. An experiment that differs from theory is
a result. --keep writes docs/kernel-matrix.json, out of which generate_kernel_matrix.py makes the page.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from pathlib import Path
from typing import Any, NamedTuple

KEPT = Path(__file__).resolve().parent.parent / "docs" / "kernel-matrix.json"

#: what a guest has beside its kernel that an answer may depend on
PACKAGES = ("python3", "iproute2")


class Pool(NamedTuple):
    """What has to be found of a pool."""

    direction: str
    remote_address: str
    port: int
    used: int
    time_wait: int


class Comparison(NamedTuple):
    """One thing that an experiment has shown, and what the probe says of it. ``outcome``: agree, contradict, untold."""

    key: str
    experiment: str
    shown: Any
    probed: Any
    outcome: str


def made(port: int, numbers: dict[str, int]) -> set[Pool]:
    """The pools of known connections: a closed one is at the end that closed first, an established one at both."""
    clients, ipv6, servers = (numbers[key] for key in ("client_closes", "client_closes_ipv6", "server_closes"))
    established = numbers["established"]
    pools = {
        Pool("outbound", "127.0.0.1", port, clients + established, clients),
        Pool("outbound", "::1", port, ipv6, ipv6),
        Pool("inbound", "127.0.0.1", port + 1, servers, servers),
        Pool("inbound", "127.0.0.1", port, established, 0),
    }
    return {pool for pool in pools if pool.used}


def found(port: int, namespace: dict[str, Any]) -> set[Pool]:
    """The pools of the facts at these ports: Ansible's own connection is there too, and those of the census before."""
    pools = (
        Pool(
            pool["direction"],
            pool["remote_address"],
            pool["remote_port" if pool["direction"] == "outbound" else "local_port"],
            pool["used"],
            pool["time_wait"],
        )
        for pool in namespace["pools"]
    )
    return {pool for pool in pools if pool.port in (port, port + 1)}


def census_problems(census: dict[str, Any], numbers: list[dict[str, int]]) -> list[str]:
    """What is wrong with one census.

    :param numbers: of the connections in the guest's own namespace, and in the other.
    """
    source, port = census["source"], census["port"]
    namespaces = {namespace["label"]: namespace for namespace in census["facts"]["namespaces"]}
    problems = []
    for label, made_there, counted in zip(("host", f"lab-{source}"), numbers, census["counted"], strict=True):
        where = f"census by {source}, namespace {label}"
        if label not in namespaces:
            problems.append(f"{where}: not found, only {', '.join(sorted(namespaces))}")
            continue
        namespace = namespaces[label]
        if namespace.get("source") != source:
            problems.append(f"{where}: read by {namespace.get('source')}")
        wanted, got = made(port, made_there), found(port, namespace)
        problems += [f"{where}: not found {tuple(pool)}" for pool in sorted(wanted - got)]
        problems += [f"{where}: found, and not made {tuple(pool)}" for pool in sorted(got - wanted)]
        time_wait = sum(pool.time_wait for pool in got)
        if time_wait != counted:
            problems.append(f"{where}: {time_wait} in TIME-WAIT, ss counts {counted}")
    return problems


def probed(key: str, capabilities: dict[str, Any]) -> Any:
    """What the probe says: ``name`` is ``available``, ``name.value`` the value, ``name.key`` a part of that.

    :raises KeyError: when there is no such thing to ask for.
    """
    name, dot, part = key.partition(".")
    capability = capabilities[name]
    if not dot:
        return capability["available"]
    value = capability["value"]
    if part == "value" or value is None:
        return value
    return value[part]


def compare(experiments: list[dict[str, Any]], capabilities: dict[str, Any]) -> list[Comparison]:
    """Everything that experiments have shown, beside the probes. What a probe could not tell is not judged."""
    compared = []
    for experiment in experiments:
        for key, shown in sorted(experiment["shows"].items()):
            try:
                told = probed(key, capabilities)
            except (KeyError, TypeError):
                compared.append(Comparison(key, experiment["name"], shown, "no such capability", "contradict"))
                continue
            outcome = "untold" if told is None else "agree" if told == shown else "contradict"
            compared.append(Comparison(key, experiment["name"], shown, told, outcome))
    return compared


def facts_of(result: dict[str, Any]) -> dict[str, Any]:
    """The last facts: those of a guest that is as its distribution made it."""
    facts: dict[str, Any] = result["censuses"][-1]["facts"]
    return facts


def problems_of(result: dict[str, Any]) -> list[str]:
    """Everything that makes the run fail, a sentence each."""
    facts = facts_of(result)
    problems = [problem for census in result["censuses"] for problem in census_problems(census, result["made"])]
    problems += [
        f"facts, census by {census['source']}: {entry['what']}: {entry['reason']}"
        for census in result["censuses"]
        for entry in census["facts"]["unavailable"]
        # that the module is missing is what was arranged
        if not (census["source"] == "procfs" and "no tcp_diag" in entry["reason"])
    ]
    tried = result["experiments"]
    problems += [f"experiments: {entry['what']}: {entry['reason']}" for entry in tried["unavailable"]]
    problems += [
        f"experiment {experiment['name']} failed: {experiment['reason']}"
        for experiment in tried["experiments"]
        if experiment["verdict"] == "failed"
    ]
    problems += [
        f"{one.key}: experiment {one.experiment} shows {one.shown}, the probe says {one.probed}"
        for one in compare(tried["experiments"], facts["kernel"]["capabilities"])
        if one.outcome == "contradict"
    ]
    return problems


def versions(packages: str) -> dict[str, str]:
    """Of the kernel's package, as ``linux``, and of PACKAGES, out of what ``dpkg-query --show`` printed."""
    installed = dict(line.split("\t", 1) for line in packages.splitlines())
    chosen = {name: installed[name] for name in PACKAGES}
    kernel = next(name for name in sorted(installed) if re.match(r"linux-image-\d", name))
    return {"linux": installed[kernel], **chosen}


def condense(suite: str, result: dict[str, Any]) -> dict[str, Any]:
    """What the page is made of, for one kernel."""
    facts, tried = facts_of(result), result["experiments"]
    capabilities = facts["kernel"]["capabilities"]
    return {
        "suite": suite,
        "release": facts["kernel"]["release"],
        "accelerator": result["accelerator"],
        "versions": versions(result["packages"]),
        "census": {
            census["source"]: {"pools": len(pools), "time_wait": sum(pool.time_wait for pool in pools)}
            for census in result["censuses"]
            for pools in [
                [pool for namespace in census["facts"]["namespaces"] for pool in found(census["port"], namespace)]
            ]
        },
        "capabilities": capabilities,
        "structure_bytes": facts["kernel"]["structure_bytes"],
        "memory": {key: facts["memory"][key] for key in ("source", "per_inbound_bytes", "per_outbound_bytes")},
        "experiments": {
            experiment["name"]: {key: experiment[key] for key in ("verdict", "told", "reason", "figures", "seconds")}
            for experiment in tried["experiments"]
        },
        "comparisons": [one._asdict() for one in compare(tried["experiments"], capabilities)],
    }


def document(results: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """All kernels, oldest first, and what is the same for all of them."""
    kernels = [condense(suite, result) for suite, result in results.items()]
    kernels.sort(key=lambda kernel: [int(number) for number in re.findall(r"\d+", kernel["release"])])
    first = next(iter(results.values()))
    return {
        "measured_on": max(facts_of(result)["collected_at"] for result in results.values())[:10],
        "experiments": [
            {key: experiment[key] for key in ("name", "title", "predicts", "predicted_by")}
            for experiment in first["experiments"]["experiments"]
        ],
        "kernels": kernels,
    }


def main() -> int:
    """Say what is wrong; a summary otherwise."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", type=Path)
    parser.add_argument("--keep", action="store_true")
    arguments = parser.parse_args()
    results = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in arguments.results.glob("*.json")}
    if not results:
        print(f"no results in {arguments.results}: no guest has answered", file=sys.stderr)
        return 1
    problems = [f"{suite}: {problem}" for suite in sorted(results) for problem in problems_of(results[suite])]
    print("\n".join(problems), file=sys.stderr)
    if problems:
        return 1
    if arguments.keep:
        KEPT.write_text(json.dumps(document(results), indent=1, sort_keys=True) + "\n", encoding="utf-8")
    for suite, result in sorted(results.items()):
        tried = result["experiments"]["experiments"]
        verdicts = [experiment["verdict"] for experiment in tried]
        compared = [one.outcome for one in compare(tried, facts_of(result)["kernel"]["capabilities"])]
        print(
            f"{suite}: {facts_of(result)['kernel']['release']}, experiments: "
            + ", ".join(f"{verdicts.count(word)} {word}" for word in ("agrees", "differs", "skipped"))
            + f"; probes: {compared.count('agree')} confirmed, {compared.count('untold')} could not tell"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
