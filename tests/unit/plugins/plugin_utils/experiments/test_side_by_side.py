# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Results of made-up hosts, compared and drawn."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.tcpops.timewait.plugins.plugin_utils._experiments.compare import compare
from ansible_collections.tcpops.timewait.plugins.plugin_utils._experiments.table import paint, table


def entry(name: str, verdict: str = "agrees", **more: Any) -> dict[str, Any]:
    return {
        "name": name,
        "title": f"Title of {name}",
        "predicts": f"Theory of {name}.",
        "predicted_by": "kernel",
        "verdict": verdict,
        "told": f"{name} told 64",
        "figures": {},
        "shows": {},
        "seconds": 0.1,
        "reason": None,
        **more,
    }


def result(*entries: dict[str, Any], release: str = "6.18.44") -> dict[str, Any]:
    return {"kernel": {"release": release}, "experiments": list(entries), "unavailable": [], "changed": False}


FINE = result(entry("pool"), entry("delay"), entry("cost"))
ODD = result(entry("pool"), entry("delay"), entry("cost", "differs", told="1.1 times as long"), release="5.10.0")
BROKEN = result(
    entry("pool"), entry("delay", "failed", told=None, reason="no answer within 5 s"), entry("cost", "skipped")
)


def test_hosts_that_behave_alike_stand_together_worst_first() -> None:
    found = compare([("web1", FINE), ("web2", ODD), ("web3", FINE), ("web4", BROKEN)])
    assert [(group.release, group.hosts) for group in found.groups] == [
        ("6.18.44", ["web4"]),
        ("5.10.0", ["web2"]),
        ("6.18.44", ["web1", "web3"]),
    ]
    assert found.experiments == [("delay", 0), ("cost", 1), ("pool", 3)]
    assert found.verdicts() == {"failed": 1, "differs": 1, "skipped": 1, "agrees": 9}
    assert found.hosts == 4


def test_the_same_verdicts_on_another_kernel_are_another_column() -> None:
    found = compare([("web1", FINE), ("web2", {**FINE, "kernel": {"release": "6.1.0"}})])
    assert [group.release for group in found.groups] == ["6.18.44", "6.1.0"]


@pytest.mark.parametrize(
    ("given", "missing"),
    [
        (None, ("failed", "no result: the host left the run before its experiments")),
        ({"unreachable": True, "msg": "Connection refused"}, ("unreachable", "Connection refused")),
        ({"failed": True, "msg": "no Python"}, ("failed", "no Python")),
        ({"experiments": "none"}, ("failed", "the module returned no experiments")),
    ],
)
def test_hosts_without_results_are_named(given: object, missing: tuple[str, str]) -> None:
    found = compare([("web1", FINE), ("web2", given)])
    assert found.missing == [("web2", *missing)]
    assert found.hosts == 2
    text = table(found)
    assert "NOT TRIED: 1 host\n" in text
    assert f"  web2       {missing[0]}: {missing[1]}" in text


def test_the_table_shows_verdicts_figures_and_theory_where_it_was_wrong() -> None:
    lines = table(compare([("web1", FINE), ("web2", ODD), ("web3", FINE), ("web4", BROKEN)])).splitlines()
    assert "Experiments on 4 hosts: 9 agrees, 1 skipped, 1 differs, 1 failed" in lines
    assert "A  6.18.44                web4" in lines
    assert "C  6.18.44                web1, web3" in lines
    assert "delay                     FAILED   agrees   agrees" in lines
    assert "cost                      skipped  DIFFERS  agrees" in lines
    assert "pool                      agrees   agrees   agrees" in lines
    assert "  A FAILED   no answer within 5 s" in lines
    assert "  B DIFFERS  1.1 times as long" in lines
    assert "  theory     Theory of cost." in lines
    assert "  theory     Theory of pool." not in lines
    places = [lines.index(f"{name}: Title of {name}") for name in ("delay", "cost", "pool")]
    assert places == sorted(places)


def test_an_experiment_that_a_host_does_not_have_leaves_its_cell_empty() -> None:
    lines = table(compare([("web1", FINE), ("web2", result(entry("pool"), release="6.1.0"))])).splitlines()
    assert "cost                      agrees   -" in lines


@pytest.mark.parametrize("columns", [20, 80, 100, 500])
def test_a_fleet_of_many_kernels_keeps_to_the_width(columns: int) -> None:
    found = [(f"host{number:03}", {**FINE, "kernel": {"release": f"6.{number // 3}"}}) for number in range(60)]
    text = table(compare(found), columns)
    assert max(map(len, text.splitlines())) <= min(max(columns, 80), 120)
    assert "other groups" in text


def test_many_hosts_of_one_kind_are_counted() -> None:
    text = table(compare((f"host{number:03}", FINE) for number in range(1000)))
    assert "host000, host001, host002 and 997 more" in text


@pytest.mark.parametrize(
    "hostile",
    [
        entry("pool", told="\x1b[2J\x1b[31mowned"),
        entry("\u202epool"),
        entry("pool", "agrees\x1b[0m"),
        entry("pool", {"a": 1}),  # type: ignore[arg-type]
        entry("pool", told={"x": "y"}, reason=["z"], predicts=7, title=None),
        {},
        {"name": None, "verdict": None},
        entry("x" * 10_000, told="y" * 1_000_000),
    ],
)
def test_what_a_host_returns_moves_no_cursor_and_breaks_nothing(hostile: dict[str, Any]) -> None:
    found = compare([("web1", FINE), ("web2", result(hostile, release="\x1b[1m"))])
    text = table(found)
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert len(text) < 10_000
    assert "web2" in text


def test_a_verdict_that_there_is_not_reads_as_failed() -> None:
    found = compare([("web1", result(entry("pool", "wonderful")))])
    assert found.verdicts()["failed"] == 1


def test_a_host_does_not_fill_the_table() -> None:
    found = compare([("web1", result(*(entry(f"n{number}") for number in range(5000))))])
    assert len(found.experiments) == 100


def test_colour_repeats_what_the_words_say() -> None:
    text = table(compare([("web1", ODD), ("web2", None)]))
    painted = paint(text)
    assert "\x1b[33mDIFFERS\x1b[0m" in painted
    for code in ("\x1b[33m", "\x1b[1;35m", "\x1b[0m"):
        assert code in painted
        painted = painted.replace(code, "")
    assert painted == text


def test_nobody_ran_anything() -> None:
    assert "Experiments on 0 hosts: none" in table(compare([]))
