#!/usr/bin/env python
# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes docs/kernel-matrix.md out of docs/kernel-matrix.json; with --check, tells whether it is up to date.

The JSON is written by a run of ``make kernels``. A kernel of the scenario's inventory that is not in
it is named as not run.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "docs" / "kernel-matrix.json"
TARGET = ROOT / "docs" / "kernel-matrix.md"
INVENTORY = ROOT / "extensions" / "molecule" / "kernels" / "inventory" / "hosts.yml"

_HEAD = """# Kernel matrix

<!-- Written by tools/generate_kernel_matrix.py out of a run of `make kernels`. Do not edit. -->

What real kernels say and do, each booted in a virtual machine of its own: the facts, the census of connections that
were made for it, and every experiment. How to run it: [testing on real kernels](kernels.md)."""

_ACCELERATORS = {"tcg": "emulated by software, so that times are those of a slow machine", "kvm": "accelerated by KVM"}


def cell(text: object) -> str:
    """Text that cannot end its cell."""
    return str(text).replace("|", "\\|").replace("\n", " ")


def table(head: list[str], rows: list[list[str]]) -> list[str]:
    """Lines of a Markdown table."""
    lines = [head, ["---"] * len(head), *([cell(text) for text in row] for row in rows)]
    return ["| " + " | ".join(line) + " |" for line in lines]


def plain(value: Any) -> str:
    """A value of a capability in a few words."""
    if value is None:
        return "unknown"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return ", ".join(f"{key} {plain(value[key])}" for key in sorted(value))
    if isinstance(value, list):
        return " ".join(plain(item) for item in value)
    return str(value)


def capability(found: dict[str, Any]) -> str:
    """Whether a kernel has it, and with which value."""
    if found["available"] is None:
        return "cannot be told"
    if found["value"] is None or found["value"] == "":
        return plain(found["available"])
    return f"{plain(found['available'])}: {plain(found['value'])}"


def _name(kernel: dict[str, Any]) -> str:
    # The package's version: what the kernel calls itself may hide the last number.
    return f"{kernel['versions']['linux'].split('-')[0]} ({kernel['suite']})"


def _side_by_side(kernels: list[dict[str, Any]], part: str, what: str, words: Any) -> list[str]:
    """A row for each name that any kernel has in a part, a column for each kernel."""
    names = sorted({name for kernel in kernels for name in kernel[part]})
    rows = [
        [f"`{name}`", *(words(kernel[part][name]) if name in kernel[part] else "" for kernel in kernels)]
        for name in names
    ]
    return table([what, *map(_name, kernels)], rows)


def _comparisons(kernels: list[dict[str, Any]]) -> list[str]:
    found = [{(one["key"], one["experiment"]): one for one in kernel["comparisons"]} for kernel in kernels]
    rows = []
    for key, experiment in sorted({pair for of_kernel in found for pair in of_kernel}):
        row = [f"`{key}`", f"`{experiment}`"]
        for of_kernel in found:
            one = of_kernel.get((key, experiment))
            if one is None:
                row.append("")
            elif one["outcome"] == "untold":
                row.append(f"{plain(one['shown'])}, which the probe cannot tell")
            else:
                row.append(f"{one['outcome']}: {plain(one['shown'])}")
        rows.append(row)
    return table(["capability", "experiment", *map(_name, kernels)], rows)


def _experiments(document: dict[str, Any]) -> list[str]:
    kernels = document["kernels"]
    rows = []
    details = []
    for experiment in document["experiments"]:
        name = experiment["name"]
        outcomes = [kernel["experiments"].get(name) for kernel in kernels]
        rows.append([f"[`{name}`](#{name})", *(outcome["verdict"] if outcome else "" for outcome in outcomes)])
        details += ["", f"### {name}", "", f"**{experiment['title']}.** {experiment['predicts']}", ""]
        details += table(
            ["kernel", "verdict", "what it did"],
            [
                [_name(kernel), outcome["verdict"], "; ".join(filter(None, (outcome["told"], outcome["reason"])))]
                for kernel, outcome in zip(kernels, outcomes, strict=True)
                if outcome
            ],
        )
    return [*table(["experiment", *map(_name, kernels)], rows), *details]


