#!/usr/bin/python
# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Facts about TIME-WAIT sockets and ephemeral ports."""

DOCUMENTATION = r"""
---
module: timewait_facts
short_description: Facts about TIME-WAIT sockets and ephemeral ports
version_added: 0.1.0
author:
  - tcpops.timewait contributors (@tcpops)
description:
  - Counts the TCP quadruplets of each network namespace by pool, which is what runs out, and not by socket.
  - A pool is all quadruplets that differ only in the ephemeral port. An outbound pool is local address,
    remote address and remote port; an inbound one is local address, local port and remote address.
  - Reads the kernel by C(NETLINK_SOCK_DIAG), or from C(/proc/net/tcp) where the kernel will not dump,
    and says which in RV(ansible_facts.timewait.source).
  - Needs no privilege. What an unprivileged user is not shown is listed with the reason in
    RV(ansible_facts.timewait.unavailable).
  - Needs nothing on the host but Python 3.6 or newer and Linux 3.10 or newer.
options:
  gather_subset:
    description:
      - What to gather.
      - V(census) are the pools; V(connection_reuse) the lines of HAProxy and nginx that have a connection opened for
        each request where one could be used again, which needs the rights to read their configuration;
        V(listeners) the listening addresses and ports; V(sysctls) the running values that TIME-WAIT and ephemeral
        ports depend on; V(counters) the counters of the kernel; V(kernel) what the kernel can do about TIME-WAIT,
        found out without changing anything, and the sizes of its structures; V(memory) what TIME-WAIT costs;
        V(sysctl_files) which lines of files and scripts set those values, under every loader that the host has, and
        which of them wins; V(namespaces) all the others for every other network namespace of the host, which needs
        root.
      - V(all) is every one of these. One with C(!) before it is left out.
      - V(connect_failures) is not in V(all), because it takes O(connect_failures_seconds), and setting those is enough
        to have it.
    type: list
    elements: str
    default: [all]
  top:
    description:
      - Pools to return for each namespace and direction, those with the highest utilisation.
        The others are summed up in C(pools_omitted).
      - Destinations to return in RV(ansible_facts.timewait.connect_failures), those with the most failures.
    type: int
    default: 20
  client_ports:
    description:
      - Ephemeral ports that a client is assumed to have, which is the capacity of an inbound pool.
        The range of a client cannot be known from here; the default is that of Linux.
    type: int
    default: 28232
  namespace_timeout:
    description:
      - Seconds after which the census of another namespace is given up.
    type: int
    default: 30
  connect_failures_seconds:
    description:
      - Seconds, up to 60, to listen for connections that fail for want of a port (C(EADDRNOTAVAIL)), which no counter
        of the kernel shows. V(0) does not listen.
      - Needs root and the kernel's event tracing, with the event C(sock:inet_sock_set_state). Other subsets are
        gathered meanwhile.
      - Listens in a trace instance of its own, with a filter in the kernel, which leaves the settings of the host's
        own tracing as they are. The instance is removed afterwards, also when the module is killed. The kernel takes
        1.4 MiB a CPU to make one, and 128 KiB a CPU are kept.
      - Sees every network namespace of the host, and cannot tell which one a connection failed in.
    type: int
    default: 0
extends_documentation_fragment:
  - tcpops.timewait.attributes
  - tcpops.timewait.attributes.facts
seealso:
  - name: Coping with the TCP TIME-WAIT state on busy Linux servers
    description: The reference article, by Vincent Bernat.
    link: https://vincent.bernat.ch/en/blog/2014-tcp-time-wait-state-linux
  - plugin: tcpops.timewait.findings
    plugin_type: filter
    description: Judges these facts.
"""

EXAMPLES = r"""
- name: Everything that the kernel tells
  tcpops.timewait.timewait_facts:
  become: true

- name: The host's own namespace only, five pools a direction
  tcpops.timewait.timewait_facts:
    gather_subset: [all, "!namespaces"]
    top: 5

- name: Also count the connections that fail in the next ten seconds for want of a port
  tcpops.timewait.timewait_facts:
    connect_failures_seconds: 10
  become: true

- name: Group the hosts that have an outbound pool beyond the cliff of the port search
  ansible.builtin.group_by:
    key: "timewait_{{ 'scarce' if ansible_facts.timewait.namespaces[0].pools
      | selectattr('direction', 'eq', 'outbound') | selectattr('utilisation', 'ge', 0.5) else 'fine' }}"
"""

