# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""NodePorts of Kubernetes: rewritten to pods before any socket is looked for, so that nothing listens on them.

Source: kube-apiserver(8), ``--service-node-port-range``. kube-proxy opens no sockets for them since Kubernetes 1.27.
"""

import re
from typing import List, Optional, Tuple

from .._files import FileError, Files
from .._kernel.errors import KernelReadError
from .._kernel.running import RunningKernel
from .claim import Claim, Found, Problem
from .endpoints import Span, port_span

KIND = "node_ports"
DEFAULT: Span = (30000, 32767)

_PROCESSES = ("kubelet", "kube-proxy", "kubelite", "hyperkube", "k0s", "k3s", "rke2")
_FOLDERS = (
    "/var/lib/kubelet",
    "/var/lib/rancher/k3s",
    "/var/lib/rancher/rke2",
    "/var/lib/k0s",
    "/var/snap/microk8s/current",
)
_UNITS = (
    "/etc/systemd/system/{0}",
    "/lib/systemd/system/{0}",
    "/usr/lib/systemd/system/{0}",
    "/usr/local/lib/systemd/system/{0}",
)
_UNIT_NAMES = (
    "kubelet.service",
    "kube-proxy.service",
    "k3s*.service",
    "rke2-*.service",
    "k0s*.service",
    "snap.microk8s.*.service",
)
_SETTINGS = (
    "/etc/kubernetes/manifests/kube-apiserver.y*ml",
    "/etc/rancher/*/config.y*ml",
    "/etc/rancher/*/config.y*ml.d/*.y*ml",
    "/var/lib/rancher/rke2/agent/pod-manifests/kube-apiserver.y*ml",
    "/var/snap/microk8s/current/args/kube-apiserver",
    "/etc/kubernetes/apiserver",
    "/etc/systemd/system/k3s.service",
    "/etc/systemd/system/kube-apiserver.service",
)
_RANGE = re.compile(r"service-node-port-range[\"']?\s*[=:\s]\s*[\"']?(\d+)[-:](\d+)")


def find(kernel: RunningKernel, files: Files, wanted: str) -> Found:
    """The range of NodePorts.

    :param wanted: ``auto``: where a kubelet or kube-proxy is there; ``yes``: in any case; ``no``.
    """
    if wanted == "no":
        return [], []
    problems: List[Problem] = []
    sign = _sign(kernel, files, problems)
    if not sign and wanted == "auto":
        return [], problems
    span, where = _range(kernel, files, problems)
    what = "NodePorts of Kubernetes" if where else "default range of NodePorts: no configuration of an API server here"
    return [Claim(span[0], span[1], KIND, where or sign or "asked for", what)], problems


def _sign(kernel: RunningKernel, files: Files, problems: List[Problem]) -> Optional[str]:
    """What shows that Kubernetes forwards ports here, or None."""
    for folder in _FOLDERS:
        if files.is_dir(folder):
            return folder
    for pattern in _UNITS:
        for name in _UNIT_NAMES:
            try:
                found = files.glob(pattern.format(name))
            except FileError as error:
                problems.append(Problem(error.what, error.reason))
                continue
            if found:
                return found[0]
    for pid, words in _command_lines(kernel, problems):
        name = words[0].rpartition("/")[2]
        if name.split("-server")[0].split("-agent")[0] in _PROCESSES:
            return "process %d, %s" % (pid, name)
    return None


def _range(kernel: RunningKernel, files: Files, problems: List[Problem]) -> Tuple[Span, str]:
    """``(range, where it is written)``, the default and an empty text where it is not."""
    for pattern in _SETTINGS:
        try:
            for path in files.glob(pattern):
                for number, line in enumerate(files.read_text(path).splitlines(), 1):
                    span = range_in(line)
                    if span:
                        return span, "%s:%d" % (path, number)
        except FileError as error:
            problems.append(Problem(error.what, error.reason))
    for pid, words in _command_lines(kernel, []):
        if any(name in words[0] for name in ("kube-apiserver", "k3s", "rke2", "kubelite")):
            span = range_in(" ".join(words))
            if span:
                return span, "command line of process %d" % pid
    return DEFAULT, ""


def range_in(line: str) -> Optional[Span]:
    """The range that a line or command line sets: ``first-last``; a comment sets nothing."""
    match = None if line.lstrip().startswith("#") else _RANGE.search(line)
    spans = port_span("%s-%s" % match.groups()) if match else []
    return spans[0] if spans else None


def _command_lines(kernel: RunningKernel, problems: List[Problem]) -> List[Tuple[int, List[str]]]:
    """``(process, words)``, kernel threads left out."""
    try:
        pids = [int(name) for name in kernel.list_names("/proc") if name.isdigit()]
    except KernelReadError as error:
        problems.append(Problem(error.what, error.reason))
        return []
    found = []
    for pid in sorted(pids):
        try:
            words = kernel.read_text("/proc/%d/cmdline" % pid).rstrip("\0").split("\0")
        except KernelReadError:
            continue  # gone, or hidden from this user
        if words[0]:
            found.append((pid, words))
    return found
