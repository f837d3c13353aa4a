# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""TCP sockets of systemd as its unit files have them (systemd.socket(5))."""

import re
from typing import Dict, List, NamedTuple, Tuple

from ..._files import Files
from ..._service_ports.socket_units import expand, listen_port
from ..._service_ports.unit_files import Unit, UnitFiles, split_instance, template_of
from ..._service_ports.unit_syntax import values_of

#: of an address that is bound to an interface
_INTERFACE = re.compile(r"%[^:\[\]%]{2,}\Z")
_YES = ("1", "yes", "true", "on", "y", "t")


class Stream(NamedTuple):
    """One ListenStream with a TCP port. ``address``: as in ``Listener``. ``head``, ``tail``: all around the port."""

    path: str
    line: int
    address: str
    port: int
    head: str
    tail: str


class Socket(NamedTuple):
    """A socket unit. ``wanted``: something on disk starts it. ``accepts``: it starts a service for each connection."""

    unit: str
    service: str
    accepts: bool
    v6only: bool
    wanted: bool
    streams: Tuple[Stream, ...]


def read(files: Files) -> List[Socket]:
    """Every socket unit on disk that is not masked, without TCP ports too; templates only by their instances."""
    units = UnitFiles(files, "socket")
    found = []
    for unit in units.units():
        if "@" in unit.name and not split_instance(unit.name)[1]:
            continue
        settings = _last(unit)
        streams = [_stream(unit, one.value, one.path, one.line)
                   for one in values_of(unit.settings, "Socket", "ListenStream")]
        if settings.get("SocketProtocol", "tcp") not in ("tcp", "mptcp"):
            streams = []
        accepts = settings.get("Accept", "no").lower() in _YES
        found.append(Socket(
            unit.name, _service(unit, settings, accepts), accepts, settings.get("BindIPv6Only", "") == "ipv6-only",
            unit.name in units.wanted, tuple(one for one in streams if one.port),
        ))  # fmt: skip
    return found


def _last(unit: Unit) -> Dict[str, str]:
    """Settings that hold one value: the last one, where an empty one is none."""
    settings = {one.key: one.value for one in unit.settings if one.section == "Socket"}
    return {key: value for key, value in settings.items() if value}


def _service(unit: Unit, settings: Dict[str, str], accepts: bool) -> str:
    stem = unit.name.rpartition(".")[0]
    if accepts:
        return template_of("%s@.service" % stem.partition("@")[0])
    return settings.get("Service") or stem + ".service"


def _stream(unit: Unit, value: str, path: str, line: int) -> Stream:
    expanded = expand(value, unit) or ""
    spans = listen_port(expanded) if expanded else []
    if not spans:
        return Stream(path, line, "", 0, "", "")
    interface = _INTERFACE.search(value)
    tail = interface.group() if interface and expanded.endswith(interface.group()) else ""
    whole = value[: len(value) - len(tail)]
    head = whole[: whole.rfind(":") + 1]
    host = (expanded[: len(expanded) - len(tail)]).rpartition(":")[0].strip("[]").lower()
    return Stream(path, line, "*" if host == "0.0.0.0" else host, spans[0][0], head, tail)  # noqa: S104
