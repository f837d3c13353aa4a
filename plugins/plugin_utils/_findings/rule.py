# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a rule is: data, and one function that looks at one case."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

#: what a rule looks at, and so what its ``check`` is given: a ``Pool``, a ``Namespace`` or the ``Facts``
OUTBOUND_POOL = "outbound pool"
INBOUND_POOL = "inbound pool"
NAMESPACE = "namespace"
HOST = "host"


class Remedy(NamedTuple):
    """What to do about a finding."""

    #: to copy and run; None where no command does it
    command: str | None = None
    note: str | None = None
    #: of this collection, that does it for good and can take it back; empty where there is none
    role: str = ""


class Match(NamedTuple):
    """A rule that applies to one case."""

    subject: str
    evidence: list[str]
    remedy: Remedy = Remedy()
    #: 0..1
    weight: float = 0.0


class Rule(NamedTuple):
    """One entry of a family's table.

    ``needs`` names the facts without which the rule cannot be judged: parts of a namespace (``pools``, ``totals``,
    ``counters``, ``listeners``, ``port_range``), of the host (``memory``, ``sysctl_files``), and sysctls by their name.
    The function is only called when they are there. Of the rules of one ``group`` only the first that matches a case
    speaks, so that the worse ones come first in the table.
    """

    id: str
    severity: str
    title: str
    scope: str
    #: for docs/rules.md
    when: str
    why: str
    reference: str
    check: Callable[[Any, Mapping[str, float]], Match | None]
    needs: frozenset[str] = frozenset()
    #: names in ``thresholds.TABLE`` that the function reads
    thresholds: tuple[str, ...] = ()
    group: str = ""


#: for facts that no rule can be applied to; not in a table because it judges no fact
FACTS_RULE_ID = "TW-FACTS-001"
FACTS_SEVERITY = "HIGH"
FACTS_TITLE = "The facts of this host cannot be judged"
FACTS_WHY = "A host whose facts are missing or unreadable is not a healthy host: nothing is known about it."
FACTS_REFERENCE = "docs/schema.md"
