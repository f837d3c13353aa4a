# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which line wins, by loader: what the programs did when tests/integration/test_sysctl_precedence.py asked them."""

from __future__ import annotations

from pathlib import Path

import hypothesis
import pytest
from ansible_collections.tcpops.timewait.plugins.module_utils._sysctl import dialects, keys, loaders, precedence, values
from hypothesis import strategies
from support.sysctl_host import ALL, PROCPS_3, PROCPS_4, SYSTEMD, TUNED, make

FIN, REUSE, BACKLOG = "net/ipv4/tcp_fin_timeout", "net/ipv4/tcp_tw_reuse", "net/ipv4/tcp_max_syn_backlog"
OLD_SYSTEMD = {"/usr/lib/systemd/systemd-sysctl": "no patterns yet"}


def left(root, *parts):
    """The value that each loader leaves for tcp_fin_timeout, and whether that is sure."""
    found = {}
    for reading in loaders.read_all(make(root, *parts)):
        outcome = precedence.outcomes(reading, ALL).get(FIN)
        found[reading.loader] = (outcome.value if outcome.sure else "?") if outcome else None
    return found


@pytest.mark.parametrize(
    ("text", "systemd", "old_systemd", "procps_4", "procps_3"),
    (
        (f"{FIN}=31\n", "31", "31", "31", "31"),
        (f"{FIN}=31\n-{FIN}\n", None, "31", "31", "31"),
        (f"-{FIN}\n{FIN}=31\n", "31", "31", "31", "31"),
        ("net.ipv4.tcp_fin_*=31\n", "31", None, "31", None),
        (f"net.ipv4.tcp_fin_*=32\n{FIN}=31\nnet.ipv4.tcp_fin_*=33\n", "31", "31", "31", "31"),
        (f"net.ipv4.tcp_fin_*=31\n-{FIN}\n", None, None, None, None),
        ("net.ipv4.tcp_fin_*=31\nnet.ipv4.tcp_f*_timeout=32\nnet.ipv4.tcp_fin_*=31\n", "32", None, "31", None),
        ("net.ipv4.tcp_fin_*=30\nnet.ipv4.tcp_f*_timeout=32\nnet.ipv4.tcp_fin_*=31\n", "31", None, "31", None),
        (f"{FIN}=31\n{FIN}=many\n", None, None, "31", "31"),
        (f"{FIN}=31\n{FIN}=\n", None, None, "31", "31"),
        (f"{FIN}=31\n{FIN}=0x20\n{FIN}=041\n", "33", "33", "33", "33"),
        (f"{FIN}=31\r{FIN}=32\n", "32", "32", None, "31"),
        (f"{FIN}=31\0{FIN}=32\n", "32", "32", "31", "31"),
        (f"={FIN}=31\n", None, None, None, "31"),
        (f"- {FIN}=31\n", "31", None, None, None),
        (f"\f{FIN}=31\n", None, None, "31", None),
        ("net.ipv4/tcp_fin_timeout=31\n", None, None, None, None),
        ("net/ipv4/tcp_fin_timeout/=31\n", "31", "31", None, None),
        ("net/ipv4/../ipv4/tcp_fin_timeout=31\n", "?", "?", "31", "31"),
        (f"\ufeff{FIN}=31\n", None, None, None, None),
        (f"{FIN}=31 # why\n", "31", "31", "31", "31"),
        (f"{FIN}=31;why\n", None, None, None, None),
    ),
)
def test_a_line_counts_as_the_loader_reads_it(tmp_path, text, systemd, old_systemd, procps_4, procps_3):
    file = {"/etc/sysctl.d/a.conf": text}
    found = [
        left(tmp_path / str(number), program, file)
        for number, program in enumerate((SYSTEMD, OLD_SYSTEMD, PROCPS_4, PROCPS_3))
    ]
    assert [next(iter(one.values())) for one in found] == [systemd, old_systemd, procps_4, procps_3]


