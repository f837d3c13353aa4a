# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Make ``ansible_collections.tcpops.timewait`` importable, and hypothesis repeatable."""

from __future__ import annotations

import os
import sys

import hypothesis

_HERE = os.path.dirname(os.path.abspath(__file__))
_ROOT = os.path.dirname(os.path.dirname(_HERE))
_CACHE = os.path.join(_ROOT, ".cache")
_LINK = os.path.join(_CACHE, "ansible_collections", "tcpops", "timewait")


def _collections_path() -> str:
    """The folder that holds ansible_collections: the one we are in, or .cache."""
    tail = os.path.join("ansible_collections", "tcpops", "timewait")
    if _ROOT.endswith(os.sep + tail):  # ansible-test runs a real copy
        return _ROOT[: -len(tail) - 1]
    if not os.path.lexists(_LINK):
        os.makedirs(os.path.dirname(_LINK), exist_ok=True)
        os.symlink(os.path.join("..", "..", ".."), _LINK)
    return _CACHE


if _collections_path() not in sys.path:
    sys.path.insert(0, _collections_path())

# The same examples on each run and each machine: a failure is never a matter of luck.
# No deadline, since a busy machine is no defect of the parser.
hypothesis.settings.register_profile("tcpops", derandomize=True, max_examples=200, deadline=None, database=None)
hypothesis.settings.load_profile("tcpops")
