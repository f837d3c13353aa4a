# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sysctls set on hosts that have files and a network namespace of their own, with the real loaders beside."""

from __future__ import annotations

import os
from typing import Any

import pytest

from tests.lab import facts
from tests.lab.host import Host
from tests.lab.namespaces import Lab

OURS = "/etc/sysctl.d/zz-tcpops-timewait.conf"
UNPRIVILEGED = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
WIDER = {"net.ipv4.ip_local_port_range": "10240 65535", "net/ipv4/ip_local_reserved_ports": ["11211", "30000-32767"]}


@pytest.fixture
def host(made: Lab) -> Host:
    return Host(made, tcp_tw_reuse=0)


def settings(host: Host, *prefix: str, **options: Any) -> dict[str, Any]:
    return host.module("sysctl_settings", *prefix, **options)


def four_times(host: Host, **options: Any) -> dict[str, Any]:
    """Check mode, for real, check mode, for real: the answer of the second, which the first has to foretell."""
    before = host.files(), values(host), journal(host)
    foretold = settings(host, check=True, **options)
    assert not foretold.get("failed"), foretold["msg"]
    assert (host.files(), values(host), journal(host)) == before
    done = settings(host, **options)
    assert not done.get("failed"), done["msg"]
    for key in ("changed", "before", "after", "diff", "skipped_keys"):
        assert foretold[key] == done[key], key
    after = host.files(), values(host), journal(host)
    for check in (True, False):
        again = settings(host, check=check, **options)
        assert not again["changed"]
        assert again["diff"] == []
        assert again["before"] == again["after"] == done["after"]
    assert (host.files(), values(host), journal(host)) == after
    return done


def journal(host: Host) -> str:
    return host.run("find", "/var/lib", "!", "-name", "lock", "-printf", "%p %s %T@\n")


def values(host: Host) -> dict[str, str]:
    names = ("ip_local_port_range", "ip_local_reserved_ports", "tcp_tw_reuse", "tcp_timestamps", "tcp_max_tw_buckets")
    return {name: host.sysctl(name) for name in names}


def boot(host: Host) -> str:
    """What both loaders of this machine do with the files; what they complain about."""
    complaints = ""
    for command in ("sysctl --system", "/lib/systemd/systemd-sysctl"):
        if command.startswith("/") and not os.path.exists(command):
            continue
        complaints += host.run("sh", "-c", f"{command} 2>&1 >/dev/null")
    return complaints


def test_present_now_and_at_the_next_boot(host: Host) -> None:
    done = four_times(host, values=WIDER)
    assert done["changed"]
    assert done["persisted"]
    assert values(host)["ip_local_port_range"] == "10240 65535"
    assert values(host)["ip_local_reserved_ports"] == "11211,30000-32767"
    host.run("sh", "-c", "echo 32768 60999 > /proc/sys/net/ipv4/ip_local_port_range")
    boot(host)
    assert host.sysctl("ip_local_port_range") == "10240 65535"


def test_reservations_come_before_the_range_grows_and_go_after_it_shrank(host: Host) -> None:
    names = [one["after_header"].split()[0] for one in settings(host, values=WIDER)["diff"]]
    assert names[:2] == ["net.ipv4.ip_local_reserved_ports", "net.ipv4.ip_local_port_range"]
    names = [one["after_header"].split()[0] for one in settings(host, state="absent", keys=list(WIDER))["diff"]]
    assert names[:2] == ["net.ipv4.ip_local_port_range", "net.ipv4.ip_local_reserved_ports"]


def test_a_list_longer_than_a_page_is_set_whole_and_survives_a_boot(host: Host) -> None:
    ports = ",".join(str(port) for port in range(20001, 60001, 2))
    four_times(host, values={"net.ipv4.ip_local_reserved_ports": ports})
    assert reserved(host) == ports
    host.run("sh", "-c", "echo > /proc/sys/net/ipv4/ip_local_reserved_ports")
    boot(host)
    assert reserved(host) == ports


