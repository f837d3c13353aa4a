# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Network namespaces of the host: which there are and who owns them.

Found by the ``ns/net`` links of all processes and by the mounts that keep a namespace without processes
alive (``ip netns``). Threads that left their process's namespace, and namespaces that only an open file
descriptor keeps, are not looked for: that would cost a link per thread and per descriptor.
"""

import os
import re
from contextlib import suppress
from typing import Dict, List, NamedTuple, Optional, Tuple

from .errors import KernelReadError
from .running import RunningKernel

_LINK = re.compile(r"net:\[(\d+)\]$")
_OWN = "/proc/self/ns/net"
_CONTAINER_ID = re.compile(r"(?:^|[-/:_])([0-9a-f]{64})(?:\.scope)?(?:/|$)")
_LXC = re.compile(r"/(?:lxc\.payload|lxc|machine\.slice/machine)[./-]([\w.-]+?)(?:\.scope)?(?:/|$)")
_SHORT_ID = 12


class Namespace(NamedTuple):
    """``path``: what setns(2) opens, None for the caller's own. ``pids``: processes in it."""

    inode: Optional[int]
    label: str
    kind: str
    path: Optional[str]
    pids: int


def inode_of(link: str) -> int:
    """Inode out of the text of a ``ns/net`` link.

    :raises KernelReadError: when it is none.
    """
    match = _LINK.search(link)
    if not match:
        raise KernelReadError("network namespace", "not a namespace link: %.60r" % link)
    return int(match.group(1))


def own(kernel: RunningKernel) -> Namespace:
    """The namespace that the calling process is in; ``host`` when process 1 is in it, or cannot be asked."""
    return Namespace(inode_of(kernel.read_link(_OWN)), "host", "host", None, 0)


def discover(kernel: RunningKernel) -> Tuple[List[Namespace], int]:
    """``(namespaces, hidden)``: the caller's own first, then by inode; and how many processes could not be asked."""
    first = inode_of(kernel.read_link(_OWN))
    processes, hidden = _processes_by_inode(kernel)
    mounts = _mounts_by_inode(kernel)
    host_inode = _host_inode(kernel, processes, first)
    found = []
    for inode in sorted(set(processes) | set(mounts) | {first}):
        pids = processes.get(inode, [])
        if inode == host_inode:
            label, kind = "host", "host"
        else:
            label, kind = _owner(kernel, pids, mounts.get(inode, []))
        path = None
        if inode != first:
            path = mounts[inode][0] if mounts.get(inode) else "/proc/%d/ns/net" % pids[0]
        found.append(Namespace(inode, label, kind, path, len(pids)))
    found.sort(key=lambda namespace: (namespace.path is not None, namespace.inode))
    return found, hidden


def _host_inode(kernel: RunningKernel, processes: Dict[int, List[int]], default: int) -> int:
    """The machine's own: that of process 1 or, where a security policy hides that, of the kernel's threads."""
    for inode, pids in processes.items():
        if 1 in pids:
            return inode
    for inode, pids in processes.items():
        if 2 in pids and _command(kernel, 2) == "kthreadd":
            return inode
    return default


def _processes_by_inode(kernel: RunningKernel) -> Tuple[Dict[int, List[int]], int]:
    by_inode: Dict[int, List[int]] = {}
    hidden = 0
    for name in kernel.list_names("/proc"):
        if not name.isdigit():
            continue
        try:
            inode = inode_of(kernel.read_link("/proc/%s/ns/net" % name))
        except KernelReadError as error:
            if "not permitted" in error.reason:
                hidden += 1
            continue  # the process is gone, or is a kernel thread on its way out
        by_inode.setdefault(inode, []).append(int(name))
    for pids in by_inode.values():
        pids.sort()
    return by_inode, hidden


def _mounts_by_inode(kernel: RunningKernel) -> Dict[int, List[str]]:
    """Mount points that hold a network namespace, those of ``ip netns`` first (proc_pid_mountinfo(5))."""
    by_inode: Dict[int, List[str]] = {}
    try:
        lines = kernel.read_text("/proc/self/mountinfo").splitlines()
    except KernelReadError:
        return by_inode
    for line in lines:
        fields = line.split()
        if len(fields) > 4 and _LINK.match(fields[3]):
            inode, path = inode_of(fields[3]), _unescape(fields[4])
            # one that another mount covers is listed too, and cannot be reached
            with suppress(KernelReadError):
                if kernel.inode(path) == inode:
                    by_inode.setdefault(inode, []).append(path)
    for paths in by_inode.values():
        paths.sort(key=lambda path: (not _is_named(path), path))
    return by_inode


def _unescape(path: str) -> str:
    """The kernel writes space, tab, newline and backslash in a mount point as three octal digits."""
    return re.sub(r"\\([0-7]{3})", lambda match: chr(int(match.group(1), 8)), path)


def _is_named(path: str) -> bool:
    return os.path.dirname(path) in ("/run/netns", "/var/run/netns")


def _owner(kernel: RunningKernel, pids: List[int], paths: List[str]) -> Tuple[str, str]:
    """``(label, kind)``: the ``ip netns`` name, else the container, else the command of the oldest process."""
    container = _container(kernel, pids)
    if paths and _is_named(paths[0]) and not container:
        return os.path.basename(paths[0]), "netns"
    if container:
        return container, "container"
    if pids:
        return _command(kernel, _oldest(kernel, pids)), "process"
    return os.path.basename(paths[0]), "mount"


def _container(kernel: RunningKernel, pids: List[int]) -> Optional[str]:
    if not pids:
        return None
    try:
        return container_of(kernel.read_text("/proc/%d/cgroup" % pids[0]))
    except KernelReadError:
        return None


def container_of(cgroup_text: str) -> Optional[str]:
    """Short container id, or LXC or machine name, out of ``/proc/PID/cgroup``; None outside containers.

    Docker, containerd, CRI-O and podman put the 64 hexadecimal digits of the id into the path, each with its own
    prefix and suffix; in a pod the last one is the container.
    """
    for line in cgroup_text.splitlines():
        path = line.split(":", 2)[-1]
        ids = _CONTAINER_ID.findall(path)
        if ids:
            return ids[-1][:_SHORT_ID]
    for line in cgroup_text.splitlines():
        match = _LXC.search(line.split(":", 2)[-1])
        if match:
            return match.group(1).replace("\\x2d", "-")
    return None


def _oldest(kernel: RunningKernel, pids: List[int]) -> int:
    """Process numbers wrap around: age is the start time, field 22 of stat, counted behind the command's bracket."""
    ages = []
    for pid in pids:
        try:
            stat = kernel.read_text("/proc/%d/stat" % pid)
            ages.append((int(stat.rpartition(")")[2].split()[19]), pid))
        except (KernelReadError, IndexError, ValueError):
            continue
    return min(ages)[1] if ages else pids[0]


def _command(kernel: RunningKernel, pid: int) -> str:
    try:
        return kernel.read_text("/proc/%d/comm" % pid).strip() or "pid %d" % pid
    except KernelReadError:
        return "pid %d" % pid
