# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lines of scripts and units that set sysctls."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.tcpops.timewait.plugins.module_utils._sysctl import scripts
from support.sysctl_host import make

REUSE = "net/ipv4/tcp_tw_reuse"


@pytest.mark.parametrize(
    ("line", "value"),
    (
        ("sysctl -w net.ipv4.tcp_tw_reuse=1", "1"),
        ("/sbin/sysctl -q -w net/ipv4/tcp_tw_reuse=1 >/dev/null", "1"),
        ('sysctl -w "net.ipv4.tcp_tw_reuse=1"', "1"),
        ("sysctl -w net.ipv4.tcp_tw_reuse='1'", "1"),
        ("ExecStart=/usr/sbin/sysctl -w net.ipv4.tcp_tw_reuse=1", "1"),
        ("ExecStartPre=-/bin/sh -c 'echo 1 > /proc/sys/net/ipv4/tcp_tw_reuse'", "1"),
        ("echo 1 > /proc/sys/net/ipv4/tcp_tw_reuse", "1"),
        ("echo 1>/proc/sys/net/ipv4/tcp_tw_reuse", "1"),
        ('echo "1" > "/proc/sys/net/ipv4/tcp_tw_reuse"', "1"),
        ("echo -n 1 | sudo tee /proc/sys/net/ipv4/tcp_tw_reuse", "1"),
        ("printf '1\\n' > /proc/sys/net/ipv4/tcp_tw_reuse", "1"),
        ("@reboot root sysctl -w net.ipv4.tcp_tw_reuse=1 && true", "1"),
        ("  up sysctl -w net.ipv4.tcp_tw_reuse=1", "1"),
        ("sysctl -w net.ipv4.tcp_tw_reuse=$VALUE", None),
        ("echo $VALUE > /proc/sys/net/ipv4/tcp_tw_reuse", None),
        ("cat /etc/value > /proc/sys/net/ipv4/tcp_tw_reuse", None),
    ),
)
def test_a_line_that_sets_a_key_is_seen(line, value):
    assert scripts.lines_of(f"#!/bin/sh\n{line}\n".encode()) == [(2, REUSE, value)]


@pytest.mark.parametrize(
    "line",
    (
        "# sysctl -w net.ipv4.tcp_tw_reuse=1",
        "true # sysctl -w net.ipv4.tcp_tw_reuse=1",
        ";ExecStart=sysctl -w net.ipv4.tcp_tw_reuse=1",
        "sysctl net.ipv4.tcp_tw_reuse",
        "sysctl -n net.ipv4.tcp_tw_reuse",
        "cat /proc/sys/net/ipv4/tcp_tw_reuse",
        "cat /proc/sys/net/ipv4/tcp_tw_reuse > /tmp/x",
        "sysctl -w net.ipv4.tcp_tw_reuse_not=1",
        "sysctl -w kernel.net.ipv4.tcp_tw_reuse=1",
        "net.ipv4.tcp_tw_reuse=1",
    ),
)
def test_a_line_that_sets_none_is_not(line):
    assert scripts.lines_of(f"{line}\n".encode()) == []


def test_several_keys_and_continued_lines_are_seen_where_they_begin():
    text = b"sysctl -w \\\n  net.ipv4.tcp_tw_reuse=1 \\\n  net.ipv4.tcp_fin_timeout=30\n"
    assert scripts.lines_of(text) == [(1, REUSE, "1"), (1, "net/ipv4/tcp_fin_timeout", "30")]


def test_a_list_of_ports_is_a_plain_value():
    assert scripts.lines_of(b'sysctl -w net.ipv4.ip_local_port_range="1024 65535"') == [
        (1, "net/ipv4/ip_local_port_range", "1024 65535")
    ]


def test_the_places_where_scripts_are(tmp_path):
    places = (
        "/etc/rc.local", "/etc/network/if-up.d/x", "/etc/cron.d/x", "/etc/crontab", "/var/spool/cron/crontabs/root",
        "/var/spool/cron/root", "/etc/systemd/system/x.service", "/etc/systemd/system/y.service.d/z.conf",
        "/etc/NetworkManager/dispatcher.d/pre-up.d/x", "/etc/network/interfaces",
    )  # fmt: skip
    files = make(tmp_path, dict.fromkeys(places, "sysctl -w net.ipv4.tcp_tw_reuse=1\n"))
    found = scripts.find(files)
    assert sorted(one.path for one in found.lines) == sorted(places)
    assert found.problems == []


def test_binaries_large_files_and_links_out_are_bounded(tmp_path):
    line = b"sysctl -w net.ipv4.tcp_tw_reuse=1\n"
    files = make(tmp_path, {
        "/etc/cron.d/binary": b"\x7fELF\0" + line,
        "/etc/cron.d/large": line + b"#" * (300 << 10),
        "/opt/script": line,
        "/etc/cron.d/one": Path("/opt/script"),
        "/etc/cron.d/two": Path("/opt/script"),
        "/etc/systemd/system/loop.d": Path("/etc/systemd/system"),
    })  # fmt: skip
    found = scripts.find(files)
    assert [one.path for one in found.lines] == ["/etc/cron.d/one"]
    assert [problem.path for problem in found.problems] == ["/etc/cron.d/large"]
