#!/usr/bin/python
# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Let a server listen on more ports."""

DOCUMENTATION = r"""
---
module: listen_ports
short_description: Let a server listen on more ports
version_added: 0.1.0
author:
  - tcpops.timewait contributors (@tcpops)
description:
  - Each port that a server listens on gives every client one more pool of quadruplets. The module lets nginx, HAProxy,
    Apache or a socket of systemd listen on more ports beside one that it listens on already, at the same addresses and
    with the same options.
  - The configuration that the host has is edited in place. Lines are put in and carry a mark, and nothing else of it
    changes. What is not understood is refused with file and line.
  - All of it is one transaction. The new ports are bound for a try before anything is touched. Then come the edits, the
    server's own check and a reload, and in the end every new port has to answer as the old one does. Whatever fails,
    everything is put back, and the server told once more.
  - Sockets of systemd can only be restarted, and their service with them. Where C(nft) is there, new connections to
    their ports wait for that moment; without it they are refused.
  - Clients have to use the new ports, and to leave the choice of their own port to connect(). One that binds an address
    without C(IP_BIND_ADDRESS_NO_PORT) gains nothing.
options:
  server:
    description:
      - Whose configuration to edit. Without it, that of the program that listens on O(existing_port).
    type: str
    choices: [nginx, haproxy, apache, systemd_socket]
  existing_port:
    description: The port that is listened on already.
    type: int
    required: true
  add_ports:
    description:
      - Ports to add, or with O(state=absent) to take away again. Without it, O(state=absent) takes away all that were
        added beside O(existing_port).
      - A port that something else listens on, or is configured to listen on, is refused.
    type: list
    elements: int
    default: []
  count:
    description:
      - How many ports there are to be beside O(existing_port). Free ones next to it are picked; those that were added
        before count, and none is taken away.
    type: int
    default: 0
  state:
    description: Whether the ports are to be there.
    type: str
    choices: [present, absent]
    default: present
  reserve:
    description:
      - Whether ports of C(net.ipv4.ip_local_port_range) may be added. They are reserved then, running and persisted,
        since an outgoing connection would take them otherwise whenever the server does not have them.
      - With O(state=absent), ports that are taken away are not reserved any more.
    type: bool
    default: false
  firewall:
    description:
      - Whether the ports are opened in firewalld and ufw, where they are active and O(existing_port) is open in them.
        Other rules are never changed; RV(advice) says what to add.
    type: bool
    default: true
  units:
    description:
      - Names of socket units, with O(server=systemd_socket). Without them, those that something on disk starts.
    type: list
    elements: str
  probe:
    description:
      - How new ports are compared with the old one. V(http) asks for one page; status, certificate, some headers and,
        where the old port repeats it, the page have to be the same. V(tcp) connects and compares what the server says
        by itself.
      - V(auto) is V(http) where the configuration says that HTTP is spoken, and V(tcp) elsewhere.
    type: str
    choices: [auto, http, tcp]
    default: auto
  wait:
    description: Seconds that the ports may take to answer after the reload.
    type: int
    default: 30
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
  - module: tcpops.timewait.service_ports_info
"""

EXAMPLES = r"""
- name: Three ports beside 80, whichever are free next to it
  tcpops.timewait.listen_ports:
    existing_port: 80
    count: 3
  become: true

- name: Two ports of HAProxy's, by number
  tcpops.timewait.listen_ports:
    server: haproxy
    existing_port: 443
    add_ports: [444, 445]
  become: true

- name: What was added beside 80 is not wanted any more
  tcpops.timewait.listen_ports:
    server: nginx
    existing_port: 80
    state: absent
  become: true
"""

RETURN = r"""
server:
  description: The server whose configuration it is.
  type: str
  returned: success
  sample: nginx
before:
  description: C(ports), the existing one and those that were beside it.
  type: dict
  returned: success
  sample: {ports: [80]}
after:
  description: The same as it is now, or in check mode would be.
  type: dict
  returned: success
  sample: {ports: [80, 81, 82]}
added:
  description: Ports that were added by this run.
  type: list
  elements: int
  returned: success
  sample: [81, 82]
removed:
  description: Ports that were taken away by this run.
  type: list
  elements: int
  returned: success
  sample: []
listeners:
  description:
    - The lines that listen on the ports that were asked for, with their places after the change; with O(state=absent)
      those that went, with their places before it. C(address) is C(*) for every IPv4 address, C(::) for every IPv6
      address, empty for both.
  type: list
  elements: dict
  returned: success
  sample: [{address: "*", line: 12, options: [default_server], path: /etc/nginx/sites-available/default, port: 81}]
running:
  description: Whether the server runs. If it does not, nothing could be tried.
  type: bool
  returned: success
  sample: true
advice:
  description: What is to be done or known besides. Each is a warning, too, of a run that changes something.
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

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.tcpops.timewait.plugins.module_utils._listen_ports import asked as request
from ansible_collections.tcpops.timewait.plugins.module_utils._listen_ports.change import change
from ansible_collections.tcpops.timewait.plugins.module_utils._transaction import Journal, TransactionError


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "server": {"type": "str", "choices": ["nginx", "haproxy", "apache", "systemd_socket"]},
            "existing_port": {"type": "int", "required": True},
            "add_ports": {"type": "list", "elements": "int", "default": []},
            "count": {"type": "int", "default": 0},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "reserve": {"type": "bool", "default": False},
            "firewall": {"type": "bool", "default": True},
            "units": {"type": "list", "elements": "str"},
            "probe": {"type": "str", "choices": ["auto", "http", "tcp"], "default": "auto"},
            "wait": {"type": "int", "default": 30},
            "journal_keep": {"type": "int", "default": 30},
        },
        supports_check_mode=True,
    )
    given = module.params
    if given["journal_keep"] < 0:
        module.fail_json(msg="journal_keep is %d: it takes a number from 0." % given["journal_keep"])
    if given["add_ports"] and given["count"]:
        module.fail_json(msg="add_ports and count are both given: say which ports, or how many.")
    asked = request.Asked(
        given["server"], given["existing_port"], tuple(given["add_ports"]), given["count"], given["state"],
        given["reserve"], given["firewall"], None if given["units"] is None else tuple(given["units"]),
        given["probe"], given["wait"],
    )
    try:
        request.check(asked)
        found = change(asked, Journal(keep_days=given["journal_keep"]), module.check_mode)
    except TransactionError as error:
        module.fail_json(msg="%s." % error)
    for warning in found.warnings + (found.advice if found.outcome.changed else []) + found.outcome.warnings:
        module.warn(warning)
    module.exit_json(
        server=found.server,
        before={"ports": found.before},
        after={"ports": found.after},
        added=sorted(set(found.after) - set(found.before)),
        removed=sorted(set(found.before) - set(found.after)),
        listeners=[
            {"address": one.address, "port": one.port, "path": one.path, "line": one.line, "options": list(one.options)}
            for one in found.listeners
        ],
        running=found.running,
        advice=found.advice,
        **found.outcome.as_result()
    )


if __name__ == "__main__":
    main()
