# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What to write so that connections are used again, as a filter over the facts of one host."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible_collections.tcpops.timewait.plugins.plugin_utils._findings.facts_reader import read_facts

DOCUMENTATION = r"""
name: reuse_edits
short_description: Lines to change so that connections of a backend are used again
version_added: 0.1.0
author:
  - tcpops.timewait contributors (@tcpops)
description:
  - Picks the lines of HAProxy's and nginx's configuration that keep connections of one backend from being used again
    out of the facts of a load balancer. Using them again is the cure before all others, so that roles look for it
    before they spend a port or an address.
  - What could not be seen is told as well, because it may be in the way, too.
positional: _input, backend, server
options:
  _input:
    description:
      - The facts of one host, RV(tcpops.timewait.timewait_facts#module:ansible_facts.timewait), with the subset
        C(connection_reuse). Without it there are no lines.
    type: dict
    required: true
  backend:
    description:
      - Name of the backend, or of the upstream.
    type: str
    required: true
  server:
    description:
      - V(haproxy) or V(nginx); of both when empty.
    type: str
    default: ""
seealso:
  - module: tcpops.timewait.timewait_facts
notes:
  - The filter fails with one sentence when the facts are none.
"""

EXAMPLES = r"""
- name: Gather facts about TIME-WAIT
  tcpops.timewait.timewait_facts:

- name: Show what to write so that connections of app are used again
  ansible.builtin.debug:
    msg: "{{ ansible_facts.timewait | tcpops.timewait.reuse_edits('app') }}"
"""

RETURN = r"""
_value:
  description:
    - A sentence for each line, with its place, why it is in the way, and what to write there; and one for each
      configuration that was not understood.
  type: list
  elements: str
  sample:
    - "/etc/nginx/conf.d/app.conf:12: connections of app: the upstream keeps no idle connections; write keepalive 32;"
"""


def reuse_edits(facts: object, backend: str, server: str = "") -> list[str]:
    """A sentence for each line, and for each server whose lines are not known.

    :raises AnsibleFilterError: when the facts are none.
    """
    readable = read_facts(facts)
    if isinstance(readable, str):
        raise AnsibleFilterError(f"tcpops.timewait.reuse_edits: {readable}")
    lines = [
        f"{line.told}; {f'write {line.change}' if line.change else 'take it away'}"
        for line in readable.connection_reuse or []
        if line.backend == backend and server in ("", line.server)
    ]
    unseen = [reason.rstrip(".") for reason in readable.unseen_reuse(server)]
    return lines + [f"whether connections of {backend} are used again was not seen: {reason}" for reason in unseen]


class FilterModule:
    """What Ansible looks for."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Filters by name."""
        return {"reuse_edits": reuse_edits}
