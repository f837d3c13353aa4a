# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What users may put in place of the defaults, and the one sentence when they may not."""

from __future__ import annotations

import math

import pytest
from ansible_collections.tcpops.timewait.plugins.plugin_utils._findings.thresholds import (
    DEFAULTS,
    TABLE,
    ThresholdError,
    merge,
)


def test_nothing_set_gives_the_defaults() -> None:
    assert merge({}) == dict(DEFAULTS)


def test_a_value_replaces_its_default_and_no_other() -> None:
    assert merge({"pool_high": 0.7}) == {**DEFAULTS, "pool_high": 0.7}
    assert DEFAULTS["pool_high"] == 0.80


def test_the_defaults_pass_their_own_checks() -> None:
    assert merge(dict(DEFAULTS)) == dict(DEFAULTS)


@pytest.mark.parametrize("threshold", TABLE, ids=lambda row: row.name)
def test_every_threshold_is_documented(threshold: object) -> None:
    _name, default, unit, meaning, minimum, maximum = threshold  # type: ignore[misc]
    assert unit and meaning.endswith(".") and minimum <= default <= maximum


@pytest.mark.parametrize(
    "user, sentence",
    [
        (None, "must be a dictionary"),
        ([], "must be a dictionary"),
        ({"pool_hihg": 0.7}, "unknown threshold 'pool_hihg': there are bucket_share"),
        ({7: 0.7}, "unknown threshold 7"),
        ({"pool_high": "0.7"}, "threshold pool_high must be a number, not str"),
        ({"pool_high": True}, "threshold pool_high must be a number, not bool"),
        ({"pool_high": None}, "threshold pool_high must be a number, not NoneType"),
        ({"pool_high": math.nan}, "threshold pool_high must be between 0.01 and 1"),
        ({"pool_high": math.inf}, "threshold pool_high must be between 0.01 and 1"),
        ({"pool_high": 80}, "threshold pool_high must be between 0.01 and 1 (share of capacity)"),
        ({"pool_high": -0.1}, "threshold pool_high must be between"),
        ({"exhaustion_seconds": -1}, "threshold exhaustion_seconds must be between 0 and 86400 (seconds)"),
        ({"wide_range_low": 1023}, "threshold wide_range_low must be between 1024 and 65535 (port)"),
        ({"wide_range_low": 10240.5}, "threshold wide_range_low must be a whole number (port)"),
        ({"pool_high": 0.5}, "threshold pool_cliff (0.5) must be less than pool_high (0.5)"),
        ({"pool_high": 0.96}, "threshold pool_high (0.96) must be less than pool_critical (0.95)"),
        ({"wide_range_low": 60000, "wide_range_high": 50000}, "wide_range_low (60000) must be less than"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_cannot_be_used_is_said_in_one_sentence(user: object, sentence: str) -> None:
    with pytest.raises(ThresholdError) as caught:
        merge(user)
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)
