# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ports that systemd listens on for a service: ``ListenStream=`` of socket units (systemd.socket(5))."""

import re
from typing import List, Optional

from .._files import Files
from .claim import Claim, Found, Problem
from .endpoints import Span, port_span
from .unit_files import Unit, UnitFiles, split_instance, template_of
from .unit_syntax import values_of

KIND = "socket_unit"

_INTERFACE = re.compile(r"%[^:\[\]]+\Z")
_NO_PORT = ("/", "@", "vsock", "%t/", "%S/", "%C/")


def find(files: Files) -> Found:
    """The ports of every socket unit on disk that is not masked."""
    units = UnitFiles(files, "socket")
    claims: List[Claim] = []
    problems: List[Problem] = []
    found = list(units.units())
    served = {template_of(unit.name) for unit in found if split_instance(unit.name)[1]}
    for unit in found:
        protocol = values_of(unit.settings, "Socket", "SocketProtocol")
        if protocol and protocol[-1].value not in ("tcp", "mptcp"):
            continue
        for one in values_of(unit.settings, "Socket", "ListenStream"):
            where = "%s:%d" % (one.path, one.line)
            value = expand(one.value, unit)
            if value is None and unit.name in served:
                continue  # its instances tell
            if value is None:
                reason = "ListenStream=%s of the template %s: no instance on disk tells the port"
                problems.append(Problem(where, reason % (one.value, unit.name)))
                continue
            for first, last in listen_port(value):
                claims.append(Claim(first, last, KIND, where, "ListenStream=%s of %s" % (one.value, unit.name)))
    return claims, units.problems + problems


def listen_port(value: str) -> List[Span]:
    """The port of a ``ListenStream=``: a port, ``address:port`` or ``[address]:port``, perhaps with ``%interface``."""
    if value.startswith(_NO_PORT):
        return []
    host, colon, port = _INTERFACE.sub("", value).rpartition(":")
    if colon and ":" in host and not host.endswith("]"):
        return []
    return port_span(port) if "-" not in port else []


def expand(value: str, unit: Unit) -> Optional[str]:
    """A value with the specifiers that can stand in a port; None when they need an instance that is not known."""
    if value.startswith(_NO_PORT) or "%" not in value:
        return value
    prefix, instance = split_instance(unit.name)
    if not instance:
        default = [one.value for one in unit.settings if (one.section, one.key) == ("Install", "DefaultInstance")]
        instance = default[-1] if default else ""
    if re.search(r"%[iIjJ]", value) and not instance:
        return None
    known = {"%i": instance, "%I": instance, "%p": prefix, "%P": prefix, "%j": prefix.rpartition("-")[2], "%%": "%"}
    return re.sub(r"%[iIpPj%]", lambda match: known[match.group()], value)
