# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules that somebody loaded with nft or iptables: nobody knows what from, so that they are only advised on."""

import re
from typing import List, Sequence, Set, Tuple

from .._ports import listed
from .._programs import Programs
from . import iptables_rules, nft_rules
from .chains import Chain, Gap, gaps
from .nft_rules import RulesetError
from .opening import Opening, nothing

_MOST = 10
_SAVES = (("iptables", "ip"), ("ip6tables", "ip6"))
#: chains of ufw, and of firewalld where it uses iptables: what there is to say of them is said elsewhere
_UFW = re.compile(r"ufw6?-user-")
_FIREWALLD = re.compile(r"(?:IN|PRE|INPUT|PREROUTING)_(?!direct\Z)")


def advise(programs: Programs, existing_port: int, ports: Sequence[int]) -> Opening:
    """A sentence for each rule that names the existing port, in a chain that has none for the new ones."""
    advice: List[str] = []
    chains: List[Chain] = []
    seen_there: Set[Tuple[str, str]] = set()
    for program, family in _SAVES:
        for text in _saved(programs, program, ports, advice):
            found = iptables_rules.parse(text, family)
            chains += found
            if "(nf_tables)" in text:
                seen_there |= {(family, chain.table) for chain in found}
    advice += [iptables_rules.sentence(gap, existing_port) for gap in _gaps(chains, existing_port, ports)]
    seen = programs.look("nft", "-j", "list", "ruleset")
    if seen is None:
        return nothing(*advice[:_MOST])
    try:
        if seen.problem:
            raise RulesetError(seen.problem)
        found = nft_rules.parse(seen.output, seen_there) if seen.output.strip() else []
    except RulesetError as error:
        told = "nftables cannot be asked (%s): so whether it bars ports %s cannot be told"
        return nothing(*advice[:_MOST], told % (error, listed(ports)))
    for gap in _gaps(found, existing_port, ports)[:_MOST]:
        chain = gap.chain
        shown = programs.look("nft", "-a", "list", "chain", chain.family, chain.table, chain.name)
        advice.append(nft_rules.sentence(gap, existing_port, shown.output if shown else ""))
    return nothing(*advice[:_MOST])


def _saved(programs: Programs, program: str, ports: Sequence[int], advice: List[str]) -> List[str]:
    """What is loaded; by the old interface of the kernel too, where the program says that something is there."""
    seen = programs.look(program + "-save")
    if seen is None:
        return []
    if seen.problem:
        told = "%s cannot be asked (%s): so whether it bars ports %s cannot be told"
        advice.append(told % (program, seen.problem, listed(ports)))
        return []
    found = [seen.output]
    if "%s-legacy-save" % program in seen.output:
        legacy = programs.look(program + "-legacy-save")
        found += [legacy.output] if legacy and not legacy.problem else []
    return found


def _gaps(chains: List[Chain], existing_port: int, ports: Sequence[int]) -> List[Gap]:
    zoned = {(chain.family, chain.table) for chain in chains if chain.name == "INPUT_ZONES"}

    def is_managed(chain: Chain) -> bool:
        if (chain.family, chain.table) in zoned and _FIREWALLD.match(chain.name):
            return True
        return chain.table == "firewalld" or bool(_UFW.match(chain.name))

    return [gap for gap in gaps(chains, existing_port, list(ports)) if not is_managed(gap.chain)]
