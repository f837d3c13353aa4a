# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What ``nft -j list ruleset`` says, as chains. Pure."""

import json
import re
from typing import Any, Dict, List, Set, Tuple

from .._ports import listed
from .chains import Chain, Gap, Rule, Span

_VERDICTS = ("accept", "drop", "reject", "jump", "goto", "queue", "redirect", "dnat", "tproxy", "synproxy")
_NAMED_SET = re.compile(r"@([\w./-]+)\Z")
_MATCH = re.compile(r"tcp dport (?!@|!=|vmap)(\{[^}]*\}|\S+)")


class RulesetError(Exception):
    """Text that is none of nft's."""


def parse(text: str, but: Set[Tuple[str, str]]) -> List[Chain]:
    """Chains with their rules.

    :param but: tables, each a family and a name, that are seen better elsewhere.
    :raises RulesetError: when it is no ruleset.
    """
    try:
        items = json.loads(text)["nftables"]
        sets = {_key(item, kind): item[kind] for item in items for kind in ("set", "map") if kind in item}
        found: Dict[Tuple[str, str, str], Chain] = {}
        for item in items:
            if "chain" in item:
                one = item["chain"]
                key = (one["family"], one["table"], one["name"])
                found[key] = Chain(*key, one.get("hook", ""), [])
        for item in items:
            if "rule" in item:
                one = item["rule"]
                chain = found.get((one["family"], one["table"], one["chain"]))
                if chain:
                    chain.rules.append(_rule(one, sets))
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        raise RulesetError("%s: %s" % (type(error).__name__, error)) from None
    return [one for one in found.values() if (one.family, one.table) not in but]


def _key(item: Dict[str, Any], kind: str) -> Tuple[str, str, str]:
    return item[kind]["family"], item[kind]["table"], item[kind]["name"]


def _rule(one: Dict[str, Any], sets: Dict[Tuple[str, str, str], Any]) -> Rule:
    spans: List[Span] = []
    jumps: List[str] = []
    acts = False
    set_name = ""
    for expression in one.get("expr", []):
        if not isinstance(expression, dict):
            continue
        match, vmap = expression.get("match"), expression.get("vmap")
        if match and _is_port(match.get("left")):
            right = match.get("right")
        elif vmap and _is_port(vmap.get("key")):
            right = vmap.get("data")
        else:
            right = None
        if right is not None:
            named = _NAMED_SET.match(right) if isinstance(right, str) else None
            if named:
                set_name = named.group(1)
                elements = sets.get((one["family"], one["table"], set_name), {}).get("elem", [])
                right = {"set": elements}
            spans += _spans(right)
        jumps += _target(expression)
        if vmap:
            jumps += _targets(vmap.get("data"), one, sets)
        acts = acts or bool(vmap) or any(verdict in expression for verdict in _VERDICTS)
    return Rule(tuple(spans), acts, tuple(jumps), "", int(one.get("handle", 0)), set_name)


def _is_port(left: Any) -> bool:
    payload = left.get("payload") if isinstance(left, dict) else None
    return isinstance(payload, dict) and payload.get("field") == "dport" and payload.get("protocol") in ("tcp", "th")


def _spans(right: Any) -> List[Span]:
    """Of a port, a range, a set of them, an element with a time-out or comment, or a pair of a map."""
    if isinstance(right, int):
        return [(right, right)]
    if isinstance(right, list):
        return _spans(right[0]) if right else []
    if not isinstance(right, dict):
        return []
    found: List[Span] = []
    if "range" in right and all(isinstance(one, int) for one in right["range"]):
        found.append((right["range"][0], right["range"][1]))
    if isinstance(right.get("elem"), dict):
        found += _spans(right["elem"].get("val"))
    elements = right.get("set", [])
    for element in elements if isinstance(elements, list) else [elements]:
        found += _spans(element)
    return found


def _targets(data: Any, one: Dict[str, Any], sets: Dict[Tuple[str, str, str], Any]) -> List[str]:
    """Chains that a verdict map leads to."""
    named = _NAMED_SET.match(data) if isinstance(data, str) else None
    if named:
        elements = sets.get((one["family"], one["table"], named.group(1)), {}).get("elem", [])
    else:
        elements = data.get("set", []) if isinstance(data, dict) else []
    pairs = [element for element in elements if isinstance(element, list) and len(element) == 2]
    return [target for pair in pairs for target in _target(pair[1])]


def _target(verdict: Any) -> List[str]:
    """The chain that a verdict leads to, if it does."""
    kinds = [verdict.get(kind) for kind in ("jump", "goto")] if isinstance(verdict, dict) else []
    return [kind.get("target", "") for kind in kinds if isinstance(kind, dict)]


def sentence(gap: Gap, existing_port: int, text: str) -> str:
    """Advice.

    :param text: of ``nft -a list chain`` for the chain, which has the rule as people write it.
    """
    chain, rule = gap.chain, gap.rule
    where = "%s %s" % (chain.family, chain.table)
    ports = ", ".join(str(port) for port in gap.missing)
    shown = _shown(text, rule.place)
    told = "nftables is left alone: chain %s of table %s has a rule for port %d%s, and none for %s" % (
        chain.name, where, existing_port, " (%s)" % shown if shown else "", listed(gap.missing))
    if rule.set_name:
        command = "nft add element %s %s { %s }" % (where, rule.set_name, ports)
        if "vmap" in shown:
            return "%s: give map %s elements for them" % (told, rule.set_name)
    elif _MATCH.search(shown):
        new = _MATCH.sub("tcp dport { %s }" % ports, shown, count=1)
        command = "nft add rule %s %s position %d %s" % (where, chain.name, rule.place, new)
    else:
        return told + ": add the like"
    return "%s: %s, and the same in the file that it is loaded from" % (told, command)


def _shown(text: str, handle: int) -> str:
    """The rule as text, without what it has counted."""
    match = re.search(r"(?m)^\s*(.*?)\s*# handle %d$" % handle, text)
    return re.sub(r"counter packets \d+ bytes \d+", "counter", match.group(1)) if match else ""
