# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kubernetes, listeners, holders and the whole survey over made-up hosts."""

import pytest
from ansible_collections.tcpops.timewait.plugins.module_utils._kernel import sock_diag, tcp_states
from ansible_collections.tcpops.timewait.plugins.module_utils._kernel.errors import KernelReadError, MissingError
from ansible_collections.tcpops.timewait.plugins.module_utils._ports import PortRange
from ansible_collections.tcpops.timewait.plugins.module_utils._service_ports import held, listening, node_ports, survey
from ansible_collections.tcpops.timewait.plugins.module_utils._service_ports.claim import Claim
from support import wire
from support.file_tree import make_tree

HEADING = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"


class Kernel:
    """A kernel with these files, links and sockets. ``dumps``: state mask -> messages."""

    def __init__(self, files=None, links=None, dumps=None, refuse=0):
        self.files = files or {}
        self.links = links or {}
        self.dumps = dumps or {}
        self.refuse = refuse
        self.read = 0

    def read_text(self, path):
        if path not in self.files:
            raise MissingError(path, "there is no such file")
        return self.files[path]

    def read_lines(self, path):
        for line in self.read_text(path).splitlines(True):
            self.read += 1
            yield line

    def list_names(self, path):
        every = [*self.files, *self.links]
        names = {one[len(path) + 1 :].split("/")[0] for one in every if one.startswith(path + "/")}
        if not names:
            raise MissingError(path, "there is no such file")
        return sorted(names)

    def read_link(self, path):
        if path not in self.links:
            raise MissingError(path, "there is no such file")
        return self.links[path]

    def dump(self, states, bytecode=b""):
        if self.refuse:
            raise sock_diag.DumpRefusedError(self.refuse)
        messages = self.dumps.get(states, [])
        data = [b"".join(messages)] if messages else []
        return iter(wire.dump(*data, wire.end()))


def process(pid, *words):
    return {f"/proc/{pid}/cmdline": "\0".join(words) + "\0", f"/proc/{pid}/comm": words[0].rpartition("/")[2] + "\n"}


def found_node_ports(tmp_path, entries, processes=None, wanted="auto"):
    kernel = Kernel({"/proc/1/cmdline": "", **(processes or {})})
    claims, problems = node_ports.find(kernel, make_tree(tmp_path, entries), wanted)
    assert problems == []
    return [(claim.first, claim.last, claim.where) for claim in claims]


@pytest.mark.parametrize(
    "sign",
    [
        "/etc/systemd/system/kubelet.service",
        "/usr/lib/systemd/system/kubelet.service",
        "/var/lib/kubelet/config.yaml",
        "/etc/systemd/system/k3s-agent.service",
        "/usr/local/lib/systemd/system/rke2-server.service",
        "/var/snap/microk8s/current/args/kubelet",
    ],
)
def test_a_sign_of_kubernetes_on_disk_brings_the_default_range(tmp_path, sign):
    ((first, last, where),) = found_node_ports(tmp_path, {sign: "x"})
    assert (first, last) == (30000, 32767)
    assert sign.startswith(where)


@pytest.mark.parametrize("name", ["/usr/bin/kubelet", "/usr/local/bin/kube-proxy", "k3s-agent", "/opt/k3s", "kubelite"])
def test_a_running_kubelet_brings_them_too(tmp_path, name):
    assert found_node_ports(tmp_path, {}, process(77, name, "--x"))[0][:2] == (30000, 32767)


def test_without_kubernetes_there_are_none_unless_asked_for(tmp_path):
    other = process(77, "/usr/bin/vim", "kubelet", "--service-node-port-range=1-2")
    assert found_node_ports(tmp_path, {}, other) == []
    assert found_node_ports(tmp_path, {}, other, "yes") == [(30000, 32767, "asked for")]
    assert found_node_ports(tmp_path, {"/var/lib/kubelet/x": ""}, other, "no") == []


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("/etc/kubernetes/manifests/kube-apiserver.yaml", "    - --service-node-port-range=20000-22767"),
        ("/etc/rancher/k3s/config.yaml", 'service-node-port-range: "20000-22767"'),
        ("/etc/rancher/rke2/config.yaml.d/10.yaml", "  - 'service-node-port-range=20000-22767'"),
        ("/var/snap/microk8s/current/args/kube-apiserver", "--service-node-port-range 20000-22767"),
    ],
)
def test_the_range_of_the_api_server(tmp_path, path, line):
    entries = {"/var/lib/kubelet/x": "", path: "#service-node-port-range=1-2\n" + line + "\n"}
    assert found_node_ports(tmp_path, entries) == [(20000, 22767, path + ":2")]


