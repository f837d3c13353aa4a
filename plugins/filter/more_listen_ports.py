# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How many ports a server should listen on, as a filter over the facts of one host."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible_collections.tcpops.timewait.plugins.plugin_utils._remediation import more_listen_ports as remediation

DOCUMENTATION = r"""
name: more_listen_ports
short_description: How many ports a server should listen on
version_added: 0.1.0
author:
  - tcpops.timewait contributors (@tcpops)
description:
  - Proposes more listen ports for the services of a host that have an inbound pool near capacity, the fullest first.
    A service without one is not in the result.
  - One address and port of a server is one pool for each client. It holds as many connections as the client has ports,
    those in TIME-WAIT included. Ports are proposed until the fullest client's pools are half full, because from there
    on its connect() gets slow.
  - The client's range cannot be seen from the server, and is assumed to be the default of Linux, unless O(clients) has
    the client's own facts, or it runs on the same host.
positional: _input, services
options:
  _input:
    description:
      - The facts of the server, RV(tcpops.timewait.timewait_facts#module:ansible_facts.timewait), with the subset
        C(census).
    type: dict
    required: true
  services:
    description: What the servers listen on, RV(tcpops.timewait.listen_ports_info#module:services).
    type: list
    elements: dict
    required: true
  target_rate:
    description:
      - Connections per second that one client is to be able to open. V(0) asks for as many ports as the connections
        need that the fullest client holds now.
    type: float
    default: 0
  threshold:
    description: Share of its capacity from which on a pool counts as near capacity.
    type: float
    default: 0.8
  clients:
    description:
      - Facts of hosts that may be clients, by name. They tell the client's own capacity, and whether it binds its
        source ports, in which case more listen ports add nothing.
    type: dict
    default: {}
seealso:
  - module: tcpops.timewait.listen_ports
  - module: tcpops.timewait.listen_ports_info
notes:
  - The filter fails with one sentence when the facts do not tell the pools, or a parameter makes no sense.
"""

EXAMPLES = r"""
- name: Gather facts about TIME-WAIT
  tcpops.timewait.timewait_facts:

- name: See what the servers listen on
  tcpops.timewait.listen_ports_info:
  register: heard

- name: Show what is proposed for 2000 connections a second
  ansible.builtin.debug:
    msg: "{{ ansible_facts.timewait | tcpops.timewait.more_listen_ports(heard.services, target_rate=2000) }}"
"""

RETURN = r"""
_value:
  description:
    - The services that should have more ports, or whose clients should use the ports that are there.
    - C(beside) is the number of ports beside C(existing_port) in all, and no less than there are. C(reason) has the
      figures in a sentence. C(cannot) says why more ports would add nothing, and is empty where nothing tells that.
  type: list
  elements: dict
  sample:
    - assumed: true
      beside: 3
      cannot: ""
      capacity: 28232
      client: 192.0.2.7
      existing_port: 80
      ports_now: 1
      reason: >-
        192.0.2.7 holds 24100 of 28232 quadruplets of a port (assumed, its range cannot be seen); 900 connections a
        second for 60 s need 4 ports to be below 50 % of each, there is 1
      server: nginx
      target_rate: 900
      used: 24100
"""


def more_listen_ports(
    facts: object,
    services: object,
    target_rate: float = 0,
    threshold: float = 0.8,
    clients: Mapping[str, object] | None = None,
) -> list[dict[str, Any]]:
    """The proposals.

    :raises AnsibleFilterError: when they cannot be worked out.
    """
    try:
        found = remediation.more_listen_ports(facts, services, float(target_rate), float(threshold), clients)
    except (TypeError, ValueError) as error:
        raise AnsibleFilterError(f"tcpops.timewait.more_listen_ports: {error}") from error
    return [one.as_dict() for one in found]


class FilterModule:
    """What Ansible looks for."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Filters by name."""
        return {"more_listen_ports": more_listen_ports}
