#!/usr/bin/python
# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Give an interface more addresses, or take them away."""

DOCUMENTATION = r"""
---
module: ip_addresses
short_description: Give an interface more addresses, or take them away
version_added: 0.1.0
author:
  - tcpops.timewait contributors (@tcpops)
description:
  - Adds addresses to an interface, now and at the next boot, in one transaction. Each one is as many quadruplets as
    the first. Either all of it is done or nothing, and M(tcpops.timewait.rollback) takes it back.
  - No other traffic comes from an address that is added. Those of IPv4 have a prefix length of 32, those of IPv6 a
    preferred lifetime of 0, and the kernel is asked for the source of traffic to all its routes before and after.
  - At boot it is added by whatever manages the interface, which is asked, not guessed; systemd-networkd,
    NetworkManager, netplan, ifupdown, or else a systemd unit. None of them is told to reload, apply or restart, since
    that takes addresses away for a moment. What runs is told to the kernel.
requirements:
  - pyroute2, on the host (C(python3-pyroute2) of the distribution). M(tcpops.timewait.rollback) needs it not.
options:
  interface:
    description:
      - Its name.
    type: str
    required: true
  addresses:
    description:
      - Addresses of IPv4 and IPv6. Without a prefix length they get that of one address, which is what is wanted where
        they are for connections alone.
      - A shorter one has to be that of another address of the interface, so that no route comes with it. Of IPv4, it
        is refused where it would be in a file, since the order at boot would decide which one is the source.
    type: list
    elements: str
    default: []
  count:
    description:
      - How many addresses of O(free_range) the interface is to have, those of an earlier run among them. With
        O(state=present) only.
    type: int
  free_range:
    description:
      - A network, such as V(10.0.0.64/27), or two addresses, such as V(10.0.0.70-10.0.0.90), that nobody else gives
        out. What somebody on the link has all the same is passed over.
      - With O(state=absent), all addresses in it that the interface has for connections alone.
    type: str
  state:
    description:
      - V(present) adds what is missing, and takes nothing away. V(absent) takes away.
    type: str
    choices: [present, absent]
    default: present
  persist:
    description:
      - Whether they are added at boot, too, or taken away from there.
    type: bool
    default: true
  namespace:
    description:
      - Another network namespace of the host, by its name for C(ip netns) or by path. It has running addresses only,
        whatever O(persist) says.
    type: str
  detect_duplicates:
    description:
      - Whether the link is asked first if somebody has an address already (RFC 5227, RFC 4862). It takes about a
        second. The kernel asks about those of IPv6 in any case.
    type: bool
    default: true
  wait:
    description:
      - With O(state=absent), seconds that connections have to end which use the addresses. No new ones are prevented.
    type: int
    default: 0
  force:
    description:
      - With O(state=absent), take addresses away although connections use them. Those break.
    type: bool
    default: false
  journal_keep:
    description:
      - Days that finished transactions are kept. The newest one that is in force is kept for good.
    type: int
    default: 30
extends_documentation_fragment:
  - tcpops.timewait.attributes
  - tcpops.timewait.attributes.transaction
seealso:
  - module: tcpops.timewait.rollback
  - module: tcpops.timewait.transactions_info
  - module: tcpops.timewait.timewait_facts
"""

EXAMPLES = r"""
- name: Two more addresses for a proxy to connect from
  tcpops.timewait.ip_addresses:
    interface: eth0
    addresses: [10.0.0.70, "2001:db8::70"]
  become: true

- name: Four of those that are set aside, whichever are free
  tcpops.timewait.ip_addresses:
    interface: eth0
    count: 4
    free_range: 10.0.0.64/27
  register: more
  become: true

- name: Away with them, once no connection uses them any more
  tcpops.timewait.ip_addresses:
    interface: eth0
    free_range: 10.0.0.64/27
    state: absent
    wait: 300
  become: true
"""

