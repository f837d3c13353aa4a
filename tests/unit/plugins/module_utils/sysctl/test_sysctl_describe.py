# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the facts say of a host's sysctl files: winners, losers, agreement, drift and scripts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from ansible_collections.tcpops.timewait.plugins.module_utils._kernel import sysctls
from ansible_collections.tcpops.timewait.plugins.module_utils._sysctl import describe
from ansible_collections.tcpops.timewait.plugins.module_utils._sysctl.errors import FileReadError
from ansible_collections.tcpops.timewait.plugins.module_utils._sysctl.files import Files
from support.facts_factory import make_sysctls
from support.sysctl_host import PROCPS_3, PROCPS_4, SYSTEMD, TUNED, UFW, make

REUSE, FIN = "net.ipv4.tcp_tw_reuse", "net.ipv4.tcp_fin_timeout"


def described(root, *parts, **running):
    facts, problems = describe.describe(make(root, *parts), make_sysctls(**running))
    json.dumps(facts)
    return facts["sysctl_files"], facts["sysctl_persisted"], problems


def test_every_line_is_told_with_its_loader_and_whether_it_wins(tmp_path):
    lines, summary, problems = described(tmp_path, SYSTEMD, PROCPS_3, {
        "/etc/sysctl.conf": f"# x\n{REUSE} = 2\n",
        "/etc/sysctl.d/10-a.conf": f"{REUSE}=0\nkernel.x=1\n-net/ipv4/tcp_tw_reuse = 1\n",
    }, tcp_tw_reuse=1)  # fmt: skip
    assert problems == []
    assert [(one["loader"], Path(one["path"]).name, one["line"], one["value"], one["wins"]) for one in lines] == [
        ("systemd-sysctl", "10-a.conf", 1, "0", False),
        ("systemd-sysctl", "10-a.conf", 3, "1", True),
        ("procps", "10-a.conf", 1, "0", False),
        ("procps", "10-a.conf", 3, "1", False),
        ("procps", "sysctl.conf", 2, "2", True),
    ]
    assert {one["key"] for one in lines} == {REUSE}
    key = summary["keys"][REUSE]
    assert (key["agree"], key["persisted"], key["persisted_by"], key["drift"]) == (False, "1", "systemd-sysctl", False)
    assert key["loaders"]["procps"]["winner"] == {"path": "/etc/sysctl.conf", "line": 2, "value": "2"}
    assert [(one["name"], one["at_boot"], one["complete"]) for one in summary["loaders"]] == [
        ("systemd-sysctl", True, True),
        ("procps", False, True),
    ]


@pytest.mark.parametrize(
    ("value", "running", "drift"),
    (
        ("0x1", 1, False),
        ("1", 2, True),
        ("1 # why", 1, False),
        ("7", 2, None),  # some kernels take it
        ("yes", 2, None),
        ("", 2, None),
    ),
)
def test_drift_is_told_by_what_the_kernel_would_show(tmp_path, value, running, drift):
    _lines, summary, _problems = described(
        tmp_path, SYSTEMD, {"/etc/sysctl.d/a.conf": f"{REUSE}={value}\n"}, tcp_tw_reuse=running
    )
    assert summary["keys"][REUSE]["drift"] is drift


@pytest.mark.parametrize(
    ("key", "value", "running", "drift"),
    (
        ("net.ipv4.ip_local_port_range", "20000\t30001", "20000 30001", False),
        ("net.ipv4.ip_local_port_range", "20000 30001", "20000 30003", True),
        ("net.ipv4.ip_local_port_range", "20000", "20000 60999", None),
        ("net.ipv4.ip_local_reserved_ports", "81,80,82,9000", "80-82,9000", False),
        ("net.ipv4.ip_local_reserved_ports", "81", 80, True),
        ("net.ipv4.ip_local_reserved_ports", "", "", False),
    ),
)
def test_ports_are_compared_as_ports(tmp_path, key, value, running, drift):
    name = key.rpartition(".")[2]
    facts, _problems = describe.describe(
        make(tmp_path, SYSTEMD, {"/etc/sysctl.d/a.conf": f"{key}={value}\n"}), {name: running}
    )
    assert facts["sysctl_persisted"]["keys"][key]["drift"] is drift


