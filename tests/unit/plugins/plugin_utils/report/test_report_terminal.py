# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The block: what it says, that it fits, and that it stays short for any fleet."""

from __future__ import annotations

import re
from typing import Any

import pytest
from ansible_collections.tcpops.timewait.plugins.plugin_utils._report import terminal
from ansible_collections.tcpops.timewait.plugins.plugin_utils._report.text import width
from report_factory import collect, registered
from support.facts_factory import make_pool

BUSY = registered(pools=[make_pool(used=28000, seconds_to_exhaustion=42)])
DOWN = {"unreachable": True, "msg": "No route to host"}


def block(results: dict[str, Any], **options: Any) -> str:
    return terminal.block(collect(results), **options)


def test_the_worst_comes_first_with_its_reason_and_its_fix() -> None:
    text = block({"quiet": registered(), "busy": BUSY, "down": DOWN}, written="/r/index.html")
    places = [
        text.index(word)
        for word in (
            "CRITICAL",
            "  busy",
            "10.0.0.1 -> 10.0.0.2:80",
            "99%",
            "42 s left",
            "  why  ",
            "  fix  ",
            "NOT AUDITED",
            "No route to host",
            "Harmless",
            "/r/index.html",
        )
    ]
    assert places == sorted(places)


def test_a_healthy_fleet_gets_a_clean_bill() -> None:
    text = block({f"web{n}": registered(pools=[make_pool(used=100)]) for n in range(3)})
    assert "Nothing to fix on 3 audited hosts." in text
    assert "300 TIME-WAIT sockets cost 150 KiB" in text


def test_nothing_audited_is_no_clean_bill() -> None:
    assert "Nothing to fix" not in block({"web1": DOWN})


@pytest.mark.parametrize("columns", [20, 80, 100, 120, 300])
@pytest.mark.parametrize("hosts", [1, 7, 1000])
def test_it_fits_the_width_and_one_screen(hosts: int, columns: int) -> None:
    text = block(
        {f"web{n}" + ".long" * 9: BUSY for n in range(hosts)} | {f"x{n}": DOWN for n in range(hosts)},
        columns=columns,
    )
    limit = min(max(columns, 80), 120)
    too_long = [line for line in text.splitlines() if width(line) > limit and not line.startswith("  fix  ")]
    assert not too_long
    assert text.count("\n") < 50


def test_many_hosts_are_named_and_counted() -> None:
    text = block(
        {f"web{n}": registered(sysctls={"tcp_tw_reuse": 1, "tcp_timestamps": 0}) for n in range(412)}
    )
    assert "TW-SYS-002 on 412 hosts" in text
    assert "web0, web1, web2, web3 and 408 more" in text


def test_hosts_that_fail_alike_share_a_line() -> None:
    text = block(
        {f"web{n}": {"unreachable": True, "msg": f"connect to web{n} port 22: refused"} for n in range(500)}
    )
    assert "web0, web1, web2 and 497 more" in text


@pytest.mark.parametrize("rows", [1, 5, 40])
def test_rows_are_limited(rows: int) -> None:
    text = block({f"web{n}": BUSY for n in range(100)}, rows=rows)
    assert len(re.findall(r"^  web\d+ .*\[", text, re.MULTILINE)) <= rows


def test_ascii_when_the_locale_has_no_more() -> None:
    text = block({"bürö": BUSY}, unicode=False)
    assert text.isascii()
    assert "|###" in text


@pytest.mark.parametrize(
    ("utilisation", "drawn"),
    [
        (0, "[..........|......|....]"),
        (0.001, "[#.........|......|....]"),
        (0.5, "[##########|......|....]"),
        (0.8, "[##########|######|....]"),
        (0.999, "[##########|######|###.]"),
        (1, "[##########|######|####]"),
        (9.99, "[##########|######|####]"),
    ],
)
def test_the_bar_never_hides_the_first_or_the_last_quadruplet(utilisation: float, drawn: str) -> None:
    assert terminal.drawn_bar(utilisation, unicode=False) == drawn


def test_colour_adds_nothing_to_the_words() -> None:
    text = block({"busy": BUSY, "down": DOWN})
    painted = terminal.paint(text)
    assert painted != text
    assert re.sub(r"\033\[[0-9;]*m", "", painted) == text


def test_hostile_words_reach_the_terminal_inert() -> None:
    evil = "\033[2J\u202e{{ lookup('pipe', 'id') }}\nCRITICAL  fake"
    pool = make_pool(used=28000, remote_address=evil, local_address=evil)
    text = block({evil: registered(pools=[pool]), "down" + evil: {"unreachable": True, "msg": evil}})
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", text)
    assert not re.search(r"^CRITICAL  fake", text, re.MULTILINE)


def test_a_fix_can_be_pasted_as_a_whole_line() -> None:
    fixes = [
        line[7:]
        for line in block({f"web{n}": BUSY for n in range(3)}).splitlines()
        if line.startswith("  fix  ")
    ]
    assert fixes
    assert all(re.fullmatch(r"[^#]+?(  # web\d)?", line) for line in fixes)
