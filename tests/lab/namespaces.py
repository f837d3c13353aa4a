# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Network namespaces that go again: at the end of the block, or with the next run when this one was killed."""

from __future__ import annotations

import contextlib
import itertools
import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence

_NAMED = "/run/netns"
_OURS = re.compile(r"tw-(\d+)-\d+$")
_NUMBERS = itertools.count()
_COMMAND_SECONDS = 60


def ip(*arguments: str) -> str:
    """Output of ``ip`` from iproute2.

    :raises subprocess.CalledProcessError: when it fails.
    """
    return subprocess.run(
        ["ip", *arguments], check=True, capture_output=True, text=True, timeout=_COMMAND_SECONDS
    ).stdout


class Namespace:
    """One network namespace with its loopback up."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.path = f"{_NAMED}/{name}"

    @property
    def inode(self) -> int:
        return os.stat(self.path).st_ino

    def argv(self, *command: str) -> list[str]:
        """A command line that runs inside. It fails rather than run outside when the namespace is gone."""
        return ["ip", "netns", "exec", self.name, *command]

    def run(self, *command: str, text_in: str | None = None, seconds: float = _COMMAND_SECONDS) -> str:
        return subprocess.run(
            self.argv(*command), check=True, capture_output=True, text=True, input=text_in, timeout=seconds
        ).stdout

    def sysctl(self, key: str) -> str:
        return " ".join(self.run("cat", f"/proc/sys/net/{key}").split())

    def set_sysctls(self, values: dict[str, int | str]) -> None:
        """Write ``net.*`` values, keys as paths below ``/proc/sys/net``."""
        for key, value in values.items():
            self.run("tee", f"/proc/sys/net/{key}", text_in=f"{value}\n")

    def process_ids(self) -> list[int]:
        return [int(field) for field in ip("netns", "pids", self.name).split()]


class Lab:
    """Makes namespaces, links and processes, and takes them all away again."""

    def __init__(self) -> None:
        self._prefix = f"tw-{os.getpid()}"
        self._namespaces: list[Namespace] = []
        self._processes: list[subprocess.Popen[str]] = []

    def namespace(self, **ipv4_sysctls: int | str) -> Namespace:
        """A new namespace. Keywords are ``net.ipv4`` sysctls."""
        found = Namespace(f"{self._prefix}-{next(_NUMBERS)}")
        ip("netns", "add", found.name)
        self._namespaces.append(found)
        ip("-n", found.name, "link", "set", "lo", "up")
        found.set_sysctls({f"ipv4/{key}": value for key, value in ipv4_sysctls.items()})
        return found

    def remove(self, namespace: Namespace) -> None:
        self._namespaces.remove(namespace)
        _delete(namespace.name)

    def veth(self, first: Namespace, first_address: str, second: Namespace, second_address: str) -> None:
        """A link between two namespaces; addresses with their prefix length."""
        number = next(_NUMBERS)
        names = f"twa{number}", f"twb{number}"
        ip(
            "-n",
            first.name,
            "link",
            "add",
            names[0],
            "type",
            "veth",
            "peer",
            "name",
            names[1],
            "netns",
            second.name,
        )
        for namespace, name, address in (
            (first, names[0], first_address),
            (second, names[1], second_address),
        ):
            ip("-n", namespace.name, "addr", "add", address, "dev", name, "nodad")
            ip("-n", namespace.name, "link", "set", name, "up")

    def dead_end(self, namespace: Namespace, *addresses: str) -> None:
        """Addresses besides loopback's, on an interface that swallows what is sent to their neighbours.

        A veth pair with both ends here does what a dummy interface would, which not every kernel has: without
        ARP its frames carry an address that the other end drops.
        """
        number = next(_NUMBERS)
        name, other = f"twd{number}", f"twe{number}"
        ip("-n", namespace.name, "link", "add", name, "type", "veth", "peer", "name", other)
        for one in (name, other):
            ip("-n", namespace.name, "link", "set", one, "arp", "off", "up")
        for address in addresses:
            ip("-n", namespace.name, "addr", "add", address, "dev", name, "nodad")

    def bridge(self, namespace: Namespace, address: str, name: str = "br0") -> None:
        ip("-n", namespace.name, "link", "add", name, "type", "bridge")
        ip("-n", namespace.name, "addr", "add", address, "dev", name)
        ip("-n", namespace.name, "link", "set", name, "up")

    def plug(self, fabric: Namespace, host: Namespace, address: str | None = None, bridge: str = "br0") -> None:
        """Link a host namespace to the bridge of another one. Without an address, the host has to bring it up."""
        port = f"twp{next(_NUMBERS)}"
        ip("-n", fabric.name, "link", "add", port, "type", "veth", "peer", "name", "eth0", "netns", host.name)
        ip("-n", fabric.name, "link", "set", port, "master", bridge, "up")
        if address:
            ip("-n", host.name, "addr", "add", address, "dev", "eth0")
            ip("-n", host.name, "link", "set", "eth0", "up")

    def start(self, argv: Sequence[str], **options: object) -> subprocess.Popen[str]:
        """A process that ends with the lab, with all that it started."""
        process: subprocess.Popen[str] = subprocess.Popen(
            argv,
            text=True,
            start_new_session=True,
            **options,  # type: ignore[call-overload]
        )
        self._processes.append(process)
        return process

    def stop(self, process: subprocess.Popen[str]) -> None:
        self._processes.remove(process)
        _end(process)

    def close(self) -> None:
        while self._processes:
            _end(self._processes.pop())
        while self._namespaces:
            _delete(self._namespaces.pop().name)


@contextlib.contextmanager
def lab() -> Iterator[Lab]:
    """A lab for the length of the block."""
    reap()
    made = Lab()
    try:
        yield made
    finally:
        made.close()


def reap() -> list[str]:
    """Remove what runs left that were killed: namespaces named after a process that is gone."""
    gone = []
    for name in _names():
        match = _OURS.match(name)
        if match and not os.path.exists(f"/proc/{match[1]}"):
            _delete(name)
            gone.append(name)
    return gone


def leftovers() -> list[str]:
    """Names of this process's namespaces that are still there."""
    return [name for name in _names() if name.startswith(f"tw-{os.getpid()}-")]


def _names() -> list[str]:
    return sorted(os.listdir(_NAMED)) if os.path.isdir(_NAMED) else []


def _end(process: subprocess.Popen[str]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(timeout=_COMMAND_SECONDS)
    for stream in (process.stdin, process.stdout, process.stderr):
        if stream:
            # what was not flushed has nobody to read it any more
            with contextlib.suppress(OSError):
                stream.close()


def _delete(name: str) -> None:
    """Delete a namespace; a process inside would keep it alive without its name, so those go first."""
    deadline = time.monotonic() + 10
    with contextlib.suppress(subprocess.CalledProcessError):
        while time.monotonic() < deadline:
            inside = [int(field) for field in ip("netns", "pids", name).split()]
            if not inside:
                break
            for pid in inside:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.02)
    with contextlib.suppress(subprocess.CalledProcessError):
        ip("netns", "del", name)
