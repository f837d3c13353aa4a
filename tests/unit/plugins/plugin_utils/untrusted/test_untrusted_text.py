# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Untrusted text: what could move a cursor, hide or reorder text must come out visible, short and cheap."""

from __future__ import annotations

import time

import pytest
from ansible_collections.tcpops.timewait.plugins.plugin_utils._untrusted.text import clean, is_plain, text

HOSTILE = [
    ("\033[31mred\033[0m", "\\x1b[31mred\\x1b[0m"),
    ("\033]0;title\007", "\\x1b]0;title\\x07"),
    ("a\x9bK", "a\\x9bK"),
    ("a\rb\bc\x7f", "a\\x0db\\x08c\\x7f"),
    ("two\nlines\r\nand\ttab", "two lines and tab"),
    ("user\u202etxt.exe", "user\\u202etxt.exe"),
    ("\u2066isolate\u2069", "\\u2066isolate\\u2069"),
    ("ze\u200bro\ufeff", "ze\\u200bro\\ufeff"),
    ("tag\U000e0041", "tag\\U000e0041"),
    ("half \ud800 pair", "half \\ud800 pair"),
    ("z" + "\u0301" * 50, "z\u0301\u0301"),
    ("null\x00byte", "null\\x00byte"),
]


@pytest.mark.parametrize(("raw", "shown"), HOSTILE)
def test_control_of_the_terminal_becomes_visible(raw: str, shown: str) -> None:
    assert clean(raw) == shown


@pytest.mark.parametrize(
    "raw", ["web1", "10.0.0.1 -> [2001:db8::1]:80", "Zürich café", "日本", "<b>&amp;'\"{{ 7*7 }}"]
)
def test_ordinary_text_is_left_alone(raw: str) -> None:
    assert clean(raw) == raw


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, ""),
        (60, "60"),
        (1.5, "1.5"),
        (True, "True"),
        (10**6000, "(a very large number)"),
        ({"a": 1}, "(dict where text was expected)"),
        ([1], "(list where text was expected)"),
        (b"x", "(bytes where text was expected)"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_other_types_are_named(value: object, shown: str) -> None:
    assert clean(value) == shown


def test_five_megabytes_cost_no_more_than_their_beginning() -> None:
    giant = "\033" * 5_000_000
    started = time.perf_counter()
    for _turn in range(100):
        shown = clean(giant, 200)
    assert time.perf_counter() - started < 1
    assert len(shown) == 200
    assert shown.endswith("...")


def test_lines_are_kept_for_a_remedy() -> None:
    assert clean("a\nb\033", lines=True) == "a\nb\\x1b"


@pytest.mark.parametrize("value", [None, 7, True, ["x"], {}, ""], ids=repr)
def test_what_is_no_text_reads_as_missing(value: object) -> None:
    assert text(value) == "?"
    assert text(value, "none given") == "none given"


def test_evidence_is_one_short_line() -> None:
    shown = text("\x1b[2J\n\u202e" + "x" * 1000)
    assert shown.startswith("?[2J??xxx")
    assert len(shown) == 120


@pytest.mark.parametrize(("raw", "shown"), HOSTILE)
def test_what_clean_has_to_mend_is_not_plain(raw: str, shown: str) -> None:
    assert is_plain(raw) is ("\\" not in shown and "\n" not in raw)