def reserved(host: Host) -> str:
    """The kernel gives the list in one read only: what does not fit is lost."""
    return host.run("dd", "if=/proc/sys/net/ipv4/ip_local_reserved_ports", "bs=1M", "count=1", "status=none").strip()


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("/etc/sysctl.conf", "net.ipv4.tcp_tw_reuse = 0"),
        ("/etc/sysctl.conf", "net/ipv4/tcp_tw_reuse=0"),
        ("/etc/sysctl.d/zzz-hardening.conf", "-net.ipv4.tcp_tw_reuse = 0"),
        ("/usr/lib/sysctl.d/zzzz-vendor.conf", "net.ipv4.tcp_tw_reuse = 0"),
    ],
)
def test_a_later_line_of_somebody_else_does_not_win(host: Host, path: str, line: str) -> None:
    host.write(path, f"# kept\n{line}\nnet.ipv4.tcp_syn_retries = 5\n")
    done = four_times(host, values={"net.ipv4.tcp_tw_reuse": 1})
    assert done["after"]["net.ipv4.tcp_tw_reuse"]["running"] == "1"
    host.run("sh", "-c", "echo 2 > /proc/sys/net/ipv4/tcp_tw_reuse")
    boot(host)
    assert host.sysctl("tcp_tw_reuse") == "1"
    assert host.sysctl("tcp_syn_retries") == "5"
    if path.startswith("/usr/"):
        assert line in host.read(path).splitlines()


def test_conflicts_fail_changes_nothing_and_names_the_line(host: Host) -> None:
    host.write("/etc/sysctl.conf", "# a\nnet.ipv4.tcp_tw_reuse = 0\n")
    before = host.files()
    answer = settings(host, values={"net.ipv4.tcp_tw_reuse": 1}, conflicts="fail")
    assert answer["failed"]
    assert "/etc/sysctl.conf:2" in answer["msg"]
    assert host.files() == before
    assert host.sysctl("tcp_tw_reuse") == "0"


def test_conflicts_ignore_leaves_the_line_and_warns(host: Host) -> None:
    host.write("/etc/sysctl.conf", "net.ipv4.tcp_tw_reuse = 0\n")
    answer = settings(host, values={"net.ipv4.tcp_tw_reuse": 1}, conflicts="ignore")
    assert answer["changed"]
    assert "/etc/sysctl.conf:1" in str(answer["warnings"])
    assert host.read("/etc/sysctl.conf") == "net.ipv4.tcp_tw_reuse = 0\n"
    assert not settings(host, values={"net.ipv4.tcp_tw_reuse": 1}, conflicts="ignore")["changed"]


def test_absent_gives_what_the_rest_of_the_files_gives(host: Host) -> None:
    host.write("/etc/sysctl.d/10-mine.conf", "net.ipv4.tcp_tw_reuse = 0\n")
    settings(host, values={"net.ipv4.tcp_tw_reuse": 1, "net.ipv4.tcp_timestamps": 2})
    done = four_times(host, state="absent", keys=["net.ipv4.tcp_tw_reuse"])
    assert done["changed"]
    assert host.sysctl("tcp_tw_reuse") == "0"
    assert "tcp_tw_reuse" not in host.read(OURS)
    assert "net.ipv4.tcp_timestamps = 2" in host.read(OURS)


def test_absent_gives_the_kernels_own_value_where_no_file_does(made: Lab, host: Host) -> None:
    own = Host(made).sysctl("tcp_tw_reuse")
    before = host.files()
    settings(host, values={"net.ipv4.tcp_tw_reuse": 1})
    four_times(host, state="absent", keys=["net.ipv4.tcp_tw_reuse"])
    assert host.sysctl("tcp_tw_reuse") == own
    assert host.files() == before


