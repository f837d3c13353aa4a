# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What SELinux has to allow when a server listens on more ports."""

from typing import List, Sequence, Tuple

from ._transaction.steps import Step


def allow_ports(_existing_port: int, _ports: Sequence[int]) -> Tuple[List[Step], List[str]]:
    """``(steps, advice)`` that give ports the type of another."""
    return [], []


def forget_ports(_existing_port: int, _ports: Sequence[int]) -> Tuple[List[Step], List[str]]:
    """``(steps, advice)`` that take that back."""
    return [], []
