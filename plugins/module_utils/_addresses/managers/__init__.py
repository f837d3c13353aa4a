# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What manages an interface, found by asking: one file for each manager."""

from typing import Callable, Optional, Tuple

from ..errors import AddressError
from ..host import Host
from . import ifupdown, network_manager, networkd, unit
from .manager import Manager

#: NetworkManager and networkd say so themselves, netplan among them; ifupdown only keeps a note of what it did
_FINDERS: Tuple[Callable[[Host, str], Optional[Manager]], ...] = (
    network_manager.find,
    networkd.find,
    ifupdown.find,
    unit.find,
)


def find(host: Host, interface: str) -> Manager:
    """Whatever manages the interface.

    :raises AddressError: when nothing does, and there is no systemd either, or when it cannot be told where.
    """
    for finder in _FINDERS:
        found = finder(host, interface)
        if found:
            return found
    raise AddressError(
        "nothing manages %s that would give it addresses at boot: no NetworkManager, systemd-networkd or ifupdown says "
        "so, and there is no systemd to do it; use persist: false" % interface
    )
