#!/usr/bin/python
# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What servers listen on, and which ports were added beside which."""

DOCUMENTATION = r"""
---
module: listen_ports_info
short_description: What servers listen on, and which ports were added beside which
version_added: 0.1.0
author:
  - tcpops.timewait contributors (@tcpops)
description:
  - Reads the configuration of nginx, HAProxy, Apache and the socket units of systemd on the host, as
    M(tcpops.timewait.listen_ports) does, and tells the TCP ports that others configured, each with the ones that were
    added beside it.
extends_documentation_fragment:
  - tcpops.timewait.attributes
  - tcpops.timewait.attributes.info
seealso:
  - module: tcpops.timewait.listen_ports
  - module: tcpops.timewait.service_ports_info
"""

EXAMPLES = r"""
- name: See what the servers listen on
  tcpops.timewait.listen_ports_info:
  become: true
  register: heard
"""

RETURN = r"""
services:
  description:
    - One entry for each port of a server that others configured. C(beside) are the ports that were added beside it,
      C(listening) tells whether something listens on it now.
  type: list
  elements: dict
  returned: success
  sample:
    - beside: [81, 82]
      listening: true
      port: 80
      server: nginx
unavailable:
  description: What could not be read or is not understood, and why.
  type: list
  elements: dict
  returned: success
  sample: [{what: haproxy, reason: "/etc/haproxy/haproxy.cfg:12: an .if block is not closed"}]
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.tcpops.timewait.plugins.module_utils._files import Files
from ansible_collections.tcpops.timewait.plugins.module_utils._kernel.running import RunningKernel
from ansible_collections.tcpops.timewait.plugins.module_utils._listen_ports.survey import survey


def main() -> None:
    module = AnsibleModule(argument_spec={}, supports_check_mode=True)
    services, unavailable = survey(RunningKernel(), Files())
    module.exit_json(changed=False, services=[one._asdict() for one in services], unavailable=unavailable)


if __name__ == "__main__":
    main()