RETURN = r"""
ansible_facts:
  description: The facts, to be added to those of the host.
  returned: success
  type: dict
  contains:
    timewait:
      description: All of them; each field is described in the schema of the collection, C(docs/schema.md).
      type: dict
      returned: success
      contains:
        schema:
          description: Version of the schema.
          type: int
          returned: success
          sample: 1
        collected_at:
          description: When, in UTC.
          type: str
          returned: success
          sample: "2026-11-22T08:00:00Z"
        gather_subset:
          description: The subsets that were gathered.
          type: list
          elements: str
          returned: success
          sample: [census, connection_reuse, counters, kernel, listeners, memory, namespaces, sysctl_files, sysctls]
        source:
          description: V(sock_diag), or V(procfs) where the kernel would not dump.
          type: str
          returned: when O(gather_subset) has V(census) or V(listeners) and the sockets could be read
          sample: sock_diag
        kernel:
          description:
            - Release, uptime in seconds, length of TIME-WAIT in seconds and how that is known.
            - With V(kernel) in O(gather_subset) also C(capabilities), each with C(available) (null when it
              cannot be told), C(value) and C(evidence), and the bytes of structures, C(structure_bytes).
          type: dict
          returned: success
          sample:
            capabilities:
              bind_address_no_port: {available: true, evidence: "a socket takes IP_BIND_ADDRESS_NO_PORT", value: null}
              tw_reuse_delay: {available: true, evidence: "net.ipv4.tcp_tw_reuse_delay = 1000", value: 1000}
            release: "6.18.44"
            structure_bytes: {inet_bind2_bucket: 80, inet_bind_bucket: 88, tcp_timewait_sock: 248}
            timewait_evidence: "constant TCP_TIMEWAIT_LEN; no sysctl net.ipv4.tcp_tw_timeout"
            timewait_seconds: 60
            uptime_seconds: 86400.1
        namespaces:
          description: One entry for each network namespace, the one that the module ran in first.
          type: list
          elements: dict
          returned: success
          sample:
            - inode: 4026531840
              kind: host
              label: host
              path: null
              pids: 120
              pools_omitted: {count: 0, used: 0}
              pools_total: 1
              port_range: {held: 0, high: 60999, low: 32768, reserved: "", usable: 28232}
              pools:
                - capacity: 28232
                  capacity_assumed: false
                  close_rate: 66.5
                  direction: outbound
                  local_address: 192.0.2.1
                  local_port: null
                  remote_address: 192.0.2.2
                  remote_port: 80
                  reusable: 0
                  seconds_to_exhaustion: null
                  sustainable_rate: 470.5
                  time_wait: 3990
                  used: 4000
                  utilisation: 0.1417
        memory:
          description: Bytes that a TIME-WAIT entry and all of them cost.
          type: dict
          returned: when O(gather_subset) has V(memory)
          sample:
            ehash_bytes: 2097152
            ehash_entries: 262144
            ehash_source: sysctl
            per_inbound_bytes: 256
            per_outbound_bytes: 512
            source: slab
            time_wait_bytes: 2042880
            total_bytes: 25282662400
        connect_failures:
          description:
            - Connections that failed for want of a port while the host was listened to, of all namespaces.
            - How many seconds that was, how many events were counted and how many were lost, and the destinations.
          type: dict
          returned: when O(gather_subset) or O(connect_failures_seconds) asks for it and events could be recorded
          sample:
            destinations: [{address: 192.0.2.2, count: 14, port: 80}]
            destinations_omitted: {count: 0, failures: 0}
            lost: 0
            seconds: 10.0
            total: 14
        connection_reuse:
          description:
            - Lines of HAProxy's and nginx's configuration for want of which, or because of which, connections to
              servers are not used again, with what to write there.
            - C(destinations) are the servers of the backend, as far as they are addresses and no names.
          type: list
          elements: dict
          returned: when O(gather_subset) has V(connection_reuse)
          sample:
            - backend: app
              change: keepalive 32;
              destinations: [{address: 192.0.2.2, port: 80}]
              line: 12
              path: /etc/nginx/conf.d/app.conf
              reason: no-keepalive
              server: nginx
        sysctl_files:
          description: Every line of a sysctl file that is about one of the values, by loader in the order of reading.
          type: list
          elements: dict
          returned: when O(gather_subset) has V(sysctl_files)
          sample:
            - {key: net.ipv4.tcp_tw_reuse, line: 3, loader: systemd-sysctl, path: /etc/sysctl.d/99-web.conf,
               value: "1", wins: true}
        sysctl_persisted:
          description:
            - The loaders of the host, what each leaves for every key that a line is about, whether they agree, what
              the next boot leaves and whether that is what runs; and the lines of scripts that set such keys.
          type: dict
          returned: when O(gather_subset) has V(sysctl_files)
          sample:
            keys:
              net.ipv4.tcp_tw_reuse:
                agree: true
                drift: true
                in_kernel: true
                loaders:
                  systemd-sysctl:
                    losers: []
                    sure: true
                    value: "1"
                    winner: {line: 3, path: /etc/sysctl.d/99-web.conf, value: "1"}
                persisted: "1"
                persisted_by: systemd-sysctl
                running: 2
            loaders:
              - at_boot: true
                complete: true
                evidence: /usr/lib/systemd/systemd-sysctl
                files: [/etc/sysctl.d/99-web.conf]
                hidden: []
                name: systemd-sysctl
                skipped: []
            scripts:
              - {key: net.ipv4.tcp_tw_reuse, line: 12, path: /etc/rc.local, value: "1"}
        unavailable:
          description: What was asked for and could not be read, with the reason.
          type: list
          elements: dict
          returned: success
          sample:
            - reason: "41 processes may not be asked for theirs: root may, unless a security policy bars it"
              what: namespaces
"""

