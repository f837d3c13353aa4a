#!/usr/bin/python
# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action plugin of the same name, which does the work on the controller."""

DOCUMENTATION = r"""
---
module: experiment_report
short_description: Experiments of a fleet side by side
version_added: 0.1.0
author:
  - tcpops.timewait contributors (@tcpops)
description:
  - Prints which hosts of the play came to which verdicts, hosts that behave alike in one column, and below it what
    each kernel did, with figures; what differs from theory or failed comes first.
  - Expects each host's M(tcpops.timewait.timewait_experiment_info) task to have been registered as
    C(timewait_experiments). What a host returned is never templated, and shown only after control characters were made
    visible.
  - Fails, after it has printed, when a host was unreachable or its module failed. A verdict fails nothing.
  - Runs once for all hosts, on the controller. The playbook C(tcpops.timewait.experiment) uses it.
options:
  hosts:
    description:
      - Hosts to report on. Without it, every host that the play matched, which respects C(--limit).
    type: list
    elements: str
attributes:
  action:
    description: Has an action plugin that runs on the controller.
    support: full
  bypass_host_loop:
    description: Runs once for all hosts of the play.
    support: full
  check_mode:
    support: full
    details:
      - It only prints.
  diff_mode:
    support: none
  platform:
    platforms: posix
extends_documentation_fragment:
  - tcpops.timewait.attributes
seealso:
  - module: tcpops.timewait.timewait_experiment_info
"""

EXAMPLES = r"""
- name: Experiments on every host
  hosts: all
  gather_facts: false
  tasks:
    - name: Try
      tcpops.timewait.timewait_experiment_info:
      register: timewait_experiments
      ignore_unreachable: true
      ignore_errors: true

- name: Side by side
  hosts: all
  gather_facts: false
  tasks:
    - name: Print them
      tcpops.timewait.experiment_report:
"""

RETURN = r"""
changed:
  description: Always V(false).
  type: bool
  returned: always
  sample: false
verdicts:
  description: How often each verdict was reached, over all hosts.
  type: dict
  returned: always
  sample: {agrees: 40, differs: 1, failed: 0, skipped: 1}
missing:
  description: Hosts that were unreachable or whose module failed.
  type: list
  elements: str
  returned: always
  sample: [web3]
msg:
  description: Which hosts did not run the experiments.
  type: str
  returned: when there are such hosts
  sample: "1 host did not run the experiments: web3."
"""
