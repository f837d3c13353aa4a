#!/usr/bin/python
# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the kernel really does about TIME-WAIT and ephemeral ports, by experiment."""

DOCUMENTATION = r"""
---
module: timewait_experiment_info
short_description: Tries out what the kernel does about TIME-WAIT sockets and ephemeral ports
version_added: 0.1.0
author:
  - tcpops.timewait contributors (@tcpops)
description:
  - Runs small experiments with real connections and tells for each what theory predicts, what this kernel did, and
    whether the two agree.
  - Each experiment runs in a process and a network namespace of its own, which go with it, also when it is late and
    when the module is killed. The sockets, ports and settings of the host are not touched.
  - Where the user may not make network namespaces, a user namespace is tried; where that is barred too, every
    experiment is skipped and RV(unavailable) says why.
  - Needs nothing on the host but Python 3.6 or newer and Linux 3.10 or newer.
options:
  experiments:
    description:
      - Experiments to run, by name. V(all) are the quick ones, which take some seconds together; V(slow) are those that
        wait for TIME-WAIT to end, a minute and more.
      - The names are V(pool_capacity), V(server_port), V(server_address), V(client_address), V(bind_before_connect),
        V(own_port_range), V(reserved_ports), V(reuse_modes), V(reuse_delay), V(reuse_scope),
        V(reuse_without_timestamps), V(reuse_bound_port), V(recycle), V(syn_on_time_wait), V(timestamp_offset),
        V(linger_zero), V(bucket_limit), V(last_ack), V(search_cost), V(search_cost_own_range),
        V(bucket_pollution), and the slow V(fin_timeout).
    type: list
    elements: str
    default: [all]
  timeout:
    description:
      - Seconds after which a quick experiment is given up. Slow ones have a limit of their own.
    type: int
    default: 5
extends_documentation_fragment:
  - tcpops.timewait.attributes
attributes:
  check_mode:
    support: full
    details:
      - It changes nothing on the host, so that check mode runs the same experiments.
  diff_mode:
    support: N/A
    details:
      - It changes nothing.
seealso:
  - name: Coping with the TCP TIME-WAIT state on busy Linux servers
    description: The reference article, by Vincent Bernat.
    link: https://vincent.bernat.ch/en/blog/2014-tcp-time-wait-state-linux
  - module: tcpops.timewait.timewait_facts
    description: Its subset C(kernel) asks for the same capabilities without trying them.
"""

EXAMPLES = r"""
- name: All quick experiments
  tcpops.timewait.timewait_experiment_info:
  register: tried

- name: How long until TIME-WAIT is reused, and whether tcp_fin_timeout shortens it, which takes a minute
  tcpops.timewait.timewait_experiment_info:
    experiments: [reuse_delay, fin_timeout]

- name: Stop where the kernel does something else than what the advice rests on
  ansible.builtin.assert:
    that: tried.experiments | selectattr('verdict', 'in', ['differs', 'failed']) | length == 0
"""

RETURN = r"""
kernel:
  description: The kernel that the experiments ran on.
  type: dict
  returned: success
  contains:
    release:
      description: For people; null where it cannot be read. No verdict rests on it.
      type: str
      returned: success
      sample: "6.18.44"
experiments:
  description: What came of each experiment, in a fixed order.
  type: list
  elements: dict
  returned: success
  contains:
    name:
      description: The name to select it by.
      type: str
      returned: success
      sample: reuse_delay
    title:
      description: What it is about.
      type: str
      returned: success
      sample: How long until TIME-WAIT is reused
    predicts:
      description: What theory says, in a sentence.
      type: str
      returned: success
      sample: tcp_tw_reuse needs timestamps, an entry of a connection without them is never reused.
    predicted_by:
      description: V(article), the reference article, or V(kernel), the source of Linux in the function that is named.
      type: str
      returned: success
      sample: kernel
    verdict:
      description:
        - V(agrees) or V(differs) from what is predicted. V(skipped), when this kernel or host lacks what it takes, or the
          figures say neither. V(failed), when it was late or broke.
      type: str
      returned: success
      sample: agrees
    told:
      description: What this kernel did, in a sentence with figures; null when there are none.
      type: str
      returned: success
      sample: with tcp_tw_reuse_delay at 1000 ms reused on loopback after 1001 ms, on another address after 1001 ms
    figures:
      description: Numbers and booleans by name, with the units in the names.
      type: dict
      returned: success
      sample: {delay_ms: 1000, loopback_ms: 1001.3, loopback_refused_until_ms: 998.9, loopback_reused: true}
    shows:
      description:
        - What the experiment shows of the capabilities in RV(tcpops.timewait.timewait_facts#module:ansible_facts.timewait).
          A name stands for C(available) of that capability, C(name.value) for its value, C(name.key) for one key of that.
      type: dict
      returned: success
      sample: {tw_reuse_delay: true}
    seconds:
      description: How long it took.
      type: float
      returned: success
      sample: 1.31
    reason:
      description: Why it was skipped or has failed; null otherwise.
      type: str
      returned: success
      sample: a network namespace of this kernel has no net.ipv4.tcp_tw_reuse of its own
unavailable:
  description: What the host does not permit, with the reason.
  type: list
  elements: dict
  returned: success
  sample: []
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.tcpops.timewait.plugins.module_utils._experiments.runner import run
from ansible_collections.tcpops.timewait.plugins.module_utils._experiments.table import chosen
from ansible_collections.tcpops.timewait.plugins.module_utils._kernel.running import RunningKernel

_LONGEST_SECONDS = 600


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "experiments": {"type": "list", "elements": "str", "default": ["all"]},
            "timeout": {"type": "int", "default": 5},
        },
        supports_check_mode=True,
    )
    timeout = module.params["timeout"]
    if not 1 <= timeout <= _LONGEST_SECONDS:
        module.fail_json(msg="timeout is %d: it takes a number from 1 to %d" % (timeout, _LONGEST_SECONDS))
    try:
        experiments = chosen(module.params["experiments"])
    except ValueError as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=False, **run(RunningKernel(), experiments, timeout))


if __name__ == "__main__":
    main()