from typing import FrozenSet, List, Set

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.tcpops.timewait.plugins.module_utils._facts import CONNECT_FAILURES, SUBSETS, Options, gather
from ansible_collections.tcpops.timewait.plugins.module_utils._kernel.errors import KernelReadError
from ansible_collections.tcpops.timewait.plugins.module_utils._kernel.running import RunningKernel


def chosen_subsets(asked: List[str], seconds: int) -> FrozenSet[str]:
    """Subsets that a ``gather_subset`` stands for.

    :param seconds: to listen for failed connections, 0 for not at all.
    :raises ValueError: with the sentence for the user when one of them is none, or asks to listen for no time.
    """
    known = (*SUBSETS, CONNECT_FAILURES)
    added: Set[str] = set()
    removed: Set[str] = set()
    for item in asked:
        name = item.lstrip("!")
        if name != "all" and name not in known:
            raise ValueError(
                "gather_subset has %r: it takes all, %s, each also with ! before it" % (item, ", ".join(known))
            )
        (removed if item.startswith("!") else added).update(SUBSETS if name == "all" else (name,))
    if CONNECT_FAILURES in added - removed and not seconds:
        raise ValueError(
            "gather_subset has connect_failures and connect_failures_seconds is 0: set it to the seconds to listen,"
            " from 1 to 60"
        )
    listening = {CONNECT_FAILURES} if seconds else set()
    return frozenset(((added or set(SUBSETS)) | listening) - removed)


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "gather_subset": {"type": "list", "elements": "str", "default": ["all"]},
            "top": {"type": "int", "default": 20},
            "client_ports": {"type": "int", "default": 28232},
            "namespace_timeout": {"type": "int", "default": 30},
            "connect_failures_seconds": {"type": "int", "default": 0},
        },
        supports_check_mode=True,
    )
    parameters = module.params
    for name, low, high in (
        ("top", 1, 100000),
        ("client_ports", 1, 65535),
        ("namespace_timeout", 1, 3600),
        ("connect_failures_seconds", 0, 60),
    ):
        if not low <= parameters[name] <= high:
            module.fail_json(msg="%s is %d: it takes a number from %d to %d" % (name, parameters[name], low, high))
    try:
        subsets = chosen_subsets(parameters["gather_subset"], parameters["connect_failures_seconds"])
    except ValueError as error:
        module.fail_json(msg=str(error))
    options = Options(
        subsets,
        parameters["top"],
        parameters["client_ports"],
        parameters["namespace_timeout"],
        parameters["connect_failures_seconds"],
    )
    try:
        facts = gather(RunningKernel(), options)
    except KernelReadError as error:
        module.fail_json(msg=str(error))
    module.exit_json(ansible_facts={"timewait": facts})


if __name__ == "__main__":
    main()