def _guests(kernels: list[dict[str, Any]]) -> list[str]:
    packages = sorted({name for kernel in kernels for name in kernel["versions"]} - {"linux"})
    rows = [
        [
            kernel["suite"],
            kernel["release"],
            *(kernel["versions"].get(name, "") for name in ("linux", *packages)),
        ]
        for kernel in kernels
    ]
    return table(["Debian", "kernel", "its package", *(f"`{name}`" for name in packages)], rows)


def _census(kernels: list[dict[str, Any]]) -> list[str]:
    rows = [
        [_name(kernel), f"`{source}`", str(census["pools"]), str(census["time_wait"])]
        for kernel in kernels
        for source, census in sorted(kernel["census"].items())
    ]
    return table(["kernel", "read by", "pools", "TIME-WAIT"], rows)


def _capabilities(kernels: list[dict[str, Any]]) -> list[str]:
    untold = [
        f"* {_name(kernel)}, `{name}`: {found['evidence']}"
        for kernel in kernels
        for name, found in sorted(kernel["capabilities"].items())
        if found["available"] is None
    ]
    lines = _side_by_side(kernels, "capabilities", "capability", capability)
    return [*lines, "", *untold] if untold else lines


def _structures(kernels: list[dict[str, Any]]) -> list[str]:
    sizes = _side_by_side(kernels, "structure_bytes", "structure", lambda size: "" if size is None else str(size))
    keys = ("per_inbound_bytes", "per_outbound_bytes", "source")
    costs = [[_name(kernel), *(str(kernel["memory"][key]) for key in keys)] for kernel in kernels]
    words = "What one TIME-WAIT socket costs, its structure and its share of others, in bytes:"
    return [*sizes, "", words, "", *table(["kernel", "inbound", "outbound", "known from"], costs)]


def _section(title: str, words: str, lines: list[str]) -> list[str]:
    return ["", f"## {title}", "", words, "", *lines]


def render(document: dict[str, Any], suites: list[str]) -> str:
    """The whole page.

    :param suites: all kernels that there should be.
    """
    kernels = document["kernels"]
    missing = [suite for suite in suites if suite not in {kernel["suite"] for kernel in kernels}]
    accelerators = sorted({_ACCELERATORS[kernel["accelerator"]] for kernel in kernels})
    lines = [_HEAD, "", f"Run on {document['measured_on']}; the guests were {' or '.join(accelerators)}."]
    if missing:
        lines += ["", f"**Not run: {', '.join(missing)}.**"]
    lines += _section("Guests", "Each is a Debian of one release with that release's own kernel.", _guests(kernels))
    lines += _section(
        "Census",
        "The same kinds of connections twice, in two network namespaces each: first while the modules `inet_diag` and"
        "\n`tcp_diag` could not be loaded, then with them. Each census was compared with what was made, and with `ss`.",
        _census(kernels),
    )
    lines += _section(
        "Capabilities, as probed",
        "What each one is: [schema.md](schema.md#capabilities-of-the-kernel).",
        _capabilities(kernels),
    )
    lines += _section(
        "Structures", "Bytes, out of BTF; no number: the kernel has no such structure.", _structures(kernels)
    )
    lines += _section(
        "Probe and experiment",
        "What experiments have shown of capabilities, and whether the probes say the same.",
        _comparisons(kernels),
    )
    lines += _section(
        "Experiments",
        "Whether each kernel does what theory predicts. What needs what the kernel lacks, or says neither, is skipped.",
        _experiments(document),
    )
    return "\n".join(lines) + "\n"


def main() -> int:
    """Exit code: 1 when ``--check`` finds the document out of date."""
    document = json.loads(SOURCE.read_text(encoding="utf-8"))
    suites = list(yaml.safe_load(INVENTORY.read_text(encoding="utf-8"))["guests"]["hosts"])
    page = render(document, suites)
    if "--check" in sys.argv[1:]:
        fresh = TARGET.exists() and TARGET.read_text(encoding="utf-8") == page
        if not fresh:
            print(f"{TARGET} is out of date: run {Path(__file__).name}", file=sys.stderr)
        return 0 if fresh else 1
    TARGET.write_text(page, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
