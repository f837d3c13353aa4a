# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is asked for, whatever the server."""

from typing import NamedTuple, Tuple


class Request(NamedTuple):
    """TCP ports to add beside one that is there, or to take away again."""

    existing_port: int
    ports: Tuple[int, ...]
