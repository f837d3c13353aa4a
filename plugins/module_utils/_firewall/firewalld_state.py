# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What ``firewall-cmd`` prints about zones, policies and services. Pure."""

import re
from typing import Dict, List, NamedTuple, Sequence, Tuple

_SETTING = re.compile(r"  (\S[^:]*):(?: (.*))?\Z")
_PORTS = re.compile(r"(\d{1,5})(?:-(\d{1,5}))?(?:/(\w+))?\Z")


class Shown(NamedTuple):
    """A zone, policy or service. ``settings``: words by name. ``rules``: indented lines, such as rich rules."""

    name: str
    header: str
    settings: Dict[str, List[str]]
    rules: List[str]

    @property
    def is_active(self) -> bool:
        """``public (active)``, ``public (default, active)``."""
        return bool(re.search(r"\([^)]*\bactive\b", self.header))

    def words(self, setting: str) -> Sequence[str]:
        return self.settings.get(setting, ())


def parse(text: str) -> List[Shown]:
    """Blocks: a name at the start of a line, settings two spaces in, rules behind a tab."""
    found: List[Shown] = []
    for line in text.splitlines():
        setting = _SETTING.match(line)
        if line and not line[0].isspace():
            found.append(Shown(line.split()[0], line, {}, []))
        elif found and setting:
            found[-1].settings[setting.group(1)] = (setting.group(2) or "").split()
        elif found and line.startswith("\t"):
            found[-1].rules.append(line.strip())
    return found


def span(word: str) -> Tuple[int, int]:
    """First and last TCP port of ``80/tcp``, ``8000-8010/tcp`` or ``80``; no port at all for anything else."""
    match = _PORTS.match(word)
    if not match or match.group(3) not in (None, "tcp"):
        return 1, 0
    return int(match.group(1)), int(match.group(2) or match.group(1))


def has_port(words: Sequence[str], port: int) -> bool:
    """Whether one of the words is the port, or a range around it."""
    return any(span(word)[0] <= port <= span(word)[1] for word in words)


def opens(one: Shown, services: Dict[str, Shown], port: int) -> bool:
    """Whether TCP connections to a port are accepted, but for rich rules."""
    return (
        has_port(one.words("ports"), port)
        or "tcp" in one.words("protocols")
        or any(_serves(name, services, port, ()) for name in one.words("services"))
    )


def _serves(name: str, services: Dict[str, Shown], port: int, above: Tuple[str, ...]) -> bool:
    service = services.get(name)
    if service is None or name in above:
        return False
    if has_port(service.words("ports"), port) or "tcp" in service.words("protocols"):
        return True
    return any(_serves(one, services, port, (*above, name)) for one in service.words("services"))


def rules_naming(one: Shown, port: int) -> List[str]:
    """Rich rules and forwarded ports that name a port."""
    found = []
    for rule in one.rules:
        quoted = re.findall(r'\bport(?: port)?="?(\d{1,5}(?:-\d{1,5})?)"?', rule)
        if has_port(quoted, port) and not re.search(r'protocol="?udp|proto=udp', rule):
            found.append(rule)
    forwarded = [word for word in one.words("forward-ports") if word.startswith("port=")]
    return found + [word for word in forwarded if has_port([word.split(":")[0][len("port=") :]], port)]
