# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The range of ephemeral ports that a host should have."""

from __future__ import annotations

from typing import NamedTuple

from ansible_collections.tcpops.timewait.plugins.module_utils import _ports
from ansible_collections.tcpops.timewait.plugins.plugin_utils._findings.facts_reader import read_facts

from .errors import RemediationError


class WiderRange(NamedTuple):
    """Both ends included; ``gained``: ports more than the present range has."""

    low: int
    high: int
    gained: int

    def as_dict(self) -> dict[str, int]:
        """For the Ansible boundary."""
        return self._asdict()


def wider_range(facts: object, low: int, high: int) -> WiderRange:
    """The range for the namespace that the facts begin with.

    :param facts: ``ansible_facts.timewait`` of docs/schema.md, untrusted.
    :raises RemediationError: when the ports are none or the facts do not tell the present range.
    """
    if not 1024 <= low < high <= 65535:
        raise RemediationError(f"{low} to {high} is no range of ports above 1023: low must be less than high")
    readable = read_facts(facts)
    if isinstance(readable, str):
        raise RemediationError(readable)
    namespace = readable.namespaces[0]
    present = namespace.port_range
    if present is None:
        raise RemediationError("the present range is not in the facts: " + namespace.why_missing("port_range"))
    wide = _ports.widened(_ports.PortRange(*present), low, high, namespace.unprivileged_from)
    return WiderRange(wide.low, wide.high, wide.high - wide.low + 1 - present.size)