def test_the_range_on_a_command_line(tmp_path):
    running = process(9, "/usr/bin/kube-apiserver", "--service-node-port-range=20000-22767")
    found = found_node_ports(tmp_path, {"/var/lib/kubelet/x": ""}, running)
    assert found == [(20000, 22767, "command line of process 9")]


def tcp_line(port, state, inode):
    zeros = "00000000:00000000 00:00000000 00000000     0        0"
    return f"   0: 00000000:{port:04X} 00000000:0000 {state} {zeros} {inode} 1\n"


def test_owners_are_told_without_reading_what_does_not_listen():
    connected = "".join(tcp_line(5000 + number, "01", 900 + number) for number in range(50))
    kernel = Kernel(
        {
            "/proc/net/tcp": HEADING + tcp_line(80, "0A", 11) + tcp_line(8080, "0A", 12) + connected,
            "/proc/net/tcp6": HEADING + tcp_line(80, "0A", 13),
            **process(5, "nginx"),
            **process(6, "apache2"),
            **process(7, "client"),
        },
        {
            "/proc/5/fd/3": "socket:[11]",
            "/proc/5/fd/4": "socket:[12]",
            "/proc/6/fd/9": "socket:[13]",
            "/proc/7/fd/1": "socket:[900]",
            "/proc/7/fd/2": "/dev/null",
        },
    )
    assert listening.owners_by_port(kernel) == {80: {"nginx", "apache2"}, 8080: {"nginx"}}
    assert kernel.read == 6, "two headings, three listeners, and one line that does not listen"


def holders(messages, ports, **options):
    kernel = Kernel(dumps={tcp_states.CONNECTED: messages}, **options)
    return held.find(kernel, frozenset(ports))


def time_wait(local_port, remote_port, **options):
    return wire.message("10.0.0.1", local_port, "10.0.0.2", remote_port, **options)


def test_holders_of_a_port():
    messages = [time_wait(40000 + number, 443) for number in range(40)]
    messages.append(wire.message("2001:db8::1", 40001, "2001:db8::2", 80, state=tcp_states.ESTABLISHED, length=112))
    assert holders(messages, {40001, 50000}) == [
        held.Holder(40001, "10.0.0.1", "10.0.0.2", 443, "time_wait", 30),
        held.Holder(40001, "2001:db8::1", "2001:db8::2", 80, "established", None),
    ]
    assert holders(messages[:40], {39999, 40040}) == [], "datagrams of one length are passed over whole"
    assert len(holders(messages[:40], {40039, 39744})) == 1
    assert holders(messages, ()) == []


def test_what_a_stopped_server_left_is_not_outgoing():
    left = [time_wait(8080, 50000 + number) for number in range(8)]
    assert holders(left, {8080}) == []
    assert len(holders(left[:7], {8080})) == 7
    one_peer_port = [time_wait(8080, 443) for _number in range(8)]
    assert len(holders(one_peer_port, {8080})) == 8, "what they have in common is the server's port: they are clients"


def test_where_a_dump_is_refused_procfs_tells():
    line = "   0: 0100000A:9C41 0200000A:01BB 06 00000000:00000000 03:000003E8 00000000     0        0 0 3\n"
    text = HEADING + tcp_line(40001, "0A", 5) + line
    found = holders([], {40001}, refuse=2, files={"/proc/net/tcp": text, "/proc/net/tcp6": HEADING})
    assert found == [held.Holder(40001, "10.0.0.1", "10.0.0.2", 443, "time_wait", 10)]


BASE = {
    "/proc/sys/net/ipv4/ip_local_port_range": "32768\t60999\n",
    "/proc/sys/net/ipv4/ip_local_reserved_ports": "9000,50000\n",
    "/proc/sys/net/ipv4/ip_unprivileged_port_start": "1024\n",
    "/proc/net/tcp": HEADING,
    "/proc/net/tcp6": HEADING,
    "/proc/1/cmdline": "",
}


def surveyed(tmp_path, entries=None, files=None, dumps=None, **options):
    values = {
        "range": PortRange(10240, 65535),
        "ports": frozenset(),
        "exclude": frozenset(),
        "services_file": False,
        "node_ports": "auto",
        "join_gap": 0,
        **options,
    }
    kernel = Kernel({**BASE, **(files or {})}, dumps=dumps)
    return survey.survey(kernel, make_tree(tmp_path, entries or {}), survey.Wanted(**values))


def listener(port, address="0.0.0.0"):
    return wire.message(address, port, address, 0, state=tcp_states.LISTEN, length=96)


