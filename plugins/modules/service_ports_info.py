#!/usr/bin/python
# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which ports of a range services need or may need."""

DOCUMENTATION = r"""
---
module: service_ports_info
short_description: Ports that services need in a range of ephemeral ports
version_added: 0.1.0
author:
  - tcpops.timewait contributors (@tcpops)
description:
  - Finds the TCP ports of a range that services of the host need or may need, with where each is known from, so that
    they can be reserved before C(net.ipv4.ip_local_port_range) is widened over them.
  - A service that runs keeps its port whatever the range. One that is stopped, starts later than its clients, or has no
    socket at all, as a NodePort of Kubernetes, loses it to an outgoing connection.
  - Looks at what listens in the network namespace that it runs in, at the systemd socket units and the command lines of
    the service units on disk, at the usual configuration files of some fifty services, and at what O(ports) names.
  - Ports on command lines and in configuration are read without running the program, so that includes, macros and
    options that are spelt unusually are missed. Add those to O(ports).
  - Works without root, but then misses files and owners that only root may read, and lists them in RV(unavailable).
options:
  low:
    description: First port of the range that is wanted.
    type: int
    required: true
  high:
    description: Last port of the range that is wanted.
    type: int
    required: true
  ports:
    description: Ports, and ranges such as V(9000-9100), that services need besides.
    type: list
    elements: str
    default: []
  exclude:
    description:
      - Ports and ranges that are not to be reserved whatever needs them.
      - What is reserved already stays reserved.
    type: list
    elements: str
    default: []
  services_file:
    description: Whether the TCP services that C(/etc/services) registers count.
    type: bool
    default: false
  node_ports:
    description:
      - Whether the NodePorts of Kubernetes count, V(30000-32767) unless the configuration of an API server on this host
        says otherwise.
      - V(auto) where a kubelet, a kube-proxy, or a distribution that brings both is there, running or not.
    type: str
    choices: ["auto", "yes", "no"]
    default: auto
  join_gap:
    description:
      - Reserve also up to this many ports between two that are reserved, for a shorter list.
      - Ports in O(exclude) are not joined over. V(0) reserves nothing more than is needed.
    type: int
    default: 0
extends_documentation_fragment:
  - tcpops.timewait.attributes
  - tcpops.timewait.attributes.info
seealso:
  - module: tcpops.timewait.ephemeral_ports_info
  - module: tcpops.timewait.timewait_facts
"""

EXAMPLES = r"""
- name: What a range from 10240 on would run over
  tcpops.timewait.service_ports_info:
    low: 10240
    high: 65535
    ports: ["12000", "20000-20099"]
  become: true
  register: service_ports

- name: Stop when a port to reserve is the local port of an outgoing connection
  ansible.builtin.assert:
    that: service_ports.held_by_outgoing == []
    fail_msg: "Held by outgoing connections: {{ service_ports.held_ports }}"
"""

RETURN = r"""
ports:
  description:
    - What is needed in the range, by port. Neighbours with the same sources are one entry, C(port) to C(last_port).
    - C(kind) of a source is V(listening), V(socket_unit), V(service_unit), V(configuration), V(services_file),
      V(node_ports) or V(user); C(where) is an address, or path and line; C(what) says it in words.
  type: list
  elements: dict
  returned: success
  sample:
    - excluded: false
      last_port: 11211
      port: 11211
      sources:
        - kind: configuration
          what: "memcached: -p 11211"
          where: /etc/memcached.conf:4
reserved:
  description: Ports that are reserved now, as the kernel writes them.
  type: str
  returned: success
  sample: "10250"
wanted_reserved:
  description: Those and the ones that are needed, less O(exclude).
  type: str
  returned: success
  sample: "10250,11211,30000-32767"
held_by_outgoing:
  description:
    - Outgoing connections whose local port is in the running range and is to be reserved, 200 at most. A service that
      starts while they last fails to take the port.
    - What a service that has just stopped leaves of its accepted connections cannot be told from outgoing ones, unless
      there are eight or more.
    - Null when they could not be looked for; RV(unavailable) then says why.
    - C(seconds_left) is the rest of TIME-WAIT, null for a live connection.
  type: list
  elements: dict
  returned: success
  sample:
    - local_address: 192.0.2.1
      port: 33060
      remote_address: 192.0.2.2
      remote_port: 443
      seconds_left: 41
      state: time_wait
held_ports:
  description: The ports of all of them. Null as RV(held_by_outgoing).
  type: str
  returned: success
  sample: "33060"
range:
  description:
    - The range that is wanted, once RV(wanted_reserved) is reserved. C(reserved) ports of it are reserved, C(held) are
      listened on without being reserved, C(usable) are left for automatic choices.
  type: dict
  returned: success
  sample: {held: 0, high: 65535, low: 10240, reserved: 2770, usable: 52526}
running_range:
  description: The same of the range and the reserved ports that run.
  type: dict
  returned: success
  sample: {held: 0, high: 60999, low: 32768, reserved: 0, usable: 28232}
cautions:
  description: What the kernel would refuse or do otherwise than one thinks, a sentence each.
  type: list
  elements: str
  returned: success
  sample: ["both ends of 10240-65534 are even: each search of connect() leaves a port out, and the kernel logs it"]
unavailable:
  description: What could not be read, with the reason.
  type: list
  elements: dict
  returned: success
  sample:
    - reason: "not permitted: run as root"
      what: /etc/redis/redis.conf
"""

from typing import FrozenSet, List

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.tcpops.timewait.plugins.module_utils._files import Files
from ansible_collections.tcpops.timewait.plugins.module_utils._kernel.errors import KernelReadError
from ansible_collections.tcpops.timewait.plugins.module_utils._kernel.running import RunningKernel
from ansible_collections.tcpops.timewait.plugins.module_utils._ports import PortListError, PortRange, parse_list
from ansible_collections.tcpops.timewait.plugins.module_utils._service_ports.survey import Wanted, survey


def port_set(option: str, items: List[str]) -> FrozenSet[int]:
    """Ports that an option lists.

    :raises ValueError: with the sentence for the user.
    """
    try:
        return frozenset(parse_list(",".join(items)))
    except PortListError as error:
        raise ValueError("%s: %s: give ports and ranges such as 8080 and 9000-9100" % (option, error)) from None


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "low": {"type": "int", "required": True},
            "high": {"type": "int", "required": True},
            "ports": {"type": "list", "elements": "str", "default": []},
            "exclude": {"type": "list", "elements": "str", "default": []},
            "services_file": {"type": "bool", "default": False},
            "node_ports": {"type": "str", "choices": ["auto", "yes", "no"], "default": "auto"},
            "join_gap": {"type": "int", "default": 0},
        },
        supports_check_mode=True,
    )
    parameters = module.params
    low, high, join_gap = parameters["low"], parameters["high"], parameters["join_gap"]
    if not 1 <= low <= high <= 65535:
        module.fail_json(msg="low %d and high %d are no range: give two ports from 1 to 65535" % (low, high))
    if not 0 <= join_gap <= 1000:
        module.fail_json(msg="join_gap is %d: it takes a number from 0 to 1000" % join_gap)
    try:
        wanted = Wanted(
            PortRange(low, high),
            port_set("ports", parameters["ports"]),
            port_set("exclude", parameters["exclude"]),
            parameters["services_file"],
            parameters["node_ports"],
            join_gap,
        )
        result = survey(RunningKernel(), Files(), wanted)
    except (ValueError, KernelReadError) as error:
        module.fail_json(msg=str(error))
    module.exit_json(**result)


if __name__ == "__main__":
    main()
