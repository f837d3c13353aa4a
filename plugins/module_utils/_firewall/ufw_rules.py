# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules of ufw in ``user.rules`` and ``user6.rules``: read, cloned for other ports, and taken out again. Pure.

A rule is a comment that ufw reads, the tuple, and lines that iptables-restore reads::

    ### tuple ### limit tcp 80,443 0.0.0.0/0 any 10.0.0.0/8 in comment=776562
    -A ufw-user-input -p tcp -m multiport --dports 80,443 -s 10.0.0.0/8 -m conntrack --ctstate NEW -m recent --set
    ...

A clone has the same tuple and the same lines for another port, in the form in which ufw itself writes it: the next
command of ufw writes the whole file anew. It carries a comment, which ufw keeps and shows.
"""

import re
from typing import List, NamedTuple, Optional, Sequence, Tuple

from .._listeners.text import Line, join, split

_TUPLE = "### tuple ###"
_BEGIN, _END = "### RULES ###", "### END RULES ###"
_MARK = "tcpops.timewait: as port %d"
_MARKED = re.compile(r"tcpops\.timewait: as port (\d{1,5})\Z")
_WORD = re.compile(r"\"[^\"]*\"|'[^']*'|\S+")
_CHAIN = re.compile(r"ufw6?-user-(?:logging-)?input\Z")
_ACTIONS = ("allow", "deny", "reject", "limit")
_PORTS = re.compile(r"\d{1,5}(?::\d{1,5})?(?:,\d{1,5}(?::\d{1,5})?)*\Z")


class RulesFileError(Exception):
    """A file that ufw did not write."""


class Rule(NamedTuple):
    """``fields``: of the tuple. ``at``, ``end``: its lines in the file. ``rules``: those for iptables-restore.

    ``marked_for``: the existing port that this collection opened it for, None for everybody else's.
    """

    fields: Tuple[str, ...]
    at: int
    end: int
    rules: Tuple[str, ...]
    marked_for: Optional[int]

    @property
    def action(self) -> str:
        return self.fields[0].partition("_")[0]

    @property
    def ports(self) -> str:
        return self.fields[2]

    @property
    def application(self) -> Tuple[str, ...]:
        """Profiles of destination and source."""
        return self.fields[6:8] if len(self.fields) == 9 else ()

    @property
    def incoming(self) -> bool:
        return self.fields[-1] == "in" or self.fields[-1].startswith("in_")

    def concerns(self, port: int) -> bool:
        """Whether TCP connections to this host's port are what it names."""
        return self.fields[1] in ("tcp", "any") and has_port(self.ports, port)


class RulesFile(NamedTuple):
    """``odd``: tuples that are none, as they are written."""

    lines: List[Line]
    rules: List[Rule]
    odd: List[str]


def has_port(ports: str, port: int) -> bool:
    """Whether ``80``, ``80,443`` or ``8000:8010`` names a port."""
    if not _PORTS.match(ports):
        return False
    spans = [one.partition(":") for one in ports.split(",")]
    return any(int(first) <= port <= int(last or first) for first, _colon, last in spans)


def parse(content: bytes) -> RulesFile:
    """:raises RulesFileError: when the sections are not there."""
    lines = split(content)
    texts = [line.text for line in lines]
    if texts.count(_BEGIN) != 1 or texts.count(_END) != 1 or texts.index(_BEGIN) > texts.index(_END):
        raise RulesFileError("it has no section of rules as ufw writes it")
    found = RulesFile(lines, [], [])
    end = texts.index(_END)
    for at in range(texts.index(_BEGIN) + 1, end):
        if not texts[at].startswith(_TUPLE):
            continue
        behind = next((one for one in range(at + 1, end) if not texts[one].startswith("-A ")), end)
        rule = _rule(texts, at, behind)
        if rule is None:
            found.odd.append(texts[at])
        else:
            found.rules.append(rule)
    return found


def _rule(texts: List[str], at: int, end: int) -> Optional[Rule]:
    tuple_text, _word, comment = texts[at][len(_TUPLE) :].partition(" comment=")
    fields = tuple(tuple_text.split())
    if len(fields) not in (7, 9) or end == at + 1:
        return None
    return Rule(fields, at, end, tuple(texts[at + 1 : end]), _marked_for(comment))


def _marked_for(comment: str) -> Optional[int]:
    try:
        match = _MARKED.match(bytes.fromhex(comment.strip()).decode("utf-8"))
    except ValueError:
        return None
    return int(match.group(1)) if match else None


def taken_out(content: bytes, existing_port: int, ports: Optional[Sequence[int]] = None) -> bytes:
    """The file without the rules that were added for these ports, or for all, beside an existing one."""
    found = parse(content)
    lines = list(found.lines)
    for rule in reversed(found.rules):
        if rule.marked_for == existing_port and (ports is None or any(rule.ports == str(port) for port in ports)):
            # the empty line before a rule belongs to it
            start = rule.at - 1 if rule.at and not lines[rule.at - 1].text else rule.at
            del lines[start : rule.end]
    return join(lines)


