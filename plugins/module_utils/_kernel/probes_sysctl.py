# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Capabilities that a sysctl file shows. Nothing is written: what a file would take is not tried."""

from typing import Any, Dict, List, Optional, Union

from . import sysctls
from .capability import Capability, unknown
from .errors import KernelReadError, MissingError
from .running import RunningKernel
from .symbols import Symbols


def of_sysctl(kernel: RunningKernel, key: str) -> Capability:
    """Available where there is such a file; its value as the facts show sysctls."""
    try:
        value = sysctls.read_value(kernel, "/proc/sys/net/ipv4/" + key)
    except MissingError as error:
        return Capability(False, None, "no %s" % error.what)
    except KernelReadError as error:
        return unknown(error)
    return Capability(True, value, "net.ipv4.%s = %s" % (key, value))


#: whether timestamps of one host can be compared with each other, by where they begin
_ONE_CLOCK = {"none": True, "per_host_pair": True, "per_connection": False, "per_4_tuple": False}


def recycle(kernel: RunningKernel, offset: Capability) -> Capability:
    """``value``: setting, and whether it does what it was made for.

    It compares the timestamps of all connections of one host, which an offset of each connection makes pointless.

    :param offset: the capability ``timestamp_offset``.
    """
    found = of_sysctl(kernel, "tcp_tw_recycle")
    if not found.available:
        return found
    works = _ONE_CLOCK.get(str(offset.value))
    evidence = "%s; offset of timestamps: %s" % (found.evidence, offset.evidence)
    return Capability(True, {"setting": found.value, "works": works}, evidence)


def reuse(kernel: RunningKernel) -> Capability:
    """``value``: setting, modes that it takes where that shows, and whether timestamps make it inert."""
    found = of_sysctl(kernel, "tcp_tw_reuse")
    if not found.available:
        return found
    evidence = [found.evidence]
    modes: Optional[List[int]] = None
    delay = of_sysctl(kernel, "tcp_tw_reuse_delay")
    if found.value == 2 or delay.available:
        # the delay (ca6a6f93867a) was made for a kernel that had the mode for loopback (79e9fed46038)
        modes = [0, 1, 2]
        evidence.append("mode 2 is set" if found.value == 2 else "net.ipv4.tcp_tw_reuse_delay is newer than mode 2")
    else:
        evidence.append("whether it takes 2 is not tried: that would change it")
    timestamps = of_sysctl(kernel, "tcp_timestamps")
    inert = timestamps.value == 0 if isinstance(timestamps.value, int) else None
    evidence.append(timestamps.evidence)
    return Capability(True, {"setting": found.value, "modes": modes, "inert": inert}, "; ".join(evidence))


def buckets(kernel: RunningKernel, symbols: Symbols) -> Capability:
    """``value``: limit, and whether each network namespace has its own (1946e672c173)."""
    found = of_sysctl(kernel, "tcp_max_tw_buckets")
    if not found.available:
        return found
    own: Optional[bool] = None
    try:
        namespace = symbols.structure("netns_ipv4")
        own = "tcp_death_row" in namespace.members if namespace else None
        told = "netns_ipv4.tcp_death_row is%s in BTF" % ("" if own else " not")
    except KernelReadError as error:
        told = "whether it is per namespace cannot be told: %s" % error
    value: Dict[str, Union[bool, int, str, None]] = {"limit": found.value, "per_namespace": own}
    return Capability(True, value, "%s; %s" % (found.evidence, told))


def port_range(kernel: RunningKernel) -> Capability:
    """``value``: both ends."""
    found = of_sysctl(kernel, "ip_local_port_range")
    ends = str(found.value).split()
    if found.available and len(ends) == 2 and all(end.isdigit() for end in ends):
        return found._replace(value=[int(end) for end in ends])
    if found.available:
        return Capability(None, None, "cannot tell: %.60s" % found.evidence)
    return found


def ehash(kernel: RunningKernel) -> Capability:
    """``value``: buckets. The kernel shows a negative number where the table is that of the first namespace."""
    found = of_sysctl(kernel, "tcp_ehash_entries")
    value: Any = found.value
    if found.available and isinstance(value, int):
        shared = "; the table is that of the first namespace" if value < 0 else ""
        return Capability(True, abs(value), found.evidence + shared)
    return found
