# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is shown of the log of a check that failed: what went wrong, and not only the tidying up after it."""

import pytest
import run_checks

TIDYING = [f"ok: [{number}]" for number in range(50)]


@pytest.mark.parametrize(
    ("log", "first", "lines"),
    [
        (["ok: [a]", "fatal: [a]: FAILED! =>", "    msg: no", *TIDYING], "fatal: [a]: FAILED! =>", 20),
        (["failed: [a] (item=1)", "...ignoring", "fatal: [b]", *TIDYING[:3]], "fatal: [b]", 4),
        (["FAILED - RETRYING: [a]", *TIDYING], "ok: [42]", 8),
        (["FAILED tests/a.py::test - no", "1 failed in 2.00s"], "FAILED tests/a.py::test - no", 2),
        (["E" * 900], "E" * 300, 1),
        ([], None, 0),
    ],
)
def test_what_went_wrong_is_shown_with_the_end_of_the_log(log: list[str], first: str | None, lines: int) -> None:
    shown = run_checks.trouble("\n".join(log))
    assert (shown[:1], len(shown)) == ([first] if first else [], lines)
    assert shown[-1:] == [line[:300] for line in log[-1:]]
