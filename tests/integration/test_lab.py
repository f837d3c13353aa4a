# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab itself: what it makes goes again, and the machine's own namespace is never touched."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.lab.container import Container
from tests.lab.facts import ROOT
from tests.lab.namespaces import Lab, lab, leftovers, reap
from tests.lab.server_image import run_inside
from tests.lab.traffic import Traffic

_OWN_SYSCTLS = ("ip_local_port_range", "tcp_tw_reuse", "tcp_max_tw_buckets", "ip_local_reserved_ports")


def own_sysctls() -> list[str]:
    return [Path("/proc/sys/net/ipv4", key).read_text(encoding="ascii") for key in _OWN_SYSCTLS]


def test_nothing_is_left_after_a_failure(made: Lab) -> None:
    before = leftovers()
    children = []
    with pytest.raises(ZeroDivisionError), lab() as inner:
        namespace = inner.namespace()
        children.append(inner.start(namespace.argv("sleep", "300")))
        Traffic(inner).listen(namespace, "127.0.0.1", 80)
        raise ZeroDivisionError
    assert leftovers() == before
    assert children[0].returncode == -signal.SIGKILL


def test_sysctls_are_set_inside_only(made: Lab) -> None:
    before = own_sysctls()
    namespace = made.namespace(
        ip_local_port_range="1024 65535", tcp_tw_reuse=0, ip_local_reserved_ports="8080"
    )
    assert namespace.sysctl("ipv4/ip_local_port_range") == "1024 65535"
    assert own_sysctls() == before


def test_a_namespace_that_is_gone_does_not_run_commands_outside(made: Lab) -> None:
    namespace = made.namespace()
    made.remove(namespace)
    with pytest.raises(subprocess.CalledProcessError):
        namespace.run("true")


def test_what_is_run_in_a_container_never_runs_on_the_machine(made: Lab) -> None:
    container = Container("bookworm", made.namespace())
    try:
        assert container.run("cat", "/etc/hostname").strip() == container.name
        # as after a restart, when another process has the number of its first one
        remembered = ROOT / ".cache" / "containers" / container.name
        remembered.write_text(str(os.getpid()))
        assert container.run("cat", "/etc/hostname").strip() == container.name
        assert remembered.read_text() != str(os.getpid())
        # as podman would give it: it is no more than root in this container
        inside = container.run("grep", "CapEff", "/proc/self/status")
        assert inside == container.run("grep", "CapEff", "/proc/1/status")
    finally:
        container.remove()
    gone = run_inside(container.name, "true")
    assert gone.returncode == 125 and gone.stderr.endswith(f"inside.py: {container.name} does not run\n"), gone


def killed_with_a_namespace() -> str:
    """Name of the namespace that a process left when it was killed."""
    code = (
        "import os, signal\n"
        "from tests.lab.namespaces import Lab\n"
        "lab = Lab()\n"
        "namespace = lab.namespace()\n"
        "lab.start(namespace.argv('sleep', '300'))\n"
        "print(namespace.name, flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    killed = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert killed.stdout
    with killed.stdout:
        name = killed.stdout.readline().strip()
    assert killed.wait(timeout=60) == -signal.SIGKILL
    return name


def test_the_next_run_removes_what_a_killed_one_left(made: Lab) -> None:
    # another run of the tests, beside this one, may be the next one
    names = []
    for _try in range(5):
        names.append(killed_with_a_namespace())
        if names[-1] in reap():
            break
    else:
        pytest.fail(f"{names} were not removed, or five times by somebody else")
    assert not any(os.path.exists(f"/run/netns/{name}") for name in names)


def test_traffic_says_what_it_could_not_make(made: Lab) -> None:
    traffic = Traffic(made)
    namespace = made.namespace()
    traffic.listen(namespace, "127.0.0.1", 80)
    with pytest.raises(RuntimeError, match="in use"):
        traffic.listen(namespace, "127.0.0.1", 80)
