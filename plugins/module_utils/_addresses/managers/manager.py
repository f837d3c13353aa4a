# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a manager is: files that our addresses go in, and what to run once they are written."""

import ipaddress
import re
from typing import Callable, Dict, List, NamedTuple, Optional, Sequence, Tuple

from ..host import Host
from ..request import Address

MARK = "# Addresses of tcpops.timewait.ip_addresses, which takes them away again; it writes this file anew.\n"
_ADDRESS = re.compile(r"[0-9A-Fa-f.:]+/\d+")

Argv = Tuple[str, ...]


class Part(NamedTuple):
    """A file of one manager that takes addresses of some families.

    ``read``: the addresses that its content gives. ``write``: the content that gives these of ours and what others
    wrote, None where there is nothing left of it. ``folder``: goes with the file when it is empty.
    """

    path: str
    versions: Tuple[int, ...]
    read: Callable[[Optional[bytes]], List[Address]]
    write: Callable[[Optional[bytes], Sequence[Address]], Optional[bytes]]
    mode: int = 0o644
    folder: Optional[str] = None


class Manager(NamedTuple):
    """``evidence``: what said that it manages the interface. ``others``: files of others, and the addresses that they
    give. ``commands``: run once files are written, and once they are taken back. ``links``: path and target of links
    that are there while the file is. ``advice``: what the user should know when something is written.
    ``knows_scope``: whether an address may run with a scope of its own; where not, the manager would take it away at
    its next start and add it again as it knows it."""

    name: str
    evidence: str
    parts: Tuple[Part, ...]
    others: Dict[str, List[Address]]
    commands: Tuple[Argv, ...] = ()
    links: Tuple[Tuple[str, str], ...] = ()
    advice: Tuple[str, ...] = ()
    knows_scope: bool = True

    def part_for(self, address: Address) -> Part:
        return next(part for part in self.parts if address.version in part.versions)

    def ours(self, host: Host) -> List[Address]:
        """What our files give."""
        return [address for part in self.parts for address in part.read(host.read(part.path))]

    def given_by(self, address: Address) -> Optional[str]:
        """The file of somebody else that gives an address, with whatever prefix length."""
        return next((path for path, given in self.others.items() if address.ip in [one.ip for one in given]), None)


def addresses_in(text: str) -> List[Address]:
    """Every address with a prefix length, in the order in which they stand there, but for comments."""
    found: List[Address] = []
    for line in text.splitlines():
        if line.lstrip().startswith(("#", ";")):
            continue
        for word in _ADDRESS.findall(line):
            try:
                address = ipaddress.ip_interface(word)
            except ValueError:
                continue
            if address not in found:
                found.append(address)
    return found


def own_file(
    path: str,
    render: Callable[[Sequence[Address]], str],
    versions: Tuple[int, ...] = (4, 6),
    mode: int = 0o644,
    folder: Optional[str] = None,
) -> Part:
    """A part that is a file of ours, and has nothing else in it."""

    def read(content: Optional[bytes]) -> List[Address]:
        return addresses_in((content or b"").decode("utf-8", "replace"))

    def write(_content: Optional[bytes], addresses: Sequence[Address]) -> Optional[bytes]:
        if not addresses:
            return None
        text = render(addresses)
        # what interprets a script is told by its first line
        first = text.find("\n") + 1 if text.startswith("#!") else 0
        return (text[:first] + MARK + text[first:]).encode("ascii")

    return Part(path, versions, read, write, mode, folder)