def marked_ports(found: RulesFile, existing_port: int) -> List[int]:
    """Ports that were added beside an existing one."""
    ports = {rule.ports for rule in found.rules if rule.marked_for == existing_port}
    return sorted(int(port) for port in ports if port.isdigit())


class Cloned(NamedTuple):
    """``odd``: tuples of rules that name the port and are not understood."""

    content: bytes
    odd: List[str]


def cloned(content: bytes, existing_port: int, ports: Sequence[int]) -> Cloned:
    """Behind each rule that names the existing port, the same one for each port, where there is none like it yet."""
    found = parse(content)
    lines = list(found.lines)
    odd = [text for text in found.odd if re.search(r"(?<!\d)%d(?!\d)" % existing_port, text)]
    inserted: List[Tuple[int, List[str]]] = []
    for rule in found.rules:
        if not rule.concerns(existing_port):
            continue
        if not rule.incoming or rule.action not in _ACTIONS:
            if rule.action.startswith("route:"):
                odd.append(lines[rule.at].text)
            continue
        texts: List[str] = []
        for port in ports:
            if any(_like(other, rule, port) for other in found.rules):
                continue
            clone = _clone(rule, existing_port, port)
            if clone is None:
                odd.append(lines[rule.at].text)
                break
            texts += clone
        inserted.append((_behind(found.rules, rule), texts))
    end = next((line.end for line in lines if line.end), "\n")
    # from the end, so that places stay right; of two at one place, which share a profile, the later one first
    for _at, number in sorted(((at, number) for number, (at, _texts) in enumerate(inserted)), reverse=True):
        at, texts = inserted[number]
        lines[at:at] = [Line(text, end) for text in texts]
    return Cloned(join(lines), odd)


def _behind(rules: List[Rule], rule: Rule) -> int:
    """Where a clone goes: the tuples of one profile stay together, as ufw keeps them."""
    end = rule.end
    for other in rules[rules.index(rule) + 1 :]:
        if not rule.application or _group(other) != _group(rule):
            break
        end = other.end
    return end


def _group(rule: Rule) -> Tuple[str, ...]:
    return (*rule.application, rule.fields[0], rule.fields[3], rule.fields[5], rule.fields[-1])


def _like(other: Rule, rule: Rule, port: int) -> bool:
    """Whether a rule does for a port what another one does for its own, but for what it logs."""
    same = (other.action, *other.fields[3:6], other.fields[-1]) == (rule.action, *rule.fields[3:6], rule.fields[-1])
    return same and other.concerns(port)


def _clone(rule: Rule, existing_port: int, port: int) -> Optional[List[str]]:
    """The lines of a rule for another port, None where its lines are not as its tuple says."""
    if rule.application and rule.application[1] != "-":
        return None  # the profile of a source port
    made = [_clone_line(line, rule.ports, port) for line in rule.rules]
    if rule.fields[1] == "any":
        made = [line for line in made if line is None or "-p udp" not in line]
    if not made or None in made:
        return None
    fields = [rule.fields[0], "tcp", str(port), *rule.fields[3:6], rule.fields[-1]]
    comment = (_MARK % existing_port).encode("ascii").hex()
    return ["", "%s %s comment=%s" % (_TUPLE, " ".join(fields), comment), *[line for line in made if line]]


def _clone_line(line: str, ports: str, port: int) -> Optional[str]:
    words = _WORD.findall(line)
    if " ".join(words) != line or not _CHAIN.match(words[1]) or "--sports" in words:
        return None
    if words[-4:-1] == ["-m", "comment", "--comment"]:
        del words[-4:]  # names the profile, which has no such port
    for given in (["-m", "multiport", "--dports", ports], ["--dport", ports]):
        at = next((one for one in range(len(words)) if words[one : one + len(given)] == given), None)
        if at is not None:
            del words[at : at + len(given)]
            break
    else:
        return None
    before = "-d" if "-d" in words else "-p"
    if before not in words or "--dport" in words or "--dports" in words:
        return None
    at = words.index(before) + 2
    words[at:at] = ["--dport", str(port)]
    return " ".join(words)


class Essence(NamedTuple):
    """What is written alike in a file of ufw and by ``iptables -S``, and tells most rules from each other."""

    ports: str
    target: str


def essences(text: str, chain: str) -> List[Essence]:
    """Of the rules of a chain."""
    found = []
    for line in text.splitlines():
        words = _WORD.findall(line)
        if words[:2] == ["-A", chain]:
            value = dict(zip(words, words[1:]))  # noqa: RUF007  pairwise() is younger than our hosts
            ports = value.get("--dport") or value.get("--dports") or ""
            found.append(Essence(ports, value.get("-j") or ""))
    return found
