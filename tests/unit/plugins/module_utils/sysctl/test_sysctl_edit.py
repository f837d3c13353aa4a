# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What has to change so that a value wins everywhere, and that it then does."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.tcpops.timewait.plugins.module_utils._sysctl import comment, drop_in, edit
from ansible_collections.tcpops.timewait.plugins.module_utils._sysctl.errors import FileReadError
from support.sysctl_host import ALL, PROCPS_3, PROCPS_4, SYSTEMD, TUNED, UFW, make

REUSE, FIN = "net/ipv4/tcp_tw_reuse", "net/ipv4/tcp_fin_timeout"
OURS = "/etc/sysctl.d/zz-tcpops-timewait.conf"
STYLE = edit.Style("made by tcpops.timewait", "2026-11-22")
WHY = b"# tcpops.timewait 2026-11-22: "


def planned(files, wanted=None, **options):
    """The plan, and the value of each loader after it."""
    wanted = {REUSE: "1"} if wanted is None else wanted
    plan = edit.plan(files, wanted, ALL.present, STYLE._replace(**options))
    after = edit.winner_after(files, plan.edits, ALL)
    return plan, {loader: {key: one.value for key, one in outcomes.items()} for loader, outcomes in after.items()}


def test_a_clean_host_gets_one_file(tmp_path):
    plan, after = planned(make(tmp_path, SYSTEMD, PROCPS_4))
    assert plan.edits == {OURS: b"# made by tcpops.timewait\nnet.ipv4.tcp_tw_reuse = 1\n"}
    assert after == {"systemd-sysctl": {REUSE: "1"}, "procps": {REUSE: "1"}}
    assert plan.left == plan.solved == []


def test_the_second_plan_has_nothing_to_do(tmp_path):
    files = make(tmp_path, SYSTEMD, PROCPS_4, {"/etc/sysctl.conf": f"{FIN}=31\n{REUSE}=0\n"})
    first, _after = planned(files)
    for path, content in first.edits.items():
        (tmp_path / path.lstrip("/")).parent.mkdir(exist_ok=True)
        (tmp_path / path.lstrip("/")).write_bytes(content)
    assert first.edits
    assert planned(files)[0].edits == {}


@pytest.mark.parametrize("procps", (PROCPS_3, PROCPS_4))
def test_sysctl_conf_is_read_last_and_so_its_line_goes(tmp_path, procps):
    text = b"# mine\nnet.ipv4.tcp_tw_reuse = 2\r\nkernel.x = 1\nnet/ipv4/tcp_tw_reuse=0"
    plan, after = planned(make(tmp_path, SYSTEMD, procps, {"/etc/sysctl.conf": text}))
    assert after == {"systemd-sysctl": {REUSE: "1"}, "procps": {REUSE: "1"}}
    lines = plan.edits["/etc/sysctl.conf"].split(b"\n")
    assert [line for line in lines if not line.startswith(WHY)] == [
        b"# mine", b"#net.ipv4.tcp_tw_reuse = 2\r", b"kernel.x = 1", b"#net/ipv4/tcp_tw_reuse=0",
    ]  # fmt: skip
    assert len(plan.solved) == 2 and plan.left == []
    assert [line.endswith(b"\r") for line in lines if line.startswith(WHY)] == [True, False]


def test_sysctl_conf_behind_a_link_is_edited_where_it_is(tmp_path):
    files = make(tmp_path, SYSTEMD, PROCPS_4, {
        "/etc/sysctl.conf": f"{REUSE}=2\n",
        "/etc/sysctl.d/zzz.conf": Path("../sysctl.conf"),
    })  # fmt: skip
    plan, after = planned(files)
    assert set(plan.edits) == {"/etc/sysctl.conf", "/etc/sysctl.d/zzzz-tcpops-timewait.conf"}
    assert {one[REUSE] for one in after.values()} == {"1"}


def test_a_later_name_of_somebody_else_is_outdone_by_ours_and_not_edited(tmp_path):
    files = make(tmp_path, SYSTEMD, PROCPS_4, {"/usr/lib/sysctl.d/zzz-vendor.conf": f"{REUSE}=0\n"})
    plan, after = planned(files)
    assert set(plan.edits) == {"/etc/sysctl.d/zzzz-tcpops-timewait.conf"}
    assert {one[REUSE] for one in after.values()} == {"1"}


def test_our_file_moves_with_its_values_when_a_later_name_appears(tmp_path):
    files = make(tmp_path, SYSTEMD, {OURS: "net.ipv4.tcp_fin_timeout = 31\n", "/etc/sysctl.d/zzz.conf": f"{FIN}=32\n"})
    plan, after = planned(files)
    assert plan.edits[OURS] is None
    assert after == {"systemd-sysctl": {REUSE: "1", FIN: "31"}}


def test_an_exception_in_our_own_file_gives_way_to_the_value(tmp_path):
    files = make(tmp_path, SYSTEMD, {OURS: "-net.ipv4.tcp_tw_reuse\n", "/etc/sysctl.d/a.conf": f"-{REUSE}\n"})
    plan, after = planned(files)
    assert after == {"systemd-sysctl": {REUSE: "1"}} and set(plan.edits) == {OURS}


def test_ufw_is_edited(tmp_path):
    files = make(tmp_path, SYSTEMD, PROCPS_4, UFW, {"/etc/ufw/sysctl.conf": "net/ipv4/tcp_tw_reuse=0\n#x\n"})
    plan, after = planned(files)
    assert plan.edits["/etc/ufw/sysctl.conf"].endswith(b"\n#net/ipv4/tcp_tw_reuse=0\n#x\n")
    assert after["ufw"] == {}


