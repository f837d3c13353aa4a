# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A wider range of ephemeral ports, as a filter over the facts of one host."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible_collections.tcpops.timewait.plugins.plugin_utils._remediation.wider_range import wider_range as widen

DOCUMENTATION = r"""
name: wider_range
short_description: A range of ephemeral ports that holds the present one
version_added: 0.1.0
author:
  - tcpops.timewait contributors (@tcpops)
description:
  - Works out C(net.ipv4.ip_local_port_range) for the host that the facts are of, from O(low) to O(high) and never
    narrower than the range that it runs with.
  - The ends have different parity where there is room, because the search of connect() leaves one port out of a
    range of odd size.
  - The low end is no less than C(net.ipv4.ip_unprivileged_port_start), because the kernel refuses a lower one.
positional: _input, low, high
options:
  _input:
    description:
      - The facts of one host, RV(tcpops.timewait.timewait_facts#module:ansible_facts.timewait), with the subset
        C(sysctls).
    type: dict
    required: true
  low:
    description:
      - First port wanted.
    type: int
    required: true
  high:
    description:
      - Last port wanted.
    type: int
    required: true
seealso:
  - module: tcpops.timewait.timewait_facts
notes:
  - The filter fails with one sentence when the facts do not tell the present range, or the ports are none.
"""

EXAMPLES = r"""
- name: Gather facts about TIME-WAIT
  tcpops.timewait.timewait_facts:

- name: Show how far the range could go
  ansible.builtin.debug:
    msg: "{{ ansible_facts.timewait | tcpops.timewait.wider_range(10240, 65535) }}"
"""

RETURN = r"""
_value:
  description:
    - The range, both ends included, and how many ports it has more than the present one.
  type: dict
  sample:
    low: 10240
    high: 65535
    gained: 27064
"""


def wider_range(facts: object, low: int, high: int) -> dict[str, int]:
    """Both ends and the gain.

    :raises AnsibleFilterError: when it cannot be worked out.
    """
    try:
        return widen(facts, int(low), int(high)).as_dict()
    except (TypeError, ValueError) as error:
        raise AnsibleFilterError(f"tcpops.timewait.wider_range: {error}") from error


class FilterModule:
    """What Ansible looks for."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Filters by name."""
        return {"wider_range": wider_range}
