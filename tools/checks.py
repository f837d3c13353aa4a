# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The table of all checks. Adding a check is adding an entry.

``needs`` are names of ``NEEDS``; a check whose needs cannot be met is skipped,
and the summary says what to install.
"""

from __future__ import annotations

from typing import NamedTuple


class Need(NamedTuple):
    """Something that has to be on the machine: root, or programs, each with the Debian packages that bring it."""

    programs: dict[str, str]
    root: bool = False


class Check(NamedTuple):
    """One line of the summary."""

    name: str
    group: str
    command: tuple[str, ...]
    needs: tuple[str, ...] = ()
    path: str = ""  # what the check is about: without it there is nothing to check
    timeout: int = 900  # seconds; beyond it something hangs
    on_request: bool = False  # runs only when named
    # Checks of one lane run one after the other, those of two beside each other. Both take about as long, so that two
    # processors have work until the end.
    lane: int = 1


NEEDS = {
    "git": Need({"git": "git"}),
    "shellcheck": Need({"shellcheck": "shellcheck"}),
    "namespaces": Need({"ip": "iproute2", "ss": "iproute2", "nft": "nftables"}, root=True),
    "sshd": Need({"sshd": "openssh-server", "ssh": "openssh-client"}),
    # mmdebstrap: for images where there is no registry. netavark calls iptables.
    "containers": Need(
        {"podman": "podman runc netavark", "mmdebstrap": "mmdebstrap", "iptables": "iptables"}, root=True
    ),
    "guests": Need(
        {
            "qemu-system-x86_64": "qemu-system-x86",
            "mmdebstrap": "mmdebstrap",
            "mkfs.ext4": "e2fsprogs",
            "ssh": "openssh-client",
            "ip": "iproute2",
        },
        root=True,
    ),
    "browser": Need({"chromium": "chromium", "chromedriver": "chromium-driver"}),
}


def _pytest(folder: str, *options: str) -> tuple[str, ...]:
    return ("python", "-m", "pytest", "-q", *options, folder)


# Quick ones first: a typo should not cost ten minutes.
CHECKS = (
    Check("ruff", "lint", ("ruff", "check", ".")),
    Check("vermin", "lint", ("tools/run_vermin.sh",)),
    Check("headers", "lint", ("python", "tools/check_headers.py"), ("git",)),
    Check("yamllint", "lint", ("yamllint", "--strict", ".")),
    Check("shellcheck", "lint", ("tools/run_shellcheck.sh",), ("git", "shellcheck")),
    Check("changelog", "lint", ("antsibull-changelog", "lint")),
    Check("mypy", "lint", ("tools/run_mypy.sh",)),
    Check("generated-docs", "lint", ("tools/generate_docs.sh", "--check")),
    Check("docs-lint", "lint", ("tools/run_docs_lint.sh",)),
    Check("ansible-lint", "lint", ("tools/run_ansible_lint.sh",), ("git",)),
    Check("ansible-test-sanity", "lint", ("tools/run_sanity.sh",), ("git",)),
    Check("units", "units", _pytest("tests/unit"), path="tests/unit"),
    Check("packaging", "integration", _pytest("tests/packaging"), path="tests/packaging"),
    Check("host-python", "integration", _pytest("tests/host_python"), path="tests/host_python"),
    Check(
        "namespaces",
        "integration",
        # they wait for hosts more than they compute; what a file has set up, its tests share
        _pytest("tests/integration", "--numprocesses=3", "--dist=loadfile", "--no-loadscope-reorder", "--durations=20"),
        # containers: sysctl loaders and units are compared with those of real releases
        ("namespaces", "sshd", "containers"),
        "tests/integration",
        timeout=1800,
        lane=2,
    ),
    Check("browser", "integration", _pytest("tests/browser"), ("browser",), "tests/browser"),
    Check("molecule-audit", "molecule", ("tools/run_molecule.sh", "audit"), ("containers",)),
    Check("molecule-sysctls", "molecule", ("tools/run_molecule.sh", "sysctls"), ("containers",)),
    Check("molecule-web", "molecule", ("tools/run_molecule.sh", "web"), ("containers",), lane=2),
    Check("molecule-addresses", "molecule", ("tools/run_molecule.sh", "addresses"), ("containers",), timeout=1200),
    # The oldest kernel of the matrix and the newest.
    Check("molecule-kernels", "molecule", ("tools/run_kernels.sh", "bullseye", "sid"), ("guests",), lane=2),
    # All of them; this one writes docs/kernel-matrix.md.
    Check("kernels", "kernels", ("tools/run_kernels.sh", "--keep"), ("guests",), timeout=2400, on_request=True),
)
