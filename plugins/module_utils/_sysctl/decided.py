# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the configuration as a whole gives: the last word at boot, of all loaders."""

from typing import AbstractSet, Dict, Iterable, NamedTuple

from . import keys, loaders, precedence
from .files import Files


class Decided(NamedTuple):
    """``value`` as the kernel will show it, and the line that gives it under ``loader``."""

    value: str
    path: str
    line: int
    loader: str


def decided(files: Files, asked: Iterable[str], present: AbstractSet[str]) -> Dict[str, Decided]:
    """What is set by key. A key that nothing sets is absent.

    Loaders run one after the other at boot, and the last that sets a key decides. One that runs by hand only, as
    ``sysctl --system`` does beside systemd, decides where no other does.
    """
    found: Dict[str, Decided] = {}
    followed = keys.Followed(frozenset(asked), frozenset(present))
    for reading in sorted(loaders.read_all(files), key=lambda one: one.at_boot is not False):
        for key, outcome in precedence.outcomes(reading, followed).items():
            if outcome.winner is not None and outcome.value is not None:
                found[key] = Decided(outcome.value, outcome.winner.path, outcome.winner.line, reading.loader)
    return found
