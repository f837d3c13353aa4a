# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The loaders that a host has, found by their programs and units: distributions mix them."""

from typing import List

from . import loader_procps, loader_systemd, loader_tuned, loader_ufw
from .files import Files
from .reading import Reading


def read_all(files: Files) -> List[Reading]:
    """What each loader of the host would do, in the order in which they run at boot."""
    found = (one.read(files) for one in (loader_systemd, loader_procps, loader_ufw, loader_tuned))
    return [reading for reading in found if reading is not None]
