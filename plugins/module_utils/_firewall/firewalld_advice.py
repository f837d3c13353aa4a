# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What firewalld can say of a port besides opening it in a zone: people's own rules, which are left alone."""

import re
from typing import List, Sequence

from .._files import FileError, Files
from .._ports import listed
from . import firewalld_state
from .firewalld_running import Running
from .firewalld_state import Shown

_DIRECT = "/etc/firewalld/direct.xml"


def advise(files: Files, running: Running, existing_port: int, ports: Sequence[int]) -> List[str]:
    """A sentence for each rich rule, forwarded port, policy and file of direct rules that names the existing port."""
    advice = []
    for zone in running.zones_in_use:
        advice += _rules(zone, "zone", existing_port, ports)
    for policy in running.policies:
        left = [port for port in ports if not firewalld_state.opens(policy, running.services, port)]
        if left and firewalld_state.opens(policy, running.services, existing_port):
            advice.append(_left("policy %s opens" % policy.name, existing_port, left))
        advice += _rules(policy, "policy", existing_port, ports)
    return advice + _direct(files, existing_port, ports)


def _rules(one: Shown, kind: str, existing_port: int, ports: Sequence[int]) -> List[str]:
    left = [port for port in ports if not firewalld_state.rules_naming(one, port)]
    rules = firewalld_state.rules_naming(one, existing_port)
    return [_left("%s %s has a rule (%s) for" % (kind, one.name, rule), existing_port, left) for rule in rules if left]


def _direct(files: Files, existing_port: int, ports: Sequence[int]) -> List[str]:
    try:
        text = files.read_text(_DIRECT)
    except FileError:
        return []
    left = [port for port in ports if not _named(text, port)]
    return [_left("%s has a rule for" % _DIRECT, existing_port, left)] if left and _named(text, existing_port) else []


def _named(text: str, port: int) -> bool:
    return bool(re.search(r"--dports? (?:[\d:,]*,)?%d(?![\d:])" % port, text))


def _left(what: str, existing_port: int, ports: Sequence[int]) -> str:
    return "firewalld: %s port %d, which is left alone; add the like for %s" % (what, existing_port, listed(ports))
