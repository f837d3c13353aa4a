# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Packet filter rules as far as they matter here: which ports they name, and who meets them.

Pure. Rules of nftables and of iptables are brought into this one form.
"""

from typing import Dict, List, NamedTuple, Set, Tuple

#: where a packet to this host passes
_HOOKS = ("ingress", "prerouting", "input")

Span = Tuple[int, int]


class Rule(NamedTuple):
    """``spans``: the TCP ports that it names. ``acts``: whether it decides anything. ``jumps``: where it leads to.

    ``shown``: how it is written, as far as is known. ``place``: handle or number in its chain. ``set_name``: of the set
    that has the ports, empty for none.
    """

    spans: Tuple[Span, ...]
    acts: bool
    jumps: Tuple[str, ...]
    shown: str
    place: int
    set_name: str = ""

    def names(self, port: int) -> bool:
        return any(first <= port <= last for first, last in self.spans)


class Chain(NamedTuple):
    """``hook``: where the kernel calls it, empty for a chain that only others call."""

    family: str
    table: str
    name: str
    hook: str
    rules: List[Rule]


def met(chains: List[Chain]) -> List[Chain]:
    """The chains that connections to this host go through."""
    by_name: Dict[Tuple[str, str, str], Chain] = {(one.family, one.table, one.name): one for one in chains}
    left = [key for key, one in by_name.items() if one.hook in _HOOKS]
    seen: Set[Tuple[str, str, str]] = set()
    while left:
        key = left.pop()
        if key in seen or key not in by_name:
            continue
        seen.add(key)
        left += [(*key[:2], name) for rule in by_name[key].rules for name in rule.jumps]
    return [one for key, one in by_name.items() if key in seen]


class Gap(NamedTuple):
    """A rule for the existing port, and the new ones that its chain has none for."""

    chain: Chain
    rule: Rule
    missing: List[int]


def gaps(chains: List[Chain], existing_port: int, ports: List[int]) -> List[Gap]:
    """Rules that may let the existing port through, or treat it otherwise, and not the new ones."""
    found = []
    for chain in met(chains):
        for rule in chain.rules:
            missing = [port for port in ports if not any(one.names(port) and one.acts for one in chain.rules)]
            if rule.acts and rule.names(existing_port) and missing:
                found.append(Gap(chain, rule, missing))
    return found
