# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The size of ``tcp_max_tw_buckets``, as a filter over the facts of one host."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible_collections.tcpops.timewait.plugins.plugin_utils._remediation import bucket_limit as remedy

DOCUMENTATION = r"""
name: bucket_limit
short_description: How many TIME-WAIT sockets a host should be allowed
version_added: 0.1.0
author:
  - tcpops.timewait contributors (@tcpops)
description:
  - Works out C(net.ipv4.tcp_max_tw_buckets) for the host that the facts are of. It never goes down.
  - The limit is the peak close rate times the length of TIME-WAIT times O(headroom), rounded up to a power of two, so
    that the same load asks for the same limit each time. O(memory_share) bounds it.
  - It is no less than the running value, nor than the kernel's own, where the kernel shows the size of its table of
    connections.
  - Where TIME-WAIT fills the present limit, what was closed beyond it never entered TIME-WAIT and cannot be counted;
    the limit is then at least doubled.
positional: _input
options:
  _input:
    description:
      - The facts of one host, RV(tcpops.timewait.timewait_facts#module:ansible_facts.timewait), with the subsets
        C(census), C(memory) and C(sysctls).
    type: dict
    required: true
  headroom:
    description:
      - Times what the measured peak needs.
    type: float
    default: 2.0
  memory_share:
    description:
      - Share of the machine's memory that TIME-WAIT sockets may cost at most, between 0 and 0.5.
    type: float
    default: 0.02
  close_rate:
    description:
      - Peak close rate per second that is known from elsewhere, from monitoring for example. It counts where it is
        above the one that was measured in the last minute.
    type: float
    default: 0.0
seealso:
  - module: tcpops.timewait.timewait_facts
  - plugin: tcpops.timewait.findings
    plugin_type: filter
notes:
  - The filter fails with one sentence when the facts lack what it needs.
"""

EXAMPLES = r"""
- name: Gather facts about TIME-WAIT
  tcpops.timewait.timewait_facts:

- name: Show what the limit would be, and why
  ansible.builtin.debug:
    msg: "{{ (ansible_facts.timewait | tcpops.timewait.bucket_limit(headroom=3)).reason }}"
"""

RETURN = r"""
_value:
  description:
    - The limit and what it rests on; sizes are bytes, times seconds, rates per second.
    - C(affordable) are the entries that O(memory_share) holds, C(default) is the kernel's own limit (null where it does
      not tell), C(bytes) what as many entries as C(wanted) would cost at once.
  type: dict
  sample:
    running: 131072
    wanted: 524288
    peak_close_rate: 3100.5
    timewait_seconds: 60
    headroom: 2.0
    needed: 524288
    affordable: 987603
    default: 131072
    bytes: 268435456
    reason: >-
      net.ipv4.tcp_max_tw_buckets 131072 -> 524288: 3100.5 closes/s at the peak, for 60 s, times 2, need 524288; 2 % of
      23.5 GiB hold 987603, this kernel's own limit is 131072; 524288 entries at once would cost 256 MiB.
"""


def bucket_limit(
    facts: object, headroom: float = 2.0, memory_share: float = 0.02, close_rate: float = 0.0
) -> dict[str, Any]:
    """The limit and its figures.

    :raises AnsibleFilterError: when it cannot be worked out.
    """
    try:
        return remedy.bucket_limit(facts, float(headroom), float(memory_share), float(close_rate)).as_dict()
    except (TypeError, ValueError) as error:
        raise AnsibleFilterError(f"tcpops.timewait.bucket_limit: {error}") from error


class FilterModule:
    """What Ansible looks for."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Filters by name."""
        return {"bucket_limit": bucket_limit}
