# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ports that are listened on now, with the program where it can be told."""

from typing import Dict, List, Set, Tuple

from .. import _sockets
from .._kernel import addresses, proc_net_tcp
from .._kernel.errors import KernelReadError, MissingError
from .._kernel.running import RunningKernel
from .claim import Claim, Found, Problem

KIND = "listening"

#: descriptors of a process that are looked at: servers open what they listen on early, under small numbers
_MOST_DESCRIPTORS = 1024
_LISTEN = "0A"


def find(kernel: RunningKernel) -> Found:
    """The listening sockets of the namespace, IPv4 and IPv6.

    :raises KernelReadError: when they cannot be read: reserving without them would miss what matters most.
    """
    listening = _sockets.read_listeners(kernel)
    problems = [Problem(error.what, error.reason) for error in listening.problems]
    try:
        owners = owners_by_port(kernel)
    except KernelReadError as error:
        owners = {}
        problems.append(Problem("owners of listening sockets", str(error)))
    claims = []
    for address, port in listening.listeners:
        where = ("[%s]:%d" if ":" in address else "%s:%d") % (address, port)
        names = sorted(owners.get(port, ()))
        what = "listened on by %s" % ", ".join(names) if names else "listened on; the owner cannot be told"
        claims.append(Claim(port, port, KIND, where, what))
    return claims, problems


def owners_by_port(kernel: RunningKernel) -> Dict[int, Set[str]]:
    """Names of the programs that listen, by port. Those of other users are seen by root only.

    :raises KernelReadError: when procfs does not tell.
    """
    ports: Dict[str, int] = {}
    for path, family in proc_net_tcp.FILES:
        try:
            for inode, port in _listening_inodes(kernel, path):
                ports["socket:[%s]" % inode] = port
        except MissingError:
            if family == addresses.AF_INET:
                raise
    owners: Dict[int, Set[str]] = {}
    for name in kernel.list_names("/proc"):
        if not name.isdigit():
            continue
        found = {ports[link] for link in _links(kernel, "/proc/%s/fd" % name) if link in ports}
        for port in found:
            owners.setdefault(port, set()).add(_command(kernel, name))
    return owners


def _listening_inodes(kernel: RunningKernel, path: str) -> List[Tuple[str, int]]:
    """The kernel lists what listens before everything else (``listening_get_first``): nothing behind it is read."""
    found = []
    for number, line in enumerate(kernel.read_lines(path)):
        fields = line.split()
        if number and fields:
            if fields[3] != _LISTEN:
                break
            found.append((fields[9], int(fields[1].rpartition(":")[2], 16)))
    return found


def _links(kernel: RunningKernel, folder: str) -> List[str]:
    try:
        names = sorted(kernel.list_names(folder), key=int)[:_MOST_DESCRIPTORS]
    except KernelReadError:
        return []  # gone, or another user's
    links = []
    for name in names:
        try:
            links.append(kernel.read_link(folder + "/" + name))
        except KernelReadError:
            continue  # closed meanwhile
    return links


def _command(kernel: RunningKernel, pid: str) -> str:
    try:
        return kernel.read_text("/proc/%s/comm" % pid).strip() or "process " + pid
    except KernelReadError:
        return "process " + pid
