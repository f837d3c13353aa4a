# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From what is asked for, and a made-up host, to the steps of a transaction."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.tcpops.timewait.plugins.module_utils._sysctl import keys, request, settings
from ansible_collections.tcpops.timewait.plugins.module_utils._sysctl.errors import RequestError
from ansible_collections.tcpops.timewait.plugins.module_utils._transaction.steps import RemoveFile, SetSysctl, WriteFile
from support.sysctl_host import PROCPS_4, SYSTEMD, TUNED, make

RANGE, RESERVED = "net/ipv4/ip_local_port_range", "net/ipv4/ip_local_reserved_ports"
REUSE, RECYCLE, FIN = "net/ipv4/tcp_tw_reuse", "net/ipv4/tcp_tw_recycle", "net/ipv4/tcp_fin_timeout"
OURS = "/etc/sysctl.d/zz-tcpops-timewait.conf"
RUNNING = {RANGE: "32768 60999", RESERVED: "", REUSE: "2", RECYCLE: None, FIN: "60"}


def host(files, running=None, defaults=None):
    return settings.Host(files, {**RUNNING, **(running or {})}, lambda wanted: defaults or {}, "2026-11-22")


def ask(state="present", values=None, named=(), **options):
    paths, settled = request.settle(state, values or {}, named)
    given = {"conflicts": "comment", "missing": "fail", "reason": "why", "persist": True, "namespace": None, **options}
    return request.Request(state, paths, settled, **given)


def running(plan):
    return [(step.key_path, step.value) for step in plan.steps if isinstance(step, SetSysctl)]


def written(plan):
    return {step.path: step.content.decode() for step in plan.steps if isinstance(step, WriteFile)}


@pytest.fixture
def clean(tmp_path):
    return make(tmp_path, SYSTEMD, PROCPS_4)


@pytest.mark.parametrize(
    ("given", "settled"),
    [
        ({"net.ipv4.tcp_tw_reuse": 1}, {REUSE: "1"}),
        ({"net/ipv4/tcp_tw_reuse": True}, {REUSE: "1"}),
        ({"net.ipv4.ip_local_port_range": " 10240\t65535 "}, {RANGE: "10240 65535"}),
        ({"net.ipv4.ip_local_port_range": [10240, 65535]}, {RANGE: "10240 65535"}),
        ({"net.ipv4.ip_local_reserved_ports": [8081, "8080", "8082-8090"]}, {RESERVED: "8080-8090"}),
        ({"net.ipv4.ip_local_reserved_ports": 8080}, {RESERVED: "8080"}),
    ],
)
def test_values_are_settled_as_the_kernel_shows_them(given, settled):
    assert dict(request.settle("present", given, [])[1]) == settled


@pytest.mark.parametrize(
    ("values", "order"),
    [
        ({RANGE: "10240 65535", RESERVED: "11211"}, [RESERVED, RANGE]),
        ({RANGE: "33000 65535", RESERVED: "61000"}, [RESERVED, RANGE]),
        ({RESERVED: "40000", REUSE: 1}, [RESERVED, REUSE]),
    ],
)
def test_what_is_reserved_is_reserved_before_the_range_gets_there(clean, values, order):
    plan = settings.plan(ask(values=values), host(clean))
    assert [key for key, _value in running(plan)] == order
    assert isinstance(plan.steps[-1], WriteFile)


def test_a_range_that_shrinks_does_so_before_its_reservations_go(clean):
    wide = {RANGE: "10240 65535", RESERVED: "11211"}
    own = {RANGE: "32768 60999", RESERVED: ""}
    plan = settings.plan(ask("absent", named=list(wide)), host(clean, wide, own))
    assert running(plan) == [(RANGE, "32768 60999"), (RESERVED, "")]


def test_a_namespace_gets_running_values_and_no_file(clean):
    plan = settings.plan(ask(values={REUSE: 1}, namespace="/run/netns/blue"), host(clean))
    assert plan.steps == [SetSysctl(REUSE, "1", "/run/netns/blue")]


def test_without_persistence_there_is_no_file(clean):
    assert settings.plan(ask(values={REUSE: 1}, persist=False), host(clean)).steps == [SetSysctl(REUSE, "1", None)]


def test_a_key_that_the_kernel_lacks_is_refused_or_written_nowhere(clean):
    with pytest.raises(RequestError, match=r"tcp_tw_recycle.*missing: skip"):
        settings.plan(ask(values={RECYCLE: 0}), host(clean))
    plan = settings.plan(ask(values={RECYCLE: 0, REUSE: 1}, missing="skip"), host(clean))
    assert [key for key, _why in plan.skipped] == [RECYCLE]
    assert running(plan) == [(REUSE, "1")]
    assert "recycle" not in "".join(written(plan).values())


@pytest.mark.parametrize("wanted", ["32768 60998", "40000 50000", "1024 20000"])
def test_no_range_has_fewer_ports_than_the_running_one(clean, wanted):
    with pytest.raises(RequestError, match="fewer ports"):
        settings.plan(ask(values={RANGE: wanted}), host(clean))
    with pytest.raises(RequestError, match="fewer ports"):
        settings.plan(ask("purged", values={RANGE: wanted}), host(clean))