RETURN = r"""
before:
  description: Addresses of the interface, as they were.
  type: dict
  returned: success
  contains:
    addresses:
      description: With their prefix lengths.
      type: list
      elements: str
      returned: always
      sample: [10.0.0.10/24]
after:
  description: Addresses of the interface, as they are, or in check mode would be.
  type: dict
  returned: success
  contains:
    addresses:
      description: With their prefix lengths.
      type: list
      elements: str
      returned: always
      sample: [10.0.0.10/24, 10.0.0.70/32]
added:
  description: Those that the interface did not have.
  type: list
  elements: str
  returned: success
  sample: [10.0.0.70/32]
removed:
  description: Those that it has no more.
  type: list
  elements: str
  returned: success
  sample: []
chosen:
  description:
    - All addresses that were asked for or picked, without prefix lengths. They are on the interface after the run,
      whether or not they were before. Empty with O(state=absent).
  type: list
  elements: str
  returned: success
  sample: [10.0.0.70]
manager:
  description: What adds the addresses at boot, what said so, and the file that they are in.
  type: dict
  returned: success, null with O(namespace) and without O(persist)
  sample:
    name: systemd-networkd
    evidence: "networkctl status eth0: Network File: /etc/systemd/network/lan.network"
    path: /etc/systemd/network/lan.network.d/90-tcpops-timewait.conf
in_use:
  description:
    - What uses the addresses that are taken away. C(connections) are counts by state, C(time_wait) counts sockets that
      lose nothing, C(listening) are ports that are open on this address alone.
  type: list
  elements: dict
  returned: success
  sample: [{address: 10.0.0.70, connections: {}, time_wait: 12, listening: [8080]}]
taken:
  description: MAC addresses of others on the link, by the address of O(free_range) that they have.
  type: dict
  returned: success
  sample: {10.0.0.64: "52:54:00:12:34:56"}
advice:
  description: What to know about the manager of the interface, when a file is changed.
  type: list
  elements: str
  returned: success
  sample: []
transaction:
  description: Id of the transaction, for M(tcpops.timewait.rollback).
  type: str
  returned: success, null when nothing was changed and in check mode
  sample: 20261122T080000.123456Z
recovered:
  description: Interrupted transactions that were undone first, as M(tcpops.timewait.rollback) describes them.
  type: list
  elements: dict
  returned: success
  sample: []
"""

from ansible.module_utils.basic import AnsibleModule, missing_required_lib

from ansible_collections.tcpops.timewait.plugins.module_utils._addresses import request, running
from ansible_collections.tcpops.timewait.plugins.module_utils._addresses.change import change
from ansible_collections.tcpops.timewait.plugins.module_utils._addresses.errors import AddressError
from ansible_collections.tcpops.timewait.plugins.module_utils._sysctl.change import namespace_file
from ansible_collections.tcpops.timewait.plugins.module_utils._transaction import Journal, TransactionError


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "interface": {"type": "str", "required": True},
            "addresses": {"type": "list", "elements": "str", "default": []},
            "count": {"type": "int"},
            "free_range": {"type": "str"},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "persist": {"type": "bool", "default": True},
            "namespace": {"type": "str"},
            "detect_duplicates": {"type": "bool", "default": True},
            "wait": {"type": "int", "default": 0},
            "force": {"type": "bool", "default": False},
            "journal_keep": {"type": "int", "default": 30},
        },
        supports_check_mode=True,
    )
    given = module.params
    for name in ("wait", "journal_keep"):
        if given[name] < 0:
            module.fail_json(msg="%s is %d: it takes a number from 0." % (name, given[name]))
    if running.IMPORT_ERROR:
        module.fail_json(msg=missing_required_lib("pyroute2"), exception=running.IMPORT_ERROR)
    try:
        named, free_range, wanted = request.settle(
            given["interface"], given["state"], given["addresses"], given["free_range"], given["count"]
        )
        asked = request.Request(
            given["interface"], given["state"], named, free_range, wanted, given["persist"],
            namespace_file(given["namespace"]), given["detect_duplicates"], given["wait"], given["force"],
        )
        found = change(asked, Journal(keep_days=given["journal_keep"]), module.check_mode)
    except (AddressError, TransactionError) as error:
        module.fail_json(msg="%s." % error)
    for warning in found.warnings + found.outcome.warnings:
        module.warn(warning)
    module.exit_json(
        before={"addresses": found.before},
        after={"addresses": found.after},
        added=found.added,
        removed=found.removed,
        chosen=found.chosen,
        manager=found.manager,
        in_use=found.in_use,
        taken=found.taken,
        advice=found.advice,
        **found.outcome.as_result()
    )


if __name__ == "__main__":
    main()
