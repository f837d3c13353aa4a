#!/usr/bin/python
# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Take back what the modules of this collection changed."""

DOCUMENTATION = r"""
---
module: rollback
short_description: Take back what the modules of this collection changed
version_added: 0.1.0
author:
  - tcpops.timewait contributors (@tcpops)
description:
  - Puts files and running values back as they were before one transaction, the last ones, or all of them, newest
    first, and runs what belongs to it, such as a reload.
  - What is chosen is taken back as a whole, or not at all. A rollback that was interrupted is completed by the next
    run of any module of this collection that changes something; this one among them.
  - A transaction that was interrupted is undone first, whatever the options say. It counts as one of O(last), so that
    after a failed run O(last=1) takes back that run and nothing before it.
  - Refuses when somebody else has changed since what would be put back, and when a newer transaction that is
    not taken back changed the same file or value.
  - After a restart of the host, or of the network namespace, running values began anew. One that is neither as before
    nor as after the transaction is left as it is, with a warning.
options:
  transaction:
    description:
      - Id of the one to take back, as M(tcpops.timewait.transactions_info) lists them.
    type: str
  last:
    description:
      - How many to take back, counted from the newest.
    type: int
  all:
    description:
      - Take back every one that is in the journal.
      - Without this, O(transaction) and O(last), only what was interrupted is dealt with.
    type: bool
    default: false
  force:
    description:
      - Put back what was before the transaction, even where somebody else has changed it since. What is overwritten is
        kept in the journal, in the entry of the rollback.
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
  - module: tcpops.timewait.transactions_info
"""

EXAMPLES = r"""
- name: Take back the last change
  tcpops.timewait.rollback:
    last: 1
  become: true

- name: See what would be taken back, and how
  tcpops.timewait.rollback:
    all: true
  become: true
  check_mode: true
  diff: true

- name: Take back one change, whatever happened since
  tcpops.timewait.rollback:
    transaction: 20261122T080000.123456Z
    force: true
  become: true

- name: Undo what a killed run left, and nothing else
  tcpops.timewait.rollback:
  become: true
"""

RETURN = r"""
rolled_back:
  description: Ids of the transactions that were taken back, newest first. Empty when there was nothing to do.
  type: list
  elements: str
  returned: success
  sample: [20261122T080000.123456Z]
transaction:
  description: Id of the rollback itself in the journal.
  type: str
  returned: success, null when nothing was taken back and in check mode
  sample: 20261122T091500.000000Z
recovered:
  description: Interrupted transactions that were dealt with first.
  type: list
  elements: dict
  returned: success
  contains:
    id:
      description: Of the transaction.
      type: str
      returned: always
      sample: 20261122T090000.000000Z
    module:
      description: That made it.
      type: str
      returned: always
      sample: sysctl_settings
    summary:
      description: What it was for.
      type: str
      returned: always
      sample: net.ipv4.tcp_tw_reuse
    action:
      description: V(undone), or V(completed) for a rollback.
      type: str
      returned: always
      sample: undone
    transactions:
      description: Ids that are not in force any more because of it.
      type: list
      elements: str
      returned: always
      sample: [20261122T090000.000000Z]
    changed:
      description: Whether the host was changed for it.
      type: bool
      returned: always
      sample: true
    notes:
      description: What was left as it is, and why.
      type: list
      elements: str
      returned: always
      sample: []
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.tcpops.timewait.plugins.module_utils._transaction import Journal, TransactionError
from ansible_collections.tcpops.timewait.plugins.module_utils._transaction.rollback import (
    Choice,
    preview_rollback,
    rollback,
)


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "transaction": {"type": "str"},
            "last": {"type": "int"},
            "all": {"type": "bool", "default": False},
            "force": {"type": "bool", "default": False},
            "journal_keep": {"type": "int", "default": 30},
        },
        supports_check_mode=True,
    )
    parameters = module.params
    if (parameters["transaction"] is not None) + (parameters["last"] is not None) + parameters["all"] > 1:
        module.fail_json(msg="transaction, last and all exclude each other: give one of them")
    for name, low in (("last", 1), ("journal_keep", 0)):
        if parameters[name] is not None and parameters[name] < low:
            module.fail_json(msg="%s is %d: it takes a number from %d" % (name, parameters[name], low))
    choice = Choice(parameters["transaction"], parameters["last"] or 0, parameters["all"])
    journal = Journal(keep_days=parameters["journal_keep"])
    try:
        outcome = (preview_rollback if module.check_mode else rollback)(journal, choice, parameters["force"])
    except TransactionError as error:
        module.fail_json(msg="%s." % error)
    for warning in outcome.warnings:
        module.warn(warning)
    module.exit_json(rolled_back=list(outcome.rolled_back), **outcome.as_result())


if __name__ == "__main__":
    main()
