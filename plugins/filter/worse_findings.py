# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What got worse between two looks at a host, as a filter over its findings."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible_collections.tcpops.timewait.plugins.plugin_utils._remediation.worse import worse

DOCUMENTATION = r"""
name: worse_findings
short_description: What got worse between two looks at a host
version_added: 0.1.0
author:
  - tcpops.timewait contributors (@tcpops)
description:
  - Compares the findings of a host with those of a later look, and returns what got worse. An empty list means that
    nothing did.
  - Findings are compared by what they are about. Of several rules of one family that speak of the same pool or sysctl,
    only the worst counts, so that a pool that went from CRITICAL to HIGH got better.
  - It is worse when there is a finding where there was none, when its severity rose, or when its weight rose by
    O(margin). A rule that could be judged and cannot be judged any more is worse whatever its severity.
positional: _input, after
options:
  _input:
    description:
      - The findings of the first look, as P(tcpops.timewait.findings#filter) returns them.
    type: list
    elements: dict
    required: true
  after:
    description:
      - The findings of the later look.
    type: list
    elements: dict
    required: true
  severity:
    description:
      - Findings below this severity do not count.
    type: str
    choices: [INFO, LOW, MEDIUM, HIGH, CRITICAL]
    default: MEDIUM
  margin:
    description:
      - How much the weight of a finding of the same severity may rise, as a share. For a pool the weight is the share
        of it that is held.
    type: float
    default: 0.1
seealso:
  - plugin: tcpops.timewait.findings
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Look at the host
  tcpops.timewait.timewait_facts:
  register: before

- name: Deploy
  ansible.builtin.import_role:
    name: our_application

- name: Look again
  tcpops.timewait.timewait_facts:
  register: after

- name: Stop where the deployment made it worse
  ansible.builtin.assert:
    that: worse | length == 0
    fail_msg: "{{ worse | map(attribute='reason') | join('; ') }}"
  vars:
    worse: >-
      {{ before.ansible_facts.timewait | tcpops.timewait.findings
         | tcpops.timewait.worse_findings(after.ansible_facts.timewait | tcpops.timewait.findings) }}
"""

RETURN = r"""
_value:
  description:
    - What got worse. C(before) is the finding then, null where there was none, C(after) the one now, C(reason) one
      sentence.
  type: list
  elements: dict
  sample:
    - before: null
      after:
        id: TW-POOL-002
        severity: HIGH
        subject: 10.0.0.1 -> 10.0.0.2:80
      reason: "new: TW-POOL-002 HIGH on 10.0.0.1 -> 10.0.0.2:80: used 24000 of 28232 (85 %)"
"""


def worse_findings(
    before: object, after: object, severity: str = "MEDIUM", margin: float = 0.1
) -> list[dict[str, Any]]:
    """What got worse, as dictionaries.

    :raises AnsibleFilterError: for lists that are no findings, and parameters that make no sense.
    """
    try:
        return [change.as_dict() for change in worse(before, after, severity, float(margin))]
    except (TypeError, ValueError) as error:
        raise AnsibleFilterError(f"tcpops.timewait.worse_findings: {error}") from error


class FilterModule:
    """What Ansible looks for."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Filters by name."""
        return {"worse_findings": worse_findings}
