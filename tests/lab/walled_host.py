# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A container with a firewall that clients in another network namespace connect through."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from typing import Any

from tests.lab.facts import ROOT
from tests.lab.namespaces import Lab, Namespace, ip, lab
from tests.lab.server_image import VOLUMES, image_of, run_inside, shell

#: the host, and clients at one link
HOST, CLIENT, OTHER, THIRD = "10.99.0.1", "10.99.0.2", "10.99.0.3", "10.99.0.4"
HOST6, CLIENT6 = "fd99::1", "fd99::2"
PORTS = (80, 81, 82, 85, 443)
#: SELinux's policy in memory: semanage copies all of it for each change, and waits for the disk
_START = (
    'podman run --detach --name "$1" --hostname "$1" --systemd "$2" --network "ns:$3"'
    ' --cap-add NET_ADMIN --cap-add NET_RAW --tmpfs /var/lib/selinux --tmpfs /etc/selinux "${@:5}" "$4"'
    ' $(if [ "$2" = false ]; then echo sleep infinity; fi)'
)
_END = 'podman rm --force --ignore --time 0 "$1"'


class WalledHost:
    """Server, firewall and clients."""

    def __init__(self, name: str, made: Lab, client: Namespace) -> None:
        self._name = name
        self._made = made
        self._client = client
        self.enforced = ""
        self.firewall = ""

    def run(self, script: str) -> str:
        """Output of a script in the container."""
        done = run_inside(self._name, "sh", "-euc", script)
        assert done.returncode == 0, done.stderr[-2000:] + done.stdout[-2000:]
        return done.stdout

    def step(self, verb: str, *numbers: int) -> Any:
        """What ``firewall_steps`` answers."""
        steps = ("env", f"ENFORCED={self.enforced}", "python3", "-m", "tests.lab.firewall_steps")
        done = run_inside(self._name, *steps, verb, *map(str, numbers))
        assert done.returncode == 0, done.stderr[-3000:]
        return json.loads(done.stdout)

    def reached(self, ports: Sequence[int] = PORTS, source: str = CLIENT) -> dict[int, bool]:
        """Which ports a client gets an answer from."""
        host = HOST6 if ":" in source else HOST
        wanted = json.dumps([[host, port, source] for port in ports])
        answers = json.loads(self._client.run(*_echo("reach", wanted)))
        return {port: said == "open" for port, said in zip(ports, answers, strict=True)}

    @contextlib.contextmanager
    def talking(self) -> Iterator[dict[str, Any]]:
        """Clients on port 80 for the length of the block; afterwards it says what became of them."""
        process = self._made.start(
            self._client.argv(*_echo("talk", HOST, "80")), stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT
        )
        result: dict[str, Any] = {}
        assert process.stdout
        assert process.stdout.readline().strip() == "ready"
        yield result
        result.update(json.loads(process.communicate("", timeout=60)[0]))


def _echo(*words: str) -> list[str]:
    return [sys.executable, f"{ROOT}/tests/lab/echo.py", *words]


@contextlib.contextmanager
def walled_host(suite: str, name: str, *, boots: bool = True) -> Iterator[WalledHost]:
    """A host with servers on all ports and no firewall yet; ``boots``: with systemd."""
    image = image_of(suite, "firewalls")
    shell(_END, name)
    with lab() as made:
        host, client = made.namespace(), made.namespace()
        made.veth(host, f"{HOST}/24", client, f"{CLIENT}/24")
        for namespace, address in ((host, HOST6), (client, CLIENT6), (client, OTHER), (client, THIRD)):
            devices = [word for word in ip("-n", namespace.name, "-o", "link").split() if word.startswith("tw")]
            length = "64" if ":" in address else "24"
            ip("-n", namespace.name, "addr", "add", f"{address}/{length}", "dev", devices[0].split("@")[0], "nodad")
        server = made.start(
            host.argv(*_echo("serve", *map(str, PORTS))), stdout=subprocess.PIPE, cwd=ROOT, stdin=subprocess.DEVNULL
        )
        assert server.stdout
        assert server.stdout.readline().strip() == "ready"
        try:
            started = shell(_START, name, "always" if boots else "false", host.path, image, *VOLUMES)
            assert started.returncode == 0, started.stderr
            deadline = time.monotonic() + 120
            is_up = ("systemctl", "is-system-running")
            while boots and run_inside(name, *is_up).stdout.strip() not in ("running", "degraded"):
                assert time.monotonic() < deadline, "systemd did not come up"
                time.sleep(0.3)
            yield WalledHost(name, made, client)
        finally:
            shell(_END, name)
