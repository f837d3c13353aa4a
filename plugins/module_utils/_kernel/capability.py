# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What one capability of the kernel looks like in the facts."""

from typing import Any, NamedTuple, Optional

from .errors import KernelReadError, MissingError


class Capability(NamedTuple):
    """``available`` is None where it cannot be told, and ``evidence`` then says why. ``value`` depends on the name."""

    available: Optional[bool]
    value: Any
    evidence: str


def unknown(error: KernelReadError) -> Capability:
    """What could not be found out."""
    if isinstance(error, MissingError):
        return Capability(None, None, "cannot tell: no %s" % error.what)
    return Capability(None, None, "cannot tell: %s" % error)
