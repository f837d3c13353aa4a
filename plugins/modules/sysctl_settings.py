#!/usr/bin/python
# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Set the sysctls that TIME-WAIT and ephemeral ports depend on."""

DOCUMENTATION = r"""
---
module: sysctl_settings
short_description: Set the sysctls that TIME-WAIT and ephemeral ports depend on
version_added: 0.1.0
author:
  - tcpops.timewait contributors (@tcpops)
description:
  - Sets running values and what files give at the next boot, for several sysctls in one transaction. Either all of it
    is done or nothing, and M(tcpops.timewait.rollback) takes it back.
  - Knows what systemd-sysctl, C(sysctl --system), ufw and TuneD read and which line wins under each of them. Values go
    into a drop-in of this collection, whose name comes after all others.
  - Running values are written to C(/proc/sys) one by one. No other sysctl is touched, and no loader is run.
  - The sysctls are those of TIME-WAIT and ephemeral ports. C(net.ipv4.tcp_tw_recycle) is set to nothing but 0, and
    C(net.ipv4.ip_local_port_range) not to fewer ports than it has.
options:
  values:
    description:
      - Values by name, which may be spelt with dots or with slashes. They are compared as the kernel shows them.
      - A range may be written V(10240 65535) or as a list, ports that are reserved as V(8080,9000-9100) or as a list.
      - With O(state=purged) they are running values only.
    type: dict
    default: {}
  keys:
    description:
      - Names, for O(state=absent) and O(state=purged).
    type: list
    elements: str
    default: []
  state:
    description:
      - V(present) sets the running values, and lets files give the same under every loader that the host has.
      - V(absent) takes what this collection wrote about O(keys) out of its drop-in, and sets the running values to
        those that the remaining files give, or else to the kernel's own, as a new network namespace shows them.
      - V(purged) lets no file name O(keys) and the keys of O(values) any more, and sets the running values of
        O(values) where the kernel has them. Lines of others become comments with date and reason; a file of a
        package is overridden by one of the same name in C(/etc/sysctl.d).
    type: str
    choices: [present, absent, purged]
    default: present
  conflicts:
    description:
      - What to do about a line of somebody else's because of which a loader would not leave the value that is
        asked for; with O(state=purged), about any line of somebody else's.
      - V(comment) makes it a comment; it fails where that cannot be. V(fail) changes nothing and says which lines they
        are. V(ignore) leaves them, with a warning.
    type: str
    choices: [comment, fail, ignore]
    default: comment
  missing:
    description:
      - What to do about a sysctl that the kernel, or the namespace, does not have, with O(state=present).
      - V(skip) goes on without it and writes it nowhere, since loaders would complain of it at each boot.
    type: str
    choices: [fail, skip]
    default: fail
  reason:
    description:
      - For the comments on the lines of others, with O(state=purged).
    type: str
    default: taken out by tcpops.timewait.sysctl_settings
  persist:
    description:
      - Whether files are changed too, or only running values.
    type: bool
    default: true
  namespace:
    description:
      - Another network namespace of the host, by its name for C(ip netns) or by path. It has running values only,
        whatever O(persist) says.
    type: str
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
- name: More ports for outgoing connections, and none of those that services need
  tcpops.timewait.sysctl_settings:
    values:
      net.ipv4.ip_local_reserved_ports: [11211, 30000-32767]
      net.ipv4.ip_local_port_range: 10240 65535
  become: true

- name: No file mentions tcp_tw_recycle, and where the kernel has it, it is off
  tcpops.timewait.sysctl_settings:
    state: purged
    values:
      net.ipv4.tcp_tw_recycle: 0
    reason: it drops connections of clients behind NAT, and is gone since Linux 4.12
  become: true

- name: What this collection set about tcp_tw_reuse is not wanted any more
  tcpops.timewait.sysctl_settings:
    state: absent
    keys: [net.ipv4.tcp_tw_reuse]
  become: true

- name: The running value in a namespace that ip netns made
  tcpops.timewait.sysctl_settings:
    values:
      net.ipv4.tcp_max_tw_buckets: 262144
    namespace: blue
  become: true
"""

RETURN = r"""
before:
  description: What was, by name.
  type: dict
  returned: success
  sample:
    net.ipv4.tcp_tw_reuse:
      persisted: {line: 3, loader: systemd-sysctl, path: /etc/sysctl.d/50-tuning.conf, value: "0"}
      running: "2"
after:
  description:
    - What is, or in check mode would be, by name.
    - C(running) is null for a sysctl that the kernel lacks. C(persisted) is the line that has the last word at boot;
      null where there is none, and where files were not asked about.
  type: dict
  returned: success
  sample:
    net.ipv4.tcp_tw_reuse:
      persisted: {line: 3, loader: systemd-sysctl, path: /etc/sysctl.d/zz-tcpops-timewait.conf, value: "1"}
      running: "1"
persisted:
  description: Whether files were concerned. They are not with O(namespace) nor without O(persist).
  type: bool
  returned: success
  sample: true
skipped_keys:
  description: Sysctls about which nothing was done, with the reason.
  type: list
  elements: dict
  returned: success
  sample: [{key: net.ipv4.tcp_tw_recycle, reason: this kernel has no such sysctl}]
scripts:
  description: Lines of scripts, cron tables and units that set the same sysctls. They are not edited.
  type: list
  elements: dict
  returned: success
  sample: [{path: /etc/rc.local, line: 4, key: net.ipv4.tcp_tw_reuse, value: "0"}]
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

from ansible_collections.tcpops.timewait.plugins.module_utils._sysctl import request
from ansible_collections.tcpops.timewait.plugins.module_utils._sysctl.change import change, namespace_file
from ansible_collections.tcpops.timewait.plugins.module_utils._sysctl.errors import RequestError
from ansible_collections.tcpops.timewait.plugins.module_utils._transaction import Journal, TransactionError


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "values": {"type": "dict", "default": {}},
            "keys": {"type": "list", "elements": "str", "default": [], "no_log": False},
            "state": {"type": "str", "choices": ["present", "absent", "purged"], "default": "present"},
            "conflicts": {"type": "str", "choices": ["comment", "fail", "ignore"], "default": "comment"},
            "missing": {"type": "str", "choices": ["fail", "skip"], "default": "fail"},
            "reason": {"type": "str", "default": "taken out by tcpops.timewait.sysctl_settings"},
            "persist": {"type": "bool", "default": True},
            "namespace": {"type": "str"},
            "journal_keep": {"type": "int", "default": 30},
        },
        supports_check_mode=True,
    )
    given = module.params
    if given["journal_keep"] < 0:
        module.fail_json(msg="journal_keep is %d: it takes a number from 0" % given["journal_keep"])
    try:
        keys, values = request.settle(given["state"], given["values"], given["keys"])
        asked = request.Request(
            given["state"], keys, values, given["conflicts"], given["missing"], given["reason"],
            given["persist"], namespace_file(given["namespace"]),
        )
        found = change(asked, Journal(keep_days=given["journal_keep"]), module.check_mode)
    except (RequestError, TransactionError) as error:
        module.fail_json(msg="%s." % error)
    for warning in found.warnings + found.outcome.warnings:
        module.warn(warning)
    for line in found.scripts:
        module.warn("%(path)s:%(line)d sets %(key)s whenever it runs: scripts are not edited" % line)
    module.exit_json(
        before=found.before,
        after=found.after,
        persisted=asked.files_too,
        # not "skipped": Ansible takes a result that has such a key for that of a task that did not run
        skipped_keys=found.skipped,
        scripts=found.scripts,
        **found.outcome.as_result()
    )


if __name__ == "__main__":
    main()
