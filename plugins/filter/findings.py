# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules, as a filter over the facts of one host."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible_collections.tcpops.timewait.plugins.plugin_utils._findings.evaluate import evaluate
from ansible_collections.tcpops.timewait.plugins.plugin_utils._findings.thresholds import ThresholdError, merge

DOCUMENTATION = r"""
name: findings
short_description: What the facts of a host say about its TIME-WAIT sockets
version_added: 0.1.0
author:
  - tcpops.timewait contributors (@tcpops)
description:
  - Applies every rule of the collection to the facts that M(tcpops.timewait.timewait_facts) returned for one host, and
    returns what matched, worst first.
  - It runs on the controller and asks no host for anything, so that cached facts will do.
  - A rule whose facts are missing does not stay silent. It returns a finding of state V(error) with the reason.
positional: _input
options:
  _input:
    description:
      - The facts of one host, RV(tcpops.timewait.timewait_facts#module:ansible_facts.timewait).
    type: dict
    required: true
  thresholds:
    description:
      - Figures to use in place of the defaults, by name. The names and the defaults are listed with the rules in
        C(docs/rules.md).
    type: dict
    default: {}
  host:
    description:
      - Name that the findings carry.
    type: str
    default: ''
seealso:
  - module: tcpops.timewait.timewait_facts
notes:
  - The filter fails on a name in O(thresholds) that there is not, on values that are not numbers or out of bounds, and
    on values that contradict each other. It never fails on facts.
"""

EXAMPLES = r"""
- name: Gather facts about TIME-WAIT
  tcpops.timewait.timewait_facts:

- name: Fail where something severe was found
  ansible.builtin.assert:
    that: severe | length == 0
    fail_msg: "{{ severe | map(attribute='title') | join(', ') }}"
  vars:
    severe: >-
      {{ ansible_facts.timewait
         | tcpops.timewait.findings(host=inventory_hostname, thresholds={'pool_high': 0.7})
         | selectattr('state', 'eq', 'fail')
         | selectattr('severity', 'in', ['HIGH', 'CRITICAL']) }}
"""

RETURN = r"""
_value:
  description:
    - The findings, worst first. Failed rules come before those that could not be judged.
    - The fields are those that C(docs/schema.md) lists.
  type: list
  elements: dict
  sample:
    - id: TW-POOL-003
      severity: CRITICAL
      state: fail
      title: Outbound pool is nearly exhausted
      host: web1
      namespace: host
      subject: 10.0.0.1 -> 10.0.0.2:80
      pool:
        direction: outbound
        used: 27950
        capacity: 28232
      evidence:
        - used 27950 of 28232 (99 %)
        - 465 closes/s, sustainable 470.5/s
      why: Each connection from one address to one address and port needs a port of its own.
      remedy: sysctl -w net.ipv4.ip_local_reserved_ports=15432 'net.ipv4.ip_local_port_range=10240 65535'
      remedy_note: First of all open fewer connections.
      reference: __inet_hash_connect(), net/ipv4/inet_hashtables.c
      weight: 0.99
"""


def findings(facts: object, thresholds: object = None, host: object = "") -> list[dict[str, Any]]:
    """The findings of one host as dictionaries, worst first.

    :raises AnsibleFilterError: for thresholds that cannot be used.
    """
    try:
        merged = merge({} if thresholds is None else thresholds)
    except ThresholdError as error:
        raise AnsibleFilterError(f"tcpops.timewait.findings: {error}") from error
    return [finding.as_dict() for finding in evaluate(str(host), facts, merged)]


class FilterModule:
    """What Ansible looks for."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Filters by name."""
        return {"findings": findings}