@pytest.mark.parametrize(("reapply", "edited"), (("1", False), ("0", True)))
def test_a_profile_matters_only_where_the_system_is_not_applied_again(tmp_path, reapply, edited):
    profile = "/etc/tuned/mine/tuned.conf"
    files = make(tmp_path, SYSTEMD, TUNED, {
        "/etc/tuned/tuned-main.conf": f"reapply_sysctl = {reapply}\n",
        profile: "[main]\nsummary=x\n[sysctl]\nnet.ipv4.tcp_tw_reuse=0\nvm.swappiness=1\n",
    })  # fmt: skip
    plan, after = planned(files)
    assert (profile in plan.edits) == edited
    assert after["tuned"].get(REUSE, "1") == "1" and plan.left == []


def test_a_profile_of_a_package_is_left_and_told(tmp_path):
    files = make(tmp_path, SYSTEMD, TUNED, {
        "/etc/tuned/tuned-main.conf": "reapply_sysctl = 0\n",
        "/usr/lib/tuned/mine/tuned.conf": "[sysctl]\nnet.ipv4.tcp_tw_reuse=0\n",
    })  # fmt: skip
    plan, after = planned(files)
    assert set(plan.edits) == {OURS} and after["tuned"] == {REUSE: "0"}
    (left,) = plan.left
    assert (left.loader, left.statement.line, left.key) == ("tuned", 2, REUSE) and "package" in left.left


def test_others_are_only_told_of_when_that_is_asked(tmp_path):
    files = make(tmp_path, SYSTEMD, PROCPS_3, {"/etc/sysctl.conf": f"{REUSE}=2\n"})
    plan, after = planned(files, comment_out=False)
    assert set(plan.edits) == {OURS} and after["procps"] == {REUSE: "2"}
    assert [(one.statement.path, one.statement.line) for one in plan.left] == [("/etc/sysctl.conf", 1)]


def test_a_key_taken_away_leaves_the_others_of_our_file(tmp_path):
    files = make(tmp_path, SYSTEMD, {OURS: "# x\nnet.ipv4.tcp_fin_timeout = 31\nnet.ipv4.tcp_tw_reuse = 1\n"})
    assert planned(files, {REUSE: None})[1] == {"systemd-sysctl": {FIN: "31"}}
    assert planned(files, {REUSE: None, FIN: None})[0].edits == {OURS: None}


def test_a_value_that_the_kernel_refuses_is_no_plan(tmp_path):
    with pytest.raises(ValueError, match="refuses"):
        planned(make(tmp_path, SYSTEMD), {REUSE: "yes"})


def test_a_file_that_cannot_be_read_is_no_plan(tmp_path):
    files = make(tmp_path, SYSTEMD, {"/etc/sysctl.d/odd.conf": None})
    with pytest.raises(FileReadError, match=r"odd\.conf"):
        planned(files)


def test_removing_a_key_takes_it_out_of_every_loader(tmp_path):
    recycle = "net/ipv4/tcp_tw_recycle"
    files = make(tmp_path, SYSTEMD, PROCPS_3, UFW, TUNED, {
        OURS: "net.ipv4.tcp_tw_recycle = 0\n",
        "/etc/sysctl.conf": "net.ipv4.tcp_tw_recycle=1\nx.y=1\n",
        "/usr/lib/sysctl.d/10-vendor.conf": "# v\n-net.ipv4.tcp_tw_recycle=1\nx.y=2\n",
        "/etc/ufw/sysctl.conf": "net/ipv4/tcp_tw_recycle=1\n",
        "/etc/tuned/mine/tuned.conf": "[sysctl]\nnet.ipv4.tcp_tw_recycle=1\n",
    })  # fmt: skip
    plan = edit.remove_key(files, recycle, "gone since Linux 4.12", "2026-11-22")
    assert all(recycle not in outcomes for outcomes in edit.winner_after(files, plan.edits, ALL).values())
    assert plan.left == [] and plan.edits[OURS] is None
    assert plan.edits["/etc/sysctl.d/10-vendor.conf"] == (
        b"# v\n" + WHY + b"gone since Linux 4.12\n#-net.ipv4.tcp_tw_recycle=1\nx.y=2\n"
    )


def test_commenting_keeps_every_other_byte():
    data = b"\xef\xbb\xbfa\r\n\0b\r\nc \xff\n\nd"
    done = comment.comment_line(data, 3, "so\nit is", "2026-11-22")
    assert done == b"\xef\xbb\xbfa\r\n\0b\r\n" + WHY + b"so it is\n#c \xff\n\nd"
    with pytest.raises(comment.NoSuchLineError):
        comment.comment_line(data, 6, "x", "2026-11-22")


@pytest.mark.parametrize("value", ("", "1\n2", "a  b", "é", " 1"))
def test_what_is_no_plain_value_is_not_rendered(value):
    with pytest.raises(ValueError, match="no value"):
        drop_in.render({REUSE: value}, "")


@pytest.mark.parametrize("key", ("net.ipv4.tcp_tw_reuse", "net/ipv4/*", "x y", "net/ipv4/conf/eth0.1/rp_filter"))
def test_what_is_no_plain_key_is_not_rendered(key):
    with pytest.raises(ValueError, match="no key"):
        drop_in.render({key: "1"}, "")
