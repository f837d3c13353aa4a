# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is asked for, of whom, and what the answer has to be.

A file of targets is JSON:

    {"hosts": {NAME: [ADDRESS, ADDRESS6]},
     "services": [{"name", "ports", "added", "tls", "proxy", "names": {HOST: BODY}, "slow": HOST}],
     "with_added": whether the added ports are asked too}

"{client}" in a body stands for the address that the service takes for the client's.
"""

import collections

# RFC 5737 and RFC 3849: documentation. No one has them.
PROXIED = {4: "192.0.2.7", 6: "2001:db8::7"}
SLOW_BODY = "slow\n" * 4000

# A listener, and whether it is asked for what comes slowly: each is asked by one thread, with its questions in turn.
Target = collections.namedtuple("Target", "host service port slow questions")
Question = collections.namedtuple("Question", "address port name path tls proxied body")


def expand(described):
    """All targets of a file."""
    return [
        target
        for host, addresses in described["hosts"].items()
        for service in described["services"]
        for port in service["ports"] + (service["added"] if described["with_added"] else [])
        for target in both(host, addresses, service, port)
    ]


def both(host, addresses, service, port):
    """Short answers by every address and name, and a long one."""

    def question(address, name, path, body):
        proxied = PROXIED[6 if ":" in address else 4] if service["proxy"] else ""
        return Question(address, port, name, path, service["tls"], proxied, body)

    short = [question(address, name, "/", body) for address in addresses for name, body in service["names"].items()]
    slow = [question(address, service["slow"], "/slow", SLOW_BODY) for address in addresses]
    yield Target(host, service["name"], port, False, tuple(short))
    yield Target(host, service["name"], port, True, tuple(slow))
