# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Capabilities of the running kernel against what it does when it is asked another way."""

from __future__ import annotations

import errno
import os
import shutil
import socket
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from tests.lab import facts
from tests.lab.namespaces import Namespace

UNPRIVILEGED = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
SYSCTL_FILES = {
    "autobind_reuse": "ip_autobind_reuse",
    "ehash_entries": "tcp_ehash_entries",
    "max_tw_buckets": "tcp_max_tw_buckets",
    "port_range": "ip_local_port_range",
    "port_step_width": "ip_local_port_step_width",
    "reserved_ports": "ip_local_reserved_ports",
    "tw_recycle": "tcp_tw_recycle",
    "tw_reuse": "tcp_tw_reuse",
    "tw_reuse_delay": "tcp_tw_reuse_delay",
    "tw_timeout": "tcp_tw_timeout",
    "unprivileged_port_start": "ip_unprivileged_port_start",
}
OPTIONS = {
    "bind_address_no_port": (socket.IPPROTO_IP, 24, 1),
    "local_port_range_option": (socket.IPPROTO_IP, 51, 0),
    "reuseport": (socket.SOL_SOCKET, socket.SO_REUSEPORT, 1),
}


def kernel(namespace: Namespace, *prefix: str) -> dict[str, Any]:
    found: dict[str, Any] = facts.by_module(namespace, *prefix, gather_subset=["kernel"])["kernel"]
    return found


def accepts(level: int, option: int, value: int) -> bool:
    with socket.socket() as one:
        try:
            one.setsockopt(level, option, value)
        except OSError as error:
            assert error.errno == errno.ENOPROTOOPT
            return False
    return True


def sysctl_names(namespace: Namespace) -> set[str]:
    return set(namespace.run("ls", "/proc/sys/net/ipv4").split())


def symbols() -> set[str]:
    """Names of the kernel's functions, its modules' too."""
    lines = Path("/proc/kallsyms").read_text(encoding="ascii", errors="replace").splitlines()
    return {line.split()[2].partition(".")[0] for line in lines}


def test_sysctls_and_options_are_those_that_the_kernel_takes(namespace: Namespace) -> None:
    found = kernel(namespace)["capabilities"]
    there = sysctl_names(namespace)
    assert {name: found[name]["available"] for name in SYSCTL_FILES} == {
        name: file in there for name, file in SYSCTL_FILES.items()
    }
    assert {name: found[name]["available"] for name in OPTIONS} == {
        name: accepts(*option) for name, option in OPTIONS.items()
    }


def test_functions_told_by_types_are_among_the_symbols(namespace: Namespace) -> None:
    found = kernel(namespace)["capabilities"]
    names = symbols()
    if found["bind2_hash"]["available"] is None:
        pytest.skip("this kernel has no BTF")
    assert found["sock_destroy"]["available"] is ("tcp_diag_destroy" in names)
    by_symbol = "per_host_pair" if "secure_tcp_ts_off" in names else None
    by_symbol = by_symbol or ("per_4_tuple" if "secure_tcp_seq_and_ts_off" in names else None)
    assert found["timestamp_offset"]["value"] == by_symbol
    assert found["bind2_hash"]["available"] is ("inet_bind2_bucket_destroy" in names)


def test_every_mode_of_reuse_is_one_that_the_kernel_takes(namespace: Namespace) -> None:
    for setting in (2, 1):
        namespace.set_sysctls({"ipv4/tcp_tw_reuse": setting})
        value = kernel(namespace)["capabilities"]["tw_reuse"]["value"]
        assert value["setting"] == setting
        for mode in value["modes"] or []:
            namespace.set_sysctls({"ipv4/tcp_tw_reuse": mode})
            assert namespace.sysctl("ipv4/tcp_tw_reuse") == str(mode)
    namespace.set_sysctls({"ipv4/tcp_timestamps": 0})
    assert kernel(namespace)["capabilities"]["tw_reuse"]["value"]["inert"] is True


def test_recovery_of_buckets_is_what_connect_shows(namespace: Namespace) -> None:
    """One port: an automatic connection has it, an explicit bind joins and leaves, another connection is tried."""
    recovers = kernel(namespace)["capabilities"]["connect_bucket_recovery"]["available"]
    if recovers is None:
        pytest.skip("the kernel does not tell")
    namespace.set_sysctls({"ipv4/ip_local_port_range": "40000 40000"})
    script = (
        "import socket\n"
        "def listen(port):\n"
        "    one = socket.socket(); one.bind(('127.0.0.1', port)); one.listen(); return one\n"
        "servers = [listen(port) for port in (80, 81, 82)]\n"
        "first = socket.create_connection(('127.0.0.1', 80))\n"
        "bound = socket.socket(); bound.bind(('127.0.0.9', 40000))\n"
        "def tries(port):\n"
        "    try:\n"
        "        with socket.create_connection(('127.0.0.1', port)): return True\n"
        "    except OSError: return False\n"
        "assert not tries(81)\n"
        "bound.close()\n"
        "print(tries(82))\n"
    )
    assert namespace.run("python3", "-c", script).strip() == str(recovers)


def test_nothing_is_changed(namespace: Namespace) -> None:
    def state() -> str:
        return namespace.run("sh", "-c", "grep -r . /proc/sys/net/ipv4 2>/dev/null; cat /proc/net/snmp; ss -tanH")

    before = state()
    kernel(namespace)
    assert state() == before


def test_anybody_is_told_the_same(namespace: Namespace) -> None:
    assert kernel(namespace, *UNPRIVILEGED)["capabilities"] == kernel(namespace)["capabilities"]


def test_without_root_the_structures_give_the_memory_that_the_slab_gives(namespace: Namespace) -> None:
    if not os.path.exists("/sys/kernel/btf/vmlinux"):
        pytest.skip("this kernel has no BTF")
    root = facts.by_module(namespace, gather_subset=["memory"])["memory"]
    anybody = facts.by_module(namespace, *UNPRIVILEGED, gather_subset=["memory"])["memory"]
    if root["source"] != "slab":
        pytest.skip("this kernel does not show its slabs")
    assert anybody["source"] == "btf"
    assert {**anybody, "source": "slab"} == root


@pytest.mark.skipif(not shutil.which("bpftool"), reason="missing: bpftool (apt-get install bpftool)")
def test_sizes_are_those_of_bpftool(namespace: Namespace) -> None:
    dump = subprocess.run(
        ["bpftool", "btf", "dump", "file", "/sys/kernel/btf/vmlinux"], check=True, capture_output=True, text=True
    ).stdout
    for name, size in kernel(namespace)["structure_bytes"].items():
        assert (f"STRUCT '{name}' size={size} " in dump) is (size is not None)


def test_the_subset_costs_little(namespace: Namespace) -> None:
    """Less than what a round trip of Ansible costs by far; the limit leaves room for a busy machine."""

    def seconds(*subsets: str) -> float:
        durations = []
        for _attempt in range(5):
            started = time.monotonic()
            facts.by_module(namespace, gather_subset=list(subsets))
            durations.append(time.monotonic() - started)
        return min(durations)

    assert seconds("sysctls", "kernel") - seconds("sysctls") < 0.15
