# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Figures and columns of the report."""

from __future__ import annotations

import pytest
from ansible_collections.tcpops.timewait.plugins.plugin_utils._report.text import duration, fit, quantity, size, width


@pytest.mark.parametrize(("text", "columns"), [("ab", 2), ("日本", 4), ("e\u0301", 1)])
def test_width_is_in_columns(text: str, columns: int) -> None:
    assert width(text) == columns


@pytest.mark.parametrize(("text", "shown"), [("ab", "ab   "), ("abcdefgh", "ab..."), ("日本語文", "日...")])
def test_fit_fills_the_column_exactly(text: str, shown: str) -> None:
    assert fit(text, 5) == shown
    assert width(fit(text, 5)) == 5


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (quantity(1, "host"), "1 host"),
        (quantity(12345, "host"), "12 345 hosts"),
        (size(512), "512 bytes"),
        (size(1536), "1.5 KiB"),
        (size(5 * 2**40), "5120 GiB"),
        (duration(90), "90 s"),
        (duration(600), "10 min"),
        (duration(86400), "24 h"),
    ],
)
def test_figures_read_well(shown: str, expected: str) -> None:
    assert shown == expected
