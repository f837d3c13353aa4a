#!/usr/bin/python
# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which local ports automatic choice gives."""

DOCUMENTATION = r"""
---
module: ephemeral_ports_info
short_description: Local ports that connections get, found out by connecting
version_added: 0.1.0
author:
  - tcpops.timewait contributors (@tcpops)
description:
  - Makes some hundred connections on loopback, one after the other and for two seconds at most, and tells which local
    ports the kernel chose for them, whether from the whole of the expected range, and whether any of them was reserved.
  - Listeners and connections are its own, on changing addresses of 127.0.0.0/8, and end with a reset, which leaves no
    TIME-WAIT on either side. The counters of the kernel move. IPv6 takes its ports from the same range.
options:
  low:
    description: First port of the range that ports should come from; without it that of the running range.
    type: int
  high:
    description: Last port of that range; goes with O(low).
    type: int
  reserved:
    description: Ports and ranges that must not be given; without it the ones that are reserved now.
    type: list
    elements: str
  connections:
    description: Connections to make, from 1 to 500. Fewer than 156 cannot tell that a part of the range is never used.
    type: int
    default: 200
  namespace:
    description: Network namespace to connect in, by its path or its C(ip netns) name. Needs root.
    type: str
extends_documentation_fragment:
  - tcpops.timewait.attributes
  - tcpops.timewait.attributes.info
seealso:
  - module: tcpops.timewait.service_ports_info
"""

EXAMPLES = r"""
- name: Which ports are given
  tcpops.timewait.ephemeral_ports_info:
    low: 10240
    high: 65535
  register: ephemeral_ports

- name: They come from the whole range, and none is reserved
  ansible.builtin.assert:
    that:
      - ephemeral_ports.outside == []
      - ephemeral_ports.reserved_taken == []
      - ephemeral_ports.unreached == []
"""

RETURN = r"""
range:
  description: What the ports are compared with.
  type: dict
  returned: success
  sample: {high: 65535, low: 10240, reserved: "11211,30000-32767"}
count:
  description: Connections made, fewer than asked for where two seconds were over.
  type: int
  returned: success
  sample: 200
lowest:
  description: Lowest port given.
  type: int
  returned: success
  sample: 10512
highest:
  description: Highest port given.
  type: int
  returned: success
  sample: 65260
outside:
  description: Ports given from outside the range.
  type: list
  elements: int
  returned: success
  sample: []
reserved_taken:
  description: Ports given although they are reserved.
  type: list
  elements: int
  returned: success
  sample: []
parity_of_low:
  description:
    - Ports given that are even or odd as the lowest of the range is. The kernel tries those first, so that on a host
      with ports to spare it is all of them.
  type: int
  returned: success
  sample: 200
parts:
  description:
    - The range in eight parts, with how many ports were C(taken) from each, and the C(share) of all connections that
      is to be expected on a host with ports to spare.
  type: list
  elements: dict
  returned: success
  sample:
    - {high: 17151, low: 10240, share: 0.125, taken: 26}
unreached:
  description:
    - Parts that no port came from, where chance would do that less often than once in 10^9 times.
    - A host with hardly a port left may show parts here too.
  type: list
  elements: str
  returned: success
  sample: []
judged_parts:
  description: Parts that had enough connections for RV(unreached) to tell.
  type: int
  returned: success
  sample: 8
"""

from functools import partial

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.tcpops.timewait.plugins.module_utils._ephemeral_ports import MOST_CONNECTIONS, observe
from ansible_collections.tcpops.timewait.plugins.module_utils._kernel.errors import KernelReadError
from ansible_collections.tcpops.timewait.plugins.module_utils._kernel.inside import call_inside
from ansible_collections.tcpops.timewait.plugins.module_utils._kernel.running import RunningKernel
from ansible_collections.tcpops.timewait.plugins.module_utils._ports import PortListError, PortRange, parse_list

_TIMEOUT_SECONDS = 30


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "low": {"type": "int"},
            "high": {"type": "int"},
            "reserved": {"type": "list", "elements": "str"},
            "connections": {"type": "int", "default": 200},
            "namespace": {"type": "str"},
        },
        required_together=[("low", "high")],
        supports_check_mode=True,
    )
    low, high, reserved, connections, namespace = (
        module.params[name] for name in ("low", "high", "reserved", "connections", "namespace")
    )
    if not 1 <= connections <= MOST_CONNECTIONS:
        module.fail_json(msg="connections is %d: it takes a number from 1 to %d" % (connections, MOST_CONNECTIONS))
    if low is not None and not 1 <= low <= high <= 65535:
        module.fail_json(msg="low %d and high %d are no range: give two ports from 1 to 65535" % (low, high))
    try:
        look = partial(
            observe,
            RunningKernel(),
            None if low is None else PortRange(low, high),
            None if reserved is None else parse_list(",".join(reserved)),
            connections,
        )
        if namespace:
            path = namespace if "/" in namespace else "/run/netns/" + namespace
            result = call_inside(path, look, _TIMEOUT_SECONDS)
        else:
            result = look()
    except PortListError as error:
        module.fail_json(msg="reserved: %s: give ports and ranges such as 8080 and 9000-9100" % error)
    except KernelReadError as error:
        module.fail_json(msg=str(error))
    module.exit_json(**result)


if __name__ == "__main__":
    main()