@pytest.mark.parametrize(
    ("files", "agree"),
    (
        ({"/etc/sysctl.d/a.conf": f"{FIN}=31\n"}, True),
        ({"/etc/sysctl.conf": f"{FIN}=31\n"}, False),  # systemd-sysctl does not read it
        ({"/etc/sysctl.conf": f"{FIN}=31\n", "/etc/sysctl.d/99-sysctl.conf": Path("../sysctl.conf")}, True),
        ({"/etc/ufw/sysctl.conf": "net/ipv4/tcp_fin_timeout=31\n"}, True),
        ({"/etc/ufw/sysctl.conf": "net/ipv4/tcp_fin_timeout=32\n", "/etc/sysctl.d/a.conf": f"{FIN}=31\n"}, False),
        ({"/etc/sysctl.d/a.conf": f"{FIN}=31\nnet.ipv4.tcp_fin_*=32\n"}, True),
        ({"/etc/sysctl.d/a.conf": f"{FIN}=31\n-{FIN}\n"}, False),  # procps writes it all the same
    ),
)
def test_loaders_agree_when_they_leave_the_same(tmp_path, files, agree):
    _lines, summary, problems = described(tmp_path, SYSTEMD, PROCPS_4, UFW, files)
    assert problems == [] or "ufw" in problems[0]["reason"]
    assert summary["keys"][FIN]["agree"] is agree


def test_the_last_loader_of_the_boot_decides_what_is_persisted(tmp_path):
    _lines, summary, _problems = described(tmp_path, SYSTEMD, PROCPS_4, UFW, TUNED, {
        "/etc/sysctl.conf": f"{FIN}=30\n",
        "/usr/lib/sysctl.d/a.conf": f"{FIN}=31\n",
        "/etc/ufw/sysctl.conf": "net/ipv4/tcp_fin_timeout=32\n",
        "/etc/tuned/tuned-main.conf": "reapply_sysctl=0\n",
        "/usr/lib/tuned/base/tuned.conf": "[sysctl]\nnet.ipv4.tcp_fin_timeout=33\nnet.ipv4.tcp_tw_reuse=1\n",
        "/etc/tuned/mine/tuned.conf": "[main]\ninclude=base\n[sysctl]\nnet.ipv4.tcp_fin_timeout = 34 # x\n",
        "/usr/lib/systemd/system/tuned.service": "",
        "/etc/systemd/system/multi-user.target.wants/tuned.service": Path("/usr/lib/systemd/system/tuned.service"),
    })  # fmt: skip
    key = summary["keys"][FIN]
    assert (key["persisted"], key["persisted_by"]) == ("34", "tuned")
    assert {loader: one["value"] for loader, one in key["loaders"].items()} == {
        "systemd-sysctl": "31", "procps": "30", "ufw": "32", "tuned": "34",
    }  # fmt: skip
    assert summary["keys"][REUSE]["persisted"] == "1"


def test_a_masked_unit_does_not_run_at_boot(tmp_path):
    mask = {"/etc/systemd/system/systemd-sysctl.service": Path("/dev/null")}
    _lines, summary, _problems = described(tmp_path, SYSTEMD, mask, {"/etc/sysctl.d/a.conf": f"{FIN}=31\n"})
    assert summary["loaders"][0]["at_boot"] is False
    assert summary["keys"][FIN]["persisted"] is None


def test_a_profile_by_variables_is_not_sure(tmp_path):
    _lines, summary, _problems = described(tmp_path, TUNED, {
        "/etc/tuned/mine/tuned.conf": "[variables]\nx=31\n[sysctl]\nnet.ipv4.tcp_fin_timeout=${x}\n",
    })  # fmt: skip
    assert summary["keys"][FIN]["loaders"]["tuned"]["sure"] is False
    assert summary["keys"][FIN]["drift"] is None


@pytest.mark.parametrize(
    ("parts", "word"),
    (
        ({"/etc/tuned/active_profile": "none\n"}, "profile none"),
        ({"/etc/tuned/mine/tuned.conf": "[sysctl]\nnothing\n"}, "would not load"),
        ({"/etc/tuned/mine/tuned.conf": "[main]\ninclude=${x}\n"}, "variable"),
        ({"/etc/tuned/mine/tuned.conf": "[main]\ninclude=mine\n"}, ""),
    ),
)
def test_what_tuned_cannot_be_followed_in_is_told(tmp_path, parts, word):
    _lines, _summary, problems = described(tmp_path, TUNED, parts)
    assert word in " ".join(problem["reason"] for problem in problems)
    assert bool(problems) == bool(word)