def test_purged_leaves_no_loader_anything_to_complain_of(host: Host) -> None:
    lines = {
        "/etc/sysctl.conf": "net.ipv4.tcp_tw_recycle=1\nnet.ipv4.tcp_syn_retries = 5\n",
        "/etc/sysctl.d/10-guide.conf": "net/ipv4/tcp_tw_recycle = 1\n; kept\n",
        "/usr/lib/sysctl.d/50-vendor.conf": "net.ipv4.tcp_tw_recycle = 1\nnet.ipv4.tcp_synack_retries = 4\n",
    }
    for path, text in lines.items():
        host.write(path, text)
    assert "tcp_tw_recycle" in boot(host)
    reason = "gone since Linux 4.12"
    done = four_times(host, state="purged", values={"net.ipv4.tcp_tw_recycle": 0}, reason=reason)
    assert done["after"]["net.ipv4.tcp_tw_recycle"]["persisted"] is None
    assert "tcp_tw_recycle" not in boot(host)
    assert host.sysctl("tcp_syn_retries") == "5"
    assert host.sysctl("tcp_synack_retries") == "4"
    assert reason in host.read("/etc/sysctl.conf")
    assert host.read("/usr/lib/sysctl.d/50-vendor.conf") == lines["/usr/lib/sysctl.d/50-vendor.conf"]


def test_a_missing_sysctl_fails_or_is_skipped_and_written_nowhere(host: Host) -> None:
    wanted = {"net.ipv4.tcp_tw_timeout": 30, "net.ipv4.tcp_tw_reuse": 1}
    if os.path.exists("/proc/sys/net/ipv4/tcp_tw_timeout"):
        pytest.skip("this kernel has the sysctl of a vendor")
    before = host.files()
    for check in (True, False):
        assert "tcp_tw_timeout" in settings(host, values=wanted, check=check)["msg"]
    assert host.files() == before
    done = four_times(host, values=wanted, missing="skip")
    assert [one["key"] for one in done["skipped_keys"]] == ["net.ipv4.tcp_tw_timeout"]
    assert "tcp_tw_timeout" not in host.read(OURS)


def test_another_namespace_has_running_values_only(made: Lab, host: Host) -> None:
    other = Host(made, tcp_tw_reuse=0)
    before = host.files()
    path = f"/proc/{other.pid}/ns/net"
    done = four_times(host, values={"net.ipv4.tcp_tw_reuse": 1}, namespace=path)
    assert not done["persisted"]
    assert other.sysctl("tcp_tw_reuse") == "1"
    assert host.sysctl("tcp_tw_reuse") == "0"
    assert host.files() == before
    assert host.module("rollback", last=1)["changed"]
    assert other.sysctl("tcp_tw_reuse") == "0"
    nowhere = settings(host, values={"net.ipv4.tcp_tw_reuse": 1}, namespace="nowhere")
    assert "no such network namespace" in nowhere["msg"]


def test_rollback_gives_every_byte_back(host: Host) -> None:
    host.write("/etc/sysctl.conf", "net.ipv4.tcp_tw_reuse=0\r\n\tnet.ipv4.tcp_timestamps   =  1")
    host.run("chmod", "0640", "/etc/sysctl.conf")
    before = host.files(), values(host)
    settings(host, values={**WIDER, "net.ipv4.tcp_tw_reuse": 1})
    settings(host, state="purged", keys=["net.ipv4.tcp_timestamps"])
    settings(host, state="absent", keys=["net.ipv4.tcp_tw_reuse"])
    assert (host.files(), values(host)) != before
    assert host.module("rollback", all=True)["changed"]
    assert (host.files(), values(host)) == before