@pytest.mark.parametrize(
    ("files", "systemd", "procps"),
    (
        ({"/etc/sysctl.d/.a.conf": f"{FIN}=31\n"}, None, "31"),
        ({"/usr/lib/sysctl.d/a.conf": f"{FIN}=31\n", "/etc/sysctl.d/a.conf": Path("/dev/null")}, None, None),
        ({"/usr/lib/sysctl.d/a.conf": f"{FIN}=31\n", "/etc/sysctl.d/a.conf": Path("nowhere")}, None, None),
        ({"/run/sysctl.d/a.conf": f"{FIN}=31\n", "/usr/lib/sysctl.d/a.conf": f"{FIN}=32\n"}, "31", "31"),
        ({"/lib": Path("usr/lib"), "/usr/lib/sysctl.d/a.conf": f"{FIN}=31\n"}, "31", "31"),
        ({"/etc/sysctl.d/Z.conf": f"{FIN}=31\n", "/etc/sysctl.d/a.conf": f"{FIN}=32\n"}, "32", "32"),
        ({"/etc/sysctl.conf": f"{FIN}=31\n", "/etc/sysctl.d/a.conf": f"{FIN}=32\n"}, "32", "31"),
    ),
)
def test_files_count_in_the_order_of_the_loader(tmp_path, files, systemd, procps):
    assert left(tmp_path, SYSTEMD, PROCPS_4, files) == {"systemd-sysctl": systemd, "procps": procps}


def test_a_folder_that_is_another_by_a_link_hides_nothing(tmp_path):
    files = make(tmp_path, SYSTEMD, {"/lib": Path("usr/lib"), "/usr/lib/sysctl.d/a.conf": f"{FIN}=31\n"})
    assert loaders.read_all(files)[0].hidden == []


@pytest.mark.parametrize(
    ("files", "value"),
    (
        ({"/etc/tuned/mine/tuned.conf": f"[sysctl]\n{FIN}=31\n", "/usr/lib/tuned/mine/tuned.conf": "[x]\n"}, "31"),
        ({"/etc/tuned/mine/tuned.conf": f"[sysctl]\n{FIN}=31\n  32\n"}, "?"),
        ({"/etc/tuned/mine/tuned.conf": f"[sysctl]\n{FIN}=31\n", "/etc/sysctl.d/a.conf": f"{FIN}=32\n"}, "32"),
        ({"/etc/tuned/mine/tuned.conf": f"[sysctl]\n{FIN}=31\n", "/usr/lib/sysctl.d/a.conf": f"{FIN}=32\n"}, "31"),
        ({"/etc/tuned/mine/tuned.conf": "", "/etc/sysctl.d/a.conf": f"{FIN}=32\n",
          "/run/sysctl.d/a.conf": f"{FIN}=33\n"}, "33"),
    ),
)  # fmt: skip
def test_tuned_applies_its_profile_and_then_the_system(tmp_path, files, value):
    assert left(tmp_path, TUNED, files) == {"tuned": value}


@pytest.mark.parametrize(
    ("pattern", "matches"),
    (
        ("net/ipv4/tcp_fin_*", True),
        ("net/*/tcp_fin_timeout", True),
        ("net/*tcp_fin_timeout", False),
        ("net/ipv4/tcp_fin_timeou[!a-s]", True),
        ("net/ipv4/tcp_fin_timeou[^t]", False),
        ("net/ipv4/tcp_fin_timeou[z-a]", False),
        ("net/ipv4/tcp_fin_timeou[]t]", True),
        ("net/ipv4/tcp_fin_timeou[t", False),
        ("net/ipv4/tcp_\\fin_timeout*", True),
        ("net/ipv4/tcp_fin_timeout?", False),
    ),
)
def test_patterns_match_as_glob_does(pattern, matches):
    assert bool(keys.matching(pattern, [FIN])) is matches


@hypothesis.given(strategies.text("*?[]!^\\-/az", max_size=20))
def test_no_pattern_raises(pattern):
    keys.matching(pattern, keys.OURS)


@hypothesis.given(strategies.binary(max_size=200))
def test_no_file_raises(data):
    for parsed in (
        dialects.parse_systemd("/x", data, True),
        dialects.parse_systemd("/x", data, False),
        dialects.parse_procps_3("/x", data),
        dialects.parse_procps_4("/x", data),
        dialects.parse_tuned("/x", data, True),
    ):
        for statement in parsed.statements:
            assert 1 <= statement.line <= data.count(b"\n") + 1
            values.shown(FIN, statement.value or "")
            values.shown("net/ipv4/ip_local_port_range", statement.value or "")
