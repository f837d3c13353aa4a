# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What has to be opened in a firewall when a server listens on more ports."""

from typing import List, NamedTuple, Sequence

from .._files import Files
from .._transaction.steps import Step


class Opening(NamedTuple):
    """``where``: firewalls that are concerned. ``advice``: what a person has to do."""

    steps: List[Step]
    where: List[str]
    advice: List[str]


def open_ports(_files: Files, _existing_port: int, _ports: Sequence[int]) -> Opening:
    """Let what may reach a port reach others."""
    return Opening([], [], [])


def close_ports(_files: Files, _existing_port: int, _ports: Sequence[int]) -> Opening:
    """Take back what ``open_ports`` did."""
    return Opening([], [], [])
