# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a source of knowledge gives: claims on ports, and what it could not read."""

from typing import List, NamedTuple, Tuple


class Claim(NamedTuple):
    """Ports, first to last, that a service needs or may need.

    ``kind``: the source of knowledge. ``where``: an address, or path and line. ``what``: for people.
    """

    first: int
    last: int
    kind: str
    where: str
    what: str


class Problem(NamedTuple):
    """What could not be read, and why."""

    what: str
    reason: str


#: what every source of knowledge returns
Found = Tuple[List[Claim], List[Problem]]
