# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a gather_subset stands for."""

import pytest
from ansible_collections.tcpops.timewait.plugins.module_utils._facts import SUBSETS
from ansible_collections.tcpops.timewait.plugins.modules.timewait_facts import chosen_subsets

ALL = set(SUBSETS)
LISTENING = {"connect_failures"}


@pytest.mark.parametrize(
    ("asked", "seconds", "expected"),
    [
        (["all"], 0, ALL),
        ([], 0, ALL),
        (["all", "!census"], 0, ALL - {"census"}),
        (["!census"], 0, ALL - {"census"}),
        (["census"], 0, {"census"}),
        (["all"], 10, ALL | LISTENING),
        (["census"], 10, {"census"} | LISTENING),
        (["connect_failures"], 10, LISTENING),
        (["!all"], 10, LISTENING),
        (["!connect_failures"], 10, ALL),
        (["all", "connect_failures", "!connect_failures"], 0, ALL),
    ],
)
def test_subsets_are_added_and_left_out(asked, seconds, expected):
    assert chosen_subsets(asked, seconds) == expected


@pytest.mark.parametrize(
    ("asked", "words"),
    [(["all", "connect_failures"], "connect_failures_seconds is 0: set it"), (["sockets"], "'sockets': it takes all")],
)
def test_what_cannot_be_gathered_is_refused(asked, words):
    with pytest.raises(ValueError, match=words):
        chosen_subsets(asked, 0)
