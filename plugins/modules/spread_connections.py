#!/usr/bin/python
# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Let a client spread its connections over addresses and ports."""

DOCUMENTATION = r"""
---
module: spread_connections
short_description: Let a client spread its connections over addresses and ports
version_added: 0.1.0
author:
  - tcpops.timewait contributors (@tcpops)
description:
  - A load balancer that opens all its connections from one address to one port of a server has one pool of quadruplets
    for it. Each further address that they come from, and each further port or address that they go to, is a pool more,
    if connections really use it. The module lets HAProxy and nginx use them all, evenly.
  - The configuration that the host has is edited in place. Lines are put in and carry a mark, a line that changes has a
    comment with what it was, and nothing else changes. What is not understood is refused with file and line.
  - For HAProxy each C(server) line becomes one for each address and port. They track the checks of the first one, share
    its C(maxconn) and its weight, and have names, ids and cookies of their own that stay the same.
  - For nginx an C(upstream) gets servers for ports and addresses, and C(split_clients) shares out the addresses that
    connections come from, bound by C(proxy_bind) or its likes. Connections that are kept go on to be used again.
  - All of it is one transaction. Every new pool has to answer before it is used, as the server does now. Then come the
    edits, the client's own check and a reload, and then the connections themselves are looked at, where they come from
    and where they go. Those that are not spread within 20 % of even, beyond what chance explains, take all of it back.
  - Whether the client leaves the choice of its port to connect() is found out from those connections. Where it does
    not, more ports and addresses of servers add nothing, and are taken back.
  - With O(state=absent), nothing is taken from the host that connections still use. Take the addresses or ports away
    afterwards.
options:
  server:
    description:
      - Whose configuration to edit. Without it, that of the one that has O(backend).
    type: str
    choices: [haproxy, nginx]
  backend:
    description:
      - Name of a C(backend) or C(listen) section of HAProxy, or of an C(upstream) of nginx. Where nginx passes requests
        to an address, that address with its port; it takes O(sources) only.
    type: str
    required: true
  sources:
    description:
      - Addresses of this host that connections are to come from, with O(state=present) besides those that they come
        from already. They have to be there; M(tcpops.timewait.ip_addresses) adds them.
    type: list
    elements: str
    default: []
  keep_source:
    description:
      - Whether connections go on to come from the address that they come from now, too. Otherwise they come from
        O(sources) alone.
    type: bool
    default: true
  ports:
    description:
      - Ports of every server that connections are to go to, besides the one in the configuration. They have to be
        listened on; M(tcpops.timewait.listen_ports) adds them.
    type: list
    elements: int
    default: []
  server_addresses:
    description:
      - More addresses of servers that connections are to go to.
    type: list
    elements: dict
    default: []
    suboptions:
      server:
        description:
          - The server that has them, by its address in the configuration, or by the name that HAProxy has for it.
        type: str
        required: true
      addresses:
        description:
          - Its further addresses.
        type: list
        elements: str
        required: true
  state:
    description:
      - V(present) spreads over what is named, besides what connections are spread over already. V(absent) takes what is
        named away, or without any of it, everything that was added for O(backend).
    type: str
    choices: [present, absent]
    default: present
  probe:
    description:
      - How a new pool is compared with the server as it answers now. V(http) asks for one page; V(tcp) connects and
        compares what the server says by itself. V(auto) is V(http) where the configuration says that HTTP is spoken.
    type: str
    choices: [auto, http, tcp]
    default: auto
  wait:
    description:
      - Seconds that a new pool may take to answer. With O(state=absent), seconds to wait for connections that are still
        opened in pools that go.
    type: int
    default: 30
  watch:
    description:
      - Seconds, at most, that connections are looked at after the reload. It takes 20 connections for each pool to tell
        that one is not used, and 100 to be sure of it before that time is over. With V(0) they are not looked at.
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
  - module: tcpops.timewait.ip_addresses
  - module: tcpops.timewait.listen_ports
  - module: tcpops.timewait.rollback
  - module: tcpops.timewait.transactions_info
"""

EXAMPLES = r"""
- name: From one more address
  tcpops.timewait.spread_connections:
    backend: app
    sources: [10.0.0.70]
  become: true

- name: To two more ports of every server
  tcpops.timewait.spread_connections:
    server: haproxy
    backend: app
    ports: [8081, 8082]
  become: true

- name: To a second address of one of them
  tcpops.timewait.spread_connections:
    backend: app
    server_addresses:
      - server: 10.0.0.10
        addresses: [10.0.0.71]
  become: true

- name: As it was
  tcpops.timewait.spread_connections:
    backend: app
    state: absent
  become: true
"""