def test_a_survey(tmp_path):
    result = surveyed(
        tmp_path,
        {"/etc/memcached.conf": "-p 11211\n", "/etc/mongod.conf": "net: {port: 1}\n", "/etc/services": "x 20000/tcp\n"},
        dumps={
            tcp_states.LISTENING: [listener(12000), listener(12001, "::"), listener(80)],
            tcp_states.CONNECTED: [time_wait(33000, 443), time_wait(33001, 443), time_wait(12000, 443)],
        },
        ports=frozenset((33000, 11212, 8000)),
        exclude=frozenset((12001,)),
        services_file=True,
    )
    assert result["reserved"] == "9000,50000"
    assert result["wanted_reserved"] == "9000,11211-11212,12000,20000,27017,33000,50000"
    assert [(one["port"], one["sources"][0]["kind"], one["excluded"]) for one in result["ports"]] == [
        (11211, "configuration", False),
        (11212, "user", False),
        (12000, "listening", False),
        (12001, "listening", True),
        (20000, "services_file", False),
        (27017, "configuration", False),
        (33000, "user", False),
    ]
    assert result["held_ports"] == "33000"
    assert [one["remote_port"] for one in result["held_by_outgoing"]] == [443]
    # 50000 is reserved too, and 12001 is listened on without being reserved
    assert result["range"] == {"low": 10240, "high": 65535, "reserved": 7, "held": 1, "usable": 55296 - 8}
    assert result["running_range"] == {"low": 32768, "high": 60999, "reserved": 1, "held": 0, "usable": 28231}
    assert result["cautions"] == []
    assert result["unavailable"] == []


def test_ports_that_automatic_choice_cannot_have_given_are_not_held(tmp_path):
    connected = {tcp_states.CONNECTED: [time_wait(12000, 443), time_wait(50000, 443), time_wait(40000, 443)]}
    result = surveyed(tmp_path, dumps=connected, ports=frozenset((12000, 50000, 40000)))
    assert result["held_ports"] == "40000", "outside of the running range, and reserved already"


def test_holders_that_cannot_be_looked_for_are_not_none(tmp_path, monkeypatch):
    def broken(_kernel, _ports):
        raise KernelReadError("sock_diag dump", "truncated answer")

    monkeypatch.setattr(held, "find", broken)  # a kernel that answers the first dump and garbles the second
    result = surveyed(tmp_path)
    assert result["held_by_outgoing"] is None
    assert result["held_ports"] is None
    assert "truncated" in result["unavailable"][0]["reason"]


def test_what_must_be_readable_fails(tmp_path):
    with pytest.raises(KernelReadError, match="ip_local_reserved_ports: not a port"):
        surveyed(tmp_path, files={"/proc/sys/net/ipv4/ip_local_reserved_ports": "x"})


def test_neighbours_with_the_same_sources_are_one_entry(tmp_path):
    result = surveyed(tmp_path, node_ports="yes", ports=frozenset((30001,)))
    assert [(one["port"], one["last_port"], len(one["sources"])) for one in result["ports"]] == [
        (30000, 30000, 1),
        (30001, 30001, 2),
        (30002, 32767, 1),
    ]
    assert result["range"]["reserved"] == 2769


def test_joining():
    allowed = frozenset(range(1, 100)) - {31}
    assert survey.join({10, 12, 15, 30, 32}, 0, allowed) == {10, 12, 15, 30, 32}
    assert survey.join({10, 12, 15, 30, 32}, 1, allowed) == {10, 11, 12, 15, 30, 32}
    assert survey.join({10, 12, 15, 30, 32}, 2, allowed) == {10, 11, 12, 13, 14, 15, 30, 32}


def test_the_same_claim_counts_once():
    claim = Claim(5, 6, "user", "w", "x")
    assert survey.sources_by_port([claim, claim], frozenset((5,))) == {5: [claim]}


@pytest.mark.parametrize(
    ("low", "high", "text", "expected"),
    [
        (10240, 65535, "", []),
        (1000, 65535, "", ["refuses a range that begins at 1000"]),
        (10240, 65534, "", ["are even"]),
        (10241, 65535, "", ["are odd"]),
        (40000, 60999, "", ["leaves out a part"]),
        (10240, 65535, "x" * 4095, []),
        (10240, 65535, "x" * 4096, ["4096 characters"]),
    ],
)
def test_cautions(low, high, text, expected):
    found = survey.cautions(PortRange(low, high), PortRange(32768, 60999), 1024, text)
    assert len(found) == len(expected)
    assert all(part in sentence for part, sentence in zip(expected, found, strict=True))
