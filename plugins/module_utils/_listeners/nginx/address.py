# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The address of a listen directive: ``ngx_parse_url`` with ``listen`` set. Pure text."""

import ipaddress
import re
from typing import NamedTuple, Optional

_PORTS = re.compile(r"([0-9]+)(?:-([0-9]+))?\Z")
_HOST = re.compile(r"\*|[A-Za-z0-9_.-]+|\[[0-9A-Fa-f:.]+\]")


class Endpoint(NamedTuple):
    """``host``: as it is written, brackets included, empty for a port alone. ``first`` to ``last``: the ports."""

    host: str
    first: int
    last: int

    @property
    def address(self) -> str:
        """What the host means: "*" for every IPv4 address, "::" for every IPv6 one, else an address or a name."""
        bare = self.host.strip("[]")
        try:
            text = str(ipaddress.ip_address(bare))
        except ValueError:
            return bare.lower() or "*"
        return "*" if text == "0.0.0.0" else text  # noqa: S104  # nothing is bound here

    def with_port(self, port: int) -> str:
        """The same address with another port, as a listen directive has it."""
        return "%s:%d" % (self.host, port) if self.host else str(port)


def parse(word: str, default_port: Optional[int]) -> Optional[Endpoint]:
    """What the first word after ``listen`` names; None for a Unix socket.

    :param default_port: of an address without one, None where it has to have one.
    :raises ValueError: with the reason, when it cannot be known.
    """
    if word[:5].lower() == "unix:":
        return None
    if "$" in word:
        raise ValueError("nginx takes no variable in it, so that the port cannot be known")
    alone = _PORTS.match(word)
    if alone:
        return _endpoint("", alone.group(1), alone.group(2))
    host = _HOST.match(word)
    rest = word[host.end() :] if host else ""
    if host and not rest:
        if default_port is None:
            raise ValueError("it names no port")
        return Endpoint(host.group(), default_port, default_port)
    ports = _PORTS.match(rest[1:]) if rest.startswith(":") else None
    if not (host and ports):
        raise ValueError("it is neither a port nor an address with a port")
    return _endpoint(host.group(), ports.group(1), ports.group(2))


def _endpoint(host: str, first: str, last: Optional[str]) -> Endpoint:
    low, high = int(first), int(last or first)
    if not 1 <= low <= high <= 65535:
        raise ValueError("its port is not from 1 to 65535")
    return Endpoint(host, low, high)