RETURN = r"""
server:
  description: The client whose configuration it is.
  type: str
  returned: success
  sample: haproxy
before:
  description:
    - What the connections of the backend were spread over by this module, and in C(pools) all that they go through.
  type: dict
  returned: success
  contains: &spread
    sources:
      description: Addresses that they come from; none where the kernel chooses.
      type: list
      elements: str
      returned: always
      sample: []
    ports:
      description: Ports beside those of the configuration.
      type: list
      elements: int
      returned: always
      sample: []
    server_addresses:
      description: Further addresses, by server.
      type: dict
      returned: always
      sample: {}
    pools:
      description: C(source), empty where the kernel chooses it, C(address) and C(port).
      type: list
      elements: dict
      returned: always
      sample: [{source: "", address: 10.0.0.10, port: 80}]
after:
  description: The same as it is now, or in check mode would be.
  type: dict
  returned: success
  contains: *spread
added:
  description: Pools that connections go through since this run, as in C(after).
  type: list
  elements: dict
  returned: success
  sample: [{source: 10.0.0.70, address: 10.0.0.10, port: 80}]
removed:
  description: Pools that they do not go through any more.
  type: list
  elements: dict
  returned: success
  sample: []
seen:
  description: Connections that were opened after the reload, by pool.
  type: list
  elements: dict
  returned: success, empty when nothing was reloaded
  sample: [{server: s1, source: 10.0.0.70, address: 10.0.0.10, port: 80, connections: 214}]
even:
  description: Whether they are spread evenly. Null when there were too few to tell, or nothing was looked at.
  type: bool
  returned: success
  sample: true
deferred:
  description:
    - Whether the client leaves the choice of the port to connect(), in C(value), with the C(evidence). The value is
      null when it cannot be told.
  type: dict
  returned: success, null where no address is bound or nothing was looked at
  sample: {value: true, evidence: port 40000 goes to two servers, so that connect() chose it}
running:
  description: Whether the client runs.
  type: bool
  returned: success
  sample: true
advice:
  description: What works otherwise, or is to be known besides. Each is a warning, too, of a run that changes something.
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

from typing import Any, Dict, List

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.tcpops.timewait.plugins.module_utils._spread.plan import Pool
from ansible_collections.tcpops.timewait.plugins.module_utils._spread.request import Request, ServerAddresses
from ansible_collections.tcpops.timewait.plugins.module_utils._spread_connections import asked as request
from ansible_collections.tcpops.timewait.plugins.module_utils._spread_connections.change import change
from ansible_collections.tcpops.timewait.plugins.module_utils._transaction import Journal, TransactionError


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "server": {"type": "str", "choices": ["haproxy", "nginx"]},
            "backend": {"type": "str", "required": True},
            "sources": {"type": "list", "elements": "str", "default": []},
            "keep_source": {"type": "bool", "default": True},
            "ports": {"type": "list", "elements": "int", "default": []},
            "server_addresses": {
                "type": "list",
                "elements": "dict",
                "default": [],
                "options": {
                    "server": {"type": "str", "required": True},
                    "addresses": {"type": "list", "elements": "str", "required": True},
                },
            },
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "probe": {"type": "str", "choices": ["auto", "http", "tcp"], "default": "auto"},
            "wait": {"type": "int", "default": 30},
            "watch": {"type": "int", "default": 30},
            "journal_keep": {"type": "int", "default": 30},
        },
        supports_check_mode=True,
    )
    given = module.params
    if given["journal_keep"] < 0:
        module.fail_json(msg="journal_keep is %d: it takes a number from 0." % given["journal_keep"])
    addresses = tuple(ServerAddresses(one["server"], tuple(one["addresses"])) for one in given["server_addresses"])
    try:
        wanted = request.request(given["backend"], tuple(given["sources"]), tuple(given["ports"]), addresses)
        asked = request.Asked(
            given["server"], wanted, given["keep_source"], given["state"], given["probe"], given["wait"], given["watch"]
        )
        request.check(asked)
        done = change(asked, Journal(keep_days=given["journal_keep"]), module.check_mode)
    except TransactionError as error:
        module.fail_json(msg="%s." % error)
    planned, found = done.planned, done.found
    seen_problems = found.warnings if found else []
    for warning in seen_problems + (planned.advice if done.outcome.changed else []) + done.outcome.warnings:
        module.warn(warning)
    port = found.deferred if found else None
    module.exit_json(
        server=done.client,
        before=_described(planned.before, planned.pools_before),
        after=_described(planned.after, planned.pools),
        added=_pools(planned.added),
        removed=_pools(planned.removed),
        seen=[dict(pool._asdict(), server=server, connections=count) for server, pool, count in found.counts]
        if found else [],
        even=found.even if found else None,
        deferred={"value": port.deferred, "evidence": port.evidence} if port else None,
        running=planned.running,
        advice=planned.advice,
        **done.outcome.as_result()
    )


def _described(spread: Request, pools: List[Pool]) -> Dict[str, Any]:
    return {
        "sources": list(spread.sources),
        "ports": list(spread.ports),
        "server_addresses": {one.server: list(one.addresses) for one in spread.addresses},
        "pools": _pools(pools),
    }


def _pools(pools: List[Pool]) -> List[Dict[str, Any]]:
    return [dict(pool._asdict()) for pool in pools]


if __name__ == "__main__":
    main()