def test_absent_takes_the_value_of_the_last_loader_at_boot(tmp_path):
    files = make(
        tmp_path,
        SYSTEMD,
        TUNED,
        {
            OURS: "net.ipv4.tcp_tw_reuse = 1\nnet.ipv4.tcp_fin_timeout = 30\n",
            "/etc/sysctl.d/10-a.conf": "net.ipv4.tcp_tw_reuse = 2\n",
            "/etc/tuned/mine/tuned.conf": "[sysctl]\nnet.ipv4.tcp_tw_reuse=0\n",
            "/etc/tuned/tuned-main.conf": "reapply_sysctl = 0\n",
            "/usr/lib/systemd/system/tuned.service": "",
            "/etc/systemd/system/multi-user.target.wants/tuned.service": Path("/usr/lib/systemd/system/tuned.service"),
        },
    )
    plan = settings.plan(ask("absent", named=[REUSE]), host(files, {REUSE: "1", FIN: "30"}))
    assert running(plan) == [(REUSE, "0")]
    assert "tcp_fin_timeout = 30" in written(plan)[OURS]
    assert "tcp_tw_reuse" not in written(plan)[OURS]


def test_absent_takes_the_kernels_own_value_or_says_that_it_cannot(tmp_path):
    files = make(tmp_path, SYSTEMD, {OURS: "net.ipv4.tcp_tw_reuse = 1\n"})
    plan = settings.plan(ask("absent", named=[REUSE]), host(files, {REUSE: "1"}, {REUSE: "2"}))
    assert running(plan) == [(REUSE, "2")]
    assert [step.path for step in plan.steps if isinstance(step, RemoveFile)] == [OURS]
    plan = settings.plan(ask("absent", named=[REUSE]), host(files, {REUSE: "1"}, {REUSE: None}))
    assert running(plan) == []
    assert "stays 1" in plan.warnings[0]


def test_purged_wants_no_key_of_the_kernel(tmp_path):
    files = make(tmp_path, SYSTEMD, PROCPS_4, {"/etc/sysctl.conf": "net.ipv4.tcp_tw_recycle=1\n"})
    plan = settings.plan(ask("purged", values={RECYCLE: 0}), host(files))
    assert running(plan) == []
    assert written(plan)["/etc/sysctl.conf"].splitlines()[1] == "#net.ipv4.tcp_tw_recycle=1"
    assert "2026-11-22" in written(plan)["/etc/sysctl.conf"] and "why" in written(plan)["/etc/sysctl.conf"]
    plan = settings.plan(ask("purged", values={RECYCLE: 0}), host(files, {RECYCLE: "1"}))
    assert running(plan) == [(RECYCLE, "0")]


def test_purged_with_conflicts_fail_touches_no_line(tmp_path):
    files = make(tmp_path, SYSTEMD, PROCPS_4, {"/etc/sysctl.conf": "net.ipv4.tcp_tw_recycle=1\n"})
    with pytest.raises(RequestError, match=r"/etc/sysctl.conf:1 sets net.ipv4.tcp_tw_recycle"):
        settings.plan(ask("purged", named=[RECYCLE], conflicts="fail"), host(files))


def test_a_line_that_no_comment_takes_out_is_refused_unless_ignored(tmp_path):
    profile = {"/usr/lib/tuned/mine/tuned.conf": "[sysctl]\nnet.ipv4.tcp_tw_reuse=0\n"}
    files = make(tmp_path, SYSTEMD, TUNED, profile, {"/etc/tuned/tuned-main.conf": "reapply_sysctl = 0\n"})
    with pytest.raises(RequestError, match=r"/usr/lib/tuned/mine/tuned.conf:2 .*conflicts: ignore"):
        settings.plan(ask(values={REUSE: 1}), host(files))
    plan = settings.plan(ask(values={REUSE: 1}, conflicts="ignore"), host(files))
    assert running(plan) == [(REUSE, "1")]
    assert "/usr/lib/tuned/mine/tuned.conf:2" in plan.warnings[0]


@pytest.mark.parametrize(
    ("asked", "line"),
    [(ask(values={REUSE: 1}), "net.ipv4.tcp_tw_reuse=0"), (ask("purged", named=[REUSE]), "net.ipv4.tcp_tw_reuse=0")],
)
def test_a_tuned_that_runs_holds_the_line_that_goes(tmp_path, asked, line):
    profile = {
        "/etc/tuned/mine/tuned.conf": f"[sysctl]\n{line}\n",
        # else it applies our drop-in after its profile, and the line may stay
        "/etc/tuned/tuned-main.conf": "reapply_sysctl = 0\n",
    }
    plan = settings.plan(asked, host(make(tmp_path, SYSTEMD, TUNED, profile)))
    assert f"#{line}" in written(plan)["/etc/tuned/mine/tuned.conf"]
    assert len(plan.warnings) == 1
    assert plan.warnings[0].startswith("/etc/tuned/mine/tuned.conf:2: a TuneD that runs")
    clean = settings.plan(asked, host(make(tmp_path / "other", SYSTEMD, TUNED, {"/etc/tuned/mine/tuned.conf": ""})))
    assert clean.warnings == []


@pytest.mark.parametrize("state", ["present", "absent", "purged"])
def test_only_our_keys(state):
    with pytest.raises(RequestError, match="none of the sysctls"):
        if state == "absent":
            request.settle(state, {}, ["net.core.somaxconn"])
        else:
            request.settle(state, {"kernel.core_pattern": "x"}, [])


def test_every_one_of_our_keys_is_below_net():
    assert all(key.startswith("net/") for key in keys.OURS)
