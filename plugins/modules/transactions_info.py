#!/usr/bin/python
# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the modules of this collection changed on a host, and what of it can be taken back."""

DOCUMENTATION = r"""
---
module: transactions_info
short_description: What the modules of this collection changed on a host
version_added: 0.1.0
author:
  - tcpops.timewait contributors (@tcpops)
description:
  - Lists the journal, newest first, with the state of each transaction, what it touched, and whether
    M(tcpops.timewait.rollback) can take it back now or why it cannot.
  - Needs root, which alone may read the journal. A host without a journal has no transactions.
options: {}
extends_documentation_fragment:
  - tcpops.timewait.attributes
  - tcpops.timewait.attributes.info
seealso:
  - module: tcpops.timewait.rollback
"""

EXAMPLES = r"""
- name: What was changed here?
  tcpops.timewait.transactions_info:
  become: true
  register: journal

- name: Show what can be taken back
  ansible.builtin.debug:
    msg: "{{ journal.transactions | selectattr('can_roll_back') | map(attribute='summary') }}"
"""

RETURN = r"""
transactions:
  description: The entries of the journal, newest first.
  type: list
  elements: dict
  returned: success
  contains:
    id:
      description: Begin of the transaction in UTC; later ones sort behind it.
      type: str
      returned: always
      sample: 20261122T080000.123456Z
    kind:
      description: V(change), or V(rollback) for what took others back.
      type: str
      returned: always
      sample: change
    state:
      description:
        - V(open) while it goes on or when it was interrupted, V(committed) when it is in force, V(aborted) when it
          failed and was undone, V(rolled_back) when it was taken back.
      type: str
      returned: always
      sample: committed
    module:
      description: That made it.
      type: str
      returned: always
      sample: sysctl_settings
    summary:
      description: What it was for.
      type: str
      returned: always
      sample: net.ipv4.ip_local_port_range
    started:
      description: When, in UTC.
      type: str
      returned: always
      sample: "2026-11-22T08:00:00Z"
    finished:
      description: When it was committed, undone or taken back, in UTC; null while it is open.
      type: str
      returned: always
      sample: "2026-11-22T08:00:00Z"
    touched:
      description: Files (V(file)), running values (V(sysctl)) and programs that were run (V(command)).
      type: list
      elements: dict
      returned: always
      sample:
        - {kind: file, name: /etc/sysctl.d/99-timewait.conf}
        - {kind: sysctl, name: net.ipv4.ip_local_port_range}
    undoes:
      description: Ids that a rollback took back.
      type: list
      elements: str
      returned: always
      sample: []
    rolled_back_by:
      description: Id of the rollback that took it back, else null.
      type: str
      returned: always
      sample: null
    can_roll_back:
      description: Whether it alone can be taken back now, without force.
      type: bool
      returned: always
      sample: true
    reason:
      description: Why it cannot, else null.
      type: str
      returned: always
      sample: null
damaged:
  description: A sentence for each entry that cannot be read. Such an entry is left alone by all modules.
  type: list
  elements: str
  returned: success
  sample: []
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.tcpops.timewait.plugins.module_utils._transaction import Journal, TransactionError
from ansible_collections.tcpops.timewait.plugins.module_utils._transaction.survey import list_transactions


def main() -> None:
    module = AnsibleModule(argument_spec={}, supports_check_mode=True)
    try:
        transactions, damaged = list_transactions(Journal())
    except TransactionError as error:
        module.fail_json(msg="%s." % error)
    module.exit_json(transactions=transactions, damaged=damaged)


if __name__ == "__main__":
    main()
