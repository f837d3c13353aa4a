# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whose namespace it is."""

import pytest
from ansible_collections.tcpops.timewait.plugins.module_utils._kernel import namespaces
from ansible_collections.tcpops.timewait.plugins.module_utils._kernel.errors import KernelReadError
from ansible_collections.tcpops.timewait.plugins.module_utils._kernel.running import MissingError

_ID = "0123456789abcdef" * 4


@pytest.mark.parametrize(
    ("cgroup", "label"),
    [
        (f"0::/system.slice/docker-{_ID}.scope\n", _ID[:12]),
        (f"12:pids:/docker/{_ID}\n11:cpu:/docker/{_ID}\n", _ID[:12]),
        (f"0::/kubepods.slice/kubepods-pod1.slice/cri-containerd-{_ID}.scope\n", _ID[:12]),
        (f"4:cpu:/kubepods/burstable/pod12-34/{_ID}\n", _ID[:12]),
        (f"0::/kubepods.slice/crio-{_ID}.scope/container\n", _ID[:12]),
        (f"0::/machine.slice/libpod-{_ID}.scope/init.scope\n", _ID[:12]),
        ("0::/lxc.payload.web1/init.scope\n", "web1"),
        ("0::/machine.slice/machine-db1.scope/payload\n", "db1"),
        ("0::/user.slice/user-0.slice/session-1.scope\n", None),
        ("", None),
    ],
)
def test_container_out_of_a_cgroup_path(cgroup, label):
    assert namespaces.container_of(cgroup) == label


class FakeProc:
    """A ``/proc`` with chosen processes: (pid, inode, command, start time). Faked: the machine's cannot be chosen."""

    def __init__(self, processes, mounts="", hidden=(), covered=()):
        self._covered = covered
        self._processes = {pid: rest for pid, *rest in processes}
        self._mounts = mounts
        self._hidden = hidden

    def list_names(self, path):
        return ["self", "net", *map(str, self._processes), *map(str, self._hidden)]

    def read_link(self, path):
        name = path.split("/")[2]
        if name == "self":
            return "net:[1000]"
        if int(name) in self._hidden:
            raise KernelReadError(path, "not permitted: run as root")
        return f"net:[{self._processes[int(name)][0]}]"

    def inode(self, path):
        if path in self._covered:
            raise MissingError(path, "there is no such file")
        line = next(line for line in self._mounts.splitlines() if path in line.replace(r"\040", " "))
        return namespaces.inode_of(line.split()[3])

    def read_text(self, path):
        if path == "/proc/self/mountinfo":
            return self._mounts
        pid, what = int(path.split("/")[2]), path.split("/")[3]
        _inode, command, start = self._processes[pid]
        if what == "comm":
            return command + "\n"
        if what == "stat":
            return f"{pid} ({command}) S " + " ".join(["0"] * 18) + f" {start} 0\n"
        raise MissingError(path, "there is no such file")


def _mount(inode, path):
    return f"500 28 0:4 net:[{inode}] {path} rw shared:5 - nsfs nsfs rw\n"


def test_namespaces_are_found_by_process_and_by_name():
    proc = FakeProc(
        [(1, 1000, "systemd", 1), (50, 2000, "unsh (a) re", 900), (9, 2000, "younger", 950), (60, 3000, "bash", 5)],
        _mount(3000, "/run/netns/blue") + _mount(4000, r"/run/netns/em\040pty") + _mount(5000, "/var/lib/keep/ns"),
    )
    found, hidden = namespaces.discover(proc)
    assert hidden == 0
    assert [(one.inode, one.label, one.kind, one.path, one.pids) for one in found] == [
        (1000, "host", "host", None, 1),
        (2000, "unsh (a) re", "process", "/proc/9/ns/net", 2),
        (3000, "blue", "netns", "/run/netns/blue", 1),
        (4000, "em pty", "netns", "/run/netns/em pty", 0),
        (5000, "ns", "mount", "/var/lib/keep/ns", 0),
    ]


def test_a_mount_that_another_one_covers_is_none():
    proc = FakeProc([(1, 1000, "systemd", 1)], _mount(2000, "/run/netns/blue"), covered=["/run/netns/blue"])
    assert [one.inode for one in namespaces.discover(proc)[0]] == [1000]


def test_the_callers_own_comes_first_though_it_is_not_the_hosts():
    proc = FakeProc([(1, 500, "systemd", 1), (60, 1000, "bash", 5)], _mount(1000, "/run/netns/blue"))
    found, _hidden = namespaces.discover(proc)
    assert [(one.label, one.path) for one in found] == [("blue", None), ("host", "/proc/1/ns/net")]


def test_where_process_1_is_hidden_the_kernels_threads_tell_the_host():
    proc = FakeProc([(2, 500, "kthreadd", 1), (60, 1000, "bash", 5)], hidden=(1,))
    found, hidden = namespaces.discover(proc)
    assert [(one.label, one.kind) for one in found] == [("bash", "process"), ("host", "host")]
    assert hidden == 1


def test_a_link_that_is_none_is_refused():
    with pytest.raises(KernelReadError, match="not a namespace link"):
        namespaces.inode_of("mnt:[4]")