@pytest.mark.parametrize(
    ("settings", "read"),
    (
        ("IPT_SYSCTL=/etc/ufw/sysctl.conf", True),
        ('IPT_SYSCTL="/etc/ufw/sysctl.conf" # mine', True),
        ("IPT_SYSCTL=", False),
        ("#IPT_SYSCTL=/etc/ufw/sysctl.conf", False),
        ("IPT_SYSCTL=$HOME/x", None),
    ),
)
def test_ufw_reads_the_file_that_its_settings_name(tmp_path, settings, read):
    lines, _summary, problems = described(tmp_path, PROCPS_4, UFW, {
        "/etc/default/ufw": settings + "\n", "/etc/ufw/sysctl.conf": "net/ipv4/tcp_fin_timeout=31\n",
    })  # fmt: skip
    assert [one["loader"] for one in lines] == (["ufw"] if read else [])
    assert bool(problems) == (read is None)


def test_ufw_that_is_not_enabled_loads_nothing(tmp_path):
    lines, summary, _problems = described(tmp_path, PROCPS_4, UFW, {
        "/etc/ufw/ufw.conf": "ENABLED=no\n", "/etc/ufw/sysctl.conf": "net/ipv4/tcp_fin_timeout=31\n",
    })  # fmt: skip
    assert lines == [] and [one["name"] for one in summary["loaders"]] == ["procps"]


class Unreadable(Files):
    """Root reads everything, and so would the tests: files that only root may read, to somebody else."""

    def read(self, path, *most):
        if path.endswith("secret.conf"):
            raise FileReadError(path, "not permitted: run as root")
        return super().read(path, *most)


def test_a_file_that_cannot_be_read_is_told_and_nothing_is_sure(tmp_path):
    make(tmp_path, SYSTEMD, {"/etc/sysctl.d/secret.conf": f"{FIN}=31\n", "/etc/sysctl.d/a.conf": f"{FIN}=32\n"})
    facts, problems = describe.describe(Unreadable(str(tmp_path)), make_sysctls())
    assert problems == [{
        "what": "sysctl_files",
        "reason": "systemd-sysctl: /etc/sysctl.d/secret.conf: not permitted: run as root",
    }]  # fmt: skip
    key = facts["sysctl_persisted"]["keys"][FIN]
    assert (key["drift"], key["agree"]) == (None, None)
    assert key["loaders"]["systemd-sysctl"]["sure"] is False
    assert facts["sysctl_persisted"]["loaders"][0]["complete"] is False


def test_links_in_a_circle_and_pipes_are_told_and_stop_nothing(tmp_path):
    import os

    files = make(tmp_path, SYSTEMD, {
        "/etc/sysctl.d/a.conf": Path("b.conf"), "/etc/sysctl.d/b.conf": Path("a.conf"),
        "/etc/sysctl.d/z.conf": f"{FIN}=31\n", "/etc/cron.d/loop": Path("loop"),
    })  # fmt: skip
    os.mkfifo(tmp_path / "etc/sysctl.d/pipe.conf")
    facts, problems = describe.describe(files, make_sysctls())
    assert [one["value"] for one in facts["sysctl_files"]] == ["31"]
    told = " ".join(problem["reason"] for problem in problems)
    assert "circle" in told and "pipe.conf" in told


def test_a_key_that_the_kernel_lacks_is_told_as_such(tmp_path):
    _lines, summary, _problems = described(tmp_path, SYSTEMD, {
        "/etc/sysctl.d/a.conf": "net.ipv4.tcp_tw_recycle=1\n"
    })  # fmt: skip
    key = summary["keys"]["net.ipv4.tcp_tw_recycle"]
    assert (key["in_kernel"], key["persisted"], key["running"], key["drift"]) == (False, "1", None, None)


def test_every_key_of_the_facts_is_followed(tmp_path):
    text = "".join(f"{path[len('/proc/sys/'):]}=1\n" for path in sysctls.FILES.values())
    lines, summary, _problems = described(tmp_path, SYSTEMD, {"/etc/sysctl.d/a.conf": text})
    assert len(lines) == len(sysctls.FILES) == len(summary["keys"])
