# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What ``iptables-save`` says, as chains. Pure."""

import re
from typing import Dict, List, Tuple

from .._ports import listed
from .chains import Chain, Gap, Rule, Span

_WORD = re.compile(r"\"(?:[^\"\\]|\\.)*\"|\S+")
_PORTS = re.compile(r"(\d{1,5})(?::(\d{1,5}))?\Z")
_HOOKS = {"INPUT": "input", "PREROUTING": "prerouting"}
#: targets after which a packet goes on
_PASSIVE = ("LOG", "NFLOG", "ULOG", "MARK", "CONNMARK", "TRACE", "AUDIT", "CT", "TCPMSS", "DSCP", "TOS")


def parse(text: str, family: str) -> List[Chain]:
    """Chains of all tables, with their rules."""
    found: Dict[Tuple[str, str], Chain] = {}
    table = ""
    for line in text.splitlines():
        words = _WORD.findall(line)
        if line.startswith("*"):
            table = line[1:].strip()
        elif line.startswith(":") and words:
            name = words[0][1:]
            found[table, name] = Chain(family, table, name, _HOOKS.get(name, "") if words[1:2] != ["-"] else "", [])
        elif words[:1] == ["-A"] and (table, "".join(words[1:2])) in found:
            rules = found[table, words[1]].rules
            rules.append(_rule(words[2:], len(rules) + 1))
    return list(found.values())


def _rule(words: List[str], place: int) -> Rule:
    value = dict(zip(words, words[1:]))  # noqa: RUF007  pairwise() is younger than our hosts
    target = value.get("-j", value.get("-g", ""))
    spans: List[Span] = []
    if value.get("-p") == "tcp":
        for option in ("--dport", "--dports", "--ports"):
            for one in value.get(option, "").split(","):
                match = _PORTS.match(one)
                if match:
                    spans.append((int(match.group(1)), int(match.group(2) or match.group(1))))
    acts = bool(target) and target not in _PASSIVE
    return Rule(tuple(spans), acts, (target,), " ".join(words), place)


def sentence(gap: Gap, existing_port: int) -> str:
    """Advice."""
    chain, rule = gap.chain, gap.rule
    program = "iptables" if chain.family == "ip" else "ip6tables"
    told = "%s is left alone: chain %s of table %s has a rule for port %d (%s), and none for %s" % (
        program, chain.name, chain.table, existing_port, rule.shown, listed(gap.missing))
    filled = re.match(r"ufw(6?)-(before|after)-", chain.name)
    if filled:
        return "%s: add the like in /etc/ufw/%s%s.rules" % (told, filled.group(2), filled.group(1))
    single = len(gap.missing) == 1
    ports = ("--dport %s" if single else "-m multiport --dports %s") % ",".join(str(port) for port in gap.missing)
    new = re.sub(r"(?<!! )(?:-m multiport --dports|-m tcp --dport|--dport) \S+", ports, rule.shown, count=1)
    if new == rule.shown:
        return told + ": add the like"
    return "%s: %s -t %s -I %s %d %s, and the same wherever it is loaded from" % (
        told, program, chain.table, chain.name, rule.place + 1, new)