def test_a_killed_change_is_undone_before_the_next_is_planned(host: Host) -> None:
    """The killed one has made the line in sysctl.conf a comment: a plan made before the recovery would not see it."""
    host.write("/etc/sysctl.conf", "net.ipv4.tcp_tw_reuse = 0\n")
    script = (
        "import os, sys\n"
        "from ansible_collections.tcpops.timewait.plugins.module_utils._sysctl import change, request\n"
        "from ansible_collections.tcpops.timewait.plugins.module_utils._transaction import Journal\n"
        "change._verify = lambda asked: os.kill(os.getpid(), 9)\n"
        "keys, values = request.settle('present', {'net.ipv4.tcp_tw_reuse': 1}, [])\n"
        "change.change(request.Request('present', keys, values, 'comment', 'fail', '', True, None), Journal(), False)\n"
    )
    killed = ["env", f"PYTHONPATH={facts.COLLECTIONS}", "python3", "-c", script]
    with pytest.raises(Exception, match="SIGKILL"):
        host.run(*killed)
    assert host.read("/etc/sysctl.conf") != "net.ipv4.tcp_tw_reuse = 0\n"
    wanted = {"net.ipv4.tcp_timestamps": 2}
    foretold = settings(host, values=wanted, check=True)
    assert [one["action"] for one in foretold["recovered"]] == ["undone"]
    done = settings(host, values=wanted)
    assert done["diff"] == foretold["diff"]
    assert [one["action"] for one in done["recovered"]] == ["undone"]
    assert host.read("/etc/sysctl.conf") == "net.ipv4.tcp_tw_reuse = 0\n"
    assert values(host)["tcp_tw_reuse"] == "0"
    assert values(host)["tcp_timestamps"] == "2"


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"values": {"net.core.somaxconn": 1}}, "none of the sysctls that this collection sets"),
        ({"values": {"net.ipv4.tcp_tw_recycle": 1}}, "nothing but 0"),
        ({"values": {"net.ipv4.tcp_tw_reuse": "yes"}}, "no kernel takes this value"),
        ({"values": {"net.ipv4.tcp_tw_reuse": 9}}, "Invalid argument"),
        ({"values": {"net.ipv4.ip_local_port_range": "40000 40010"}}, "would take quadruplets away"),
        ({"values": {"net.ipv4.ip_local_reserved_ports": ""}}, "state: absent"),
        ({"values": {"net.ipv4.tcp_tw_reuse": 1, "net/ipv4/tcp_tw_reuse": 1}}, "two spellings"),
        ({"keys": ["net.ipv4.tcp_tw_reuse"]}, "give the sysctls that are to be present in values"),
        ({"values": {"net.ipv4.tcp_tw_reuse": 1}, "state": "absent"}, "give the sysctls that are to be absent in keys"),
        ({}, "neither values nor keys"),
        ({"values": {"net.ipv4.tcp_tw_reuse": 1}, "journal_keep": -1}, "journal_keep is -1"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(host: Host, options: dict[str, Any], told: str) -> None:
    before = host.files(), values(host)
    answer = settings(host, **options)
    assert answer["failed"]
    assert told in answer["msg"]
    assert "\n" not in answer["msg"]
    assert (host.files(), values(host)) == before


def test_without_root_nothing_is_changed(host: Host) -> None:
    before = host.files()
    answer = settings(host, *UNPRIVILEGED, values={"net.ipv4.tcp_tw_reuse": 1})
    assert "run as root" in answer["msg"]
    assert host.files() == before


@pytest.mark.parametrize("check", [True, False])
def test_read_only_sysctls_change_nothing(host: Host, check: bool) -> None:
    """Check mode refuses it too, and the journal is not begun."""
    before = host.files(), journal(host)
    read_only = ("unshare", "--mount", "sh", "-c", 'mount -o bind,ro /proc/sys /proc/sys && exec "$@"', "sh")
    answer = settings(host, *read_only, check=check, values={"net.ipv4.tcp_tw_reuse": 1})
    assert "Read-only" in answer["msg"]
    assert (host.files(), journal(host)) == before
    assert host.sysctl("tcp_tw_reuse") == "0"


def test_a_file_that_cannot_be_read_promises_nothing(host: Host) -> None:
    host.run("mkdir", "/etc/sysctl.d/60-folder.conf")
    answer = settings(host, values={"net.ipv4.tcp_tw_reuse": 1})
    assert "/etc/sysctl.d/60-folder.conf" in answer["msg"]
    assert host.sysctl("tcp_tw_reuse") == "0"


def test_scripts_are_told_and_left(host: Host) -> None:
    host.write("/etc/rc.local", "#!/bin/sh\necho 0 > /proc/sys/net/ipv4/tcp_tw_reuse\n")
    answer = settings(host, values={"net.ipv4.tcp_tw_reuse": 1})
    assert [(one["path"], one["line"], one["value"]) for one in answer["scripts"]] == [("/etc/rc.local", 2, "0")]
    assert "/etc/rc.local:2" in str(answer["warnings"])
    assert host.read("/etc/rc.local").endswith("tcp_tw_reuse\n")
