# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Listen and <VirtualHost> name: ``apr_parse_addr_port``. Pure text."""

import re
from typing import Dict, NamedTuple, Optional

_VARIABLE = re.compile(r"\$\{([^}]+)\}")


class Endpoint(NamedTuple):
    """``address``: "" for every address, "*" for every IPv4 one, "::" for every IPv6 one, else without brackets.

    ``port``: None where there is none, or any. ``head``: all before the port as it is written, variables too.
    """

    address: str
    port: Optional[int]
    head: str


def expand(text: str, variables: Dict[str, str]) -> str:
    """The text with what Define gave.

    :raises ValueError: for a variable that is not known.
    """

    def value(match: "re.Match[str]") -> str:
        if match.group(1) not in variables:
            reason = "the value of ${%s} cannot be known from here: only Define in the configuration itself tells it"
            raise ValueError(reason % match.group(1))
        return variables[match.group(1)]

    return _VARIABLE.sub(value, text)


def listen(text: str, variables: Dict[str, str]) -> Endpoint:
    """The address of ``Listen``.

    :raises ValueError: with the reason, when it cannot be known.
    """
    value = expand(text, variables)
    host, _colon, port = value.rpartition(":")
    return Endpoint(_meaning(host), _port(port, value), _head(text, port, variables))


def virtual_host(text: str, variables: Dict[str, str]) -> Endpoint:
    """One address of ``<VirtualHost>``. Without a port ``head`` is all of it and a colon, but of ``*``, of any port.

    :raises ValueError: with the reason, when it cannot be known.
    """
    value = expand(text, variables)
    host, colon, port = value.rpartition(":")
    if not colon or value.endswith("]"):
        return Endpoint(_meaning(value), None, "" if value == "*" else text + ":")
    if port == "*":
        return Endpoint(_meaning(host), None, "")
    return Endpoint(_meaning(host), _port(port, value), _head(text, port, variables))


def _head(text: str, port: str, variables: Dict[str, str]) -> str:
    """All before the port.

    :raises ValueError: when a variable holds more than the port.
    """
    at = _VARIABLE.sub(lambda match: "." * len(match.group()), text).rfind(":") + 1
    if expand(text[at:], variables) != port:
        raise ValueError("a variable in it holds address and port")
    return text[:at]


def _port(text: str, value: str) -> int:
    if not re.match(r"[0-9]{1,5}\Z", text) or not 1 <= int(text) <= 65535:
        raise ValueError("%s has no port from 1 to 65535" % value)
    return int(text)


def _meaning(host: str) -> str:
    bare = host.strip("[]").lower()
    if bare in ("", "*", "_default_"):
        return ""
    return "*" if bare == "0.0.0.0" else bare  # noqa: S104  # nothing is bound here
