#!/usr/bin/python
# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action plugin of the same name, which does the work on the controller."""

DOCUMENTATION = r"""
---
module: audit_report
short_description: Report of an audit as HTML, JSON and text
version_added: 0.1.0
author:
  - tcpops.timewait contributors (@tcpops)
description:
  - Judges the facts of every host of the play and writes C(index.html), C(audit.json) and C(audit.txt).
  - Prints a block with what to do first, and the hosts that could not be audited.
  - Expects each host's M(tcpops.timewait.timewait_facts) task to have been registered as C(timewait_result).
    What a host returned is never templated, and shown only after control characters were made visible.
  - Runs once for all hosts, on the controller. The playbook C(tcpops.timewait.audit) uses it.
options:
  report_dir:
    description:
      - Directory to write to. A relative one starts where C(ansible-playbook) was called.
      - Its three files are replaced together; when one cannot be written, a former report stays as it was.
    type: path
    default: report
  thresholds:
    description:
      - Thresholds of the rules that differ from the defaults.
    type: dict
    default: {}
  top:
    description:
      - Findings that the block shows on lines of their own.
    type: int
    default: 20
  hosts:
    description:
      - Hosts to report on. Without it, every host that the play matched, which respects C(--limit).
    type: list
    elements: str
  fail_on_unaudited:
    description:
      - Fail, after the report was written, when a host was unreachable or its facts could not be gathered.
    type: bool
    default: true
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
      - Prints the block and writes nothing.
  diff_mode:
    support: none
  platform:
    platforms: posix
extends_documentation_fragment:
  - tcpops.timewait.attributes
seealso:
  - module: tcpops.timewait.timewait_facts
"""

EXAMPLES = r"""
- name: Facts of every host
  hosts: all
  gather_facts: false
  tasks:
    - name: Gather
      tcpops.timewait.timewait_facts:
      register: timewait_result
      ignore_unreachable: true
      ignore_errors: true

- name: One report
  hosts: all
  gather_facts: false
  tasks:
    - name: Write it
      tcpops.timewait.audit_report:
        report_dir: /srv/reports/timewait
"""

RETURN = r"""
changed:
  description: Always V(false). A report changes no host.
  type: bool
  returned: always
  sample: false
summary:
  description: Hosts, findings by severity, TIME-WAIT sockets and the memory that they take.
  type: dict
  returned: always
  sample:
    hosts: 3
    audited: 2
    unreachable: 1
    failed: 0
    findings: {CRITICAL: 1, HIGH: 0, MEDIUM: 2, LOW: 0, INFO: 4}
    waived: 0
    errors: 0
    time_wait: 4098
    time_wait_bytes: 2075000
paths:
  description: Where the files are, by kind; empty in check mode.
  type: dict
  returned: always
  sample: {html: /home/me/report/index.html, json: /home/me/report/audit.json, text: /home/me/report/audit.txt}
block:
  description:
    - The block as plain text, for the callback P(tcpops.timewait.audit#callback), which prints it last.
      With any other callback the task prints it. It is in C(audit.txt) too.
  type: str
  returned: when that callback is the stdout callback
  sample: "TIME-WAIT audit of 3 hosts: 2 audited, 1 unreachable\n"
msg:
  description: How many hosts could not be audited.
  type: str
  returned: when O(fail_on_unaudited=true) and a host was not audited
  sample: "1 host could not be audited: web3."
"""
