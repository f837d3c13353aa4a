# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ports on command lines: what is taken, and what is left alone."""

import pytest
from ansible_collections.tcpops.timewait.plugins.module_utils._service_ports import service_units
from ansible_collections.tcpops.timewait.plugins.module_utils._service_ports.command_lines import ports_named, words_of
from support.file_tree import make_tree

UNITS = "/etc/systemd/system/"


def named(line):
    return [first if first == last else (first, last) for (first, last), _text in ports_named(words_of(line))]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("/usr/bin/x --port 8443", [8443]),
        ("/usr/bin/x --port=8443 --admin-port 9443", [8443, 9443]),
        ("/usr/bin/memcached -m 64 -p 11211 -u memcache", [11211]),
        ("/usr/bin/x -p11211", [11211]),
        ("/usr/bin/x --listen=0.0.0.0:9090", [9090]),
        ("/usr/bin/x --web.listen-address=:9100", [9100]),
        ("/usr/bin/x --web.listen-address='[::]:9100'", [9100]),
        ("/usr/bin/x -listen :8080", [8080]),
        ("/usr/bin/x --bind 127.0.0.1:8000 app:main", [8000]),
        ("/usr/bin/etcd --listen-client-urls http://127.0.0.1:2379,http://10.0.0.1:2379", [2379, 2379]),
        ("/usr/bin/x --port 8000-8010", [(8000, 8010)]),
        ("/usr/bin/podman run --rm -p 8080:80 -p 127.0.0.1:8443:443/tcp image", [8080, 8443]),
        ("/usr/bin/x --listen /run/x.sock --bind unix:/run/y:80", []),
        ("/usr/bin/x --remote-port 5432 --db-port=5432 --upstream=10.0.0.1:80 --proxy-port 3128", []),
        ("/usr/bin/x 10.0.0.1:6379 8080 --threads 8080 --timeout=9000", []),
        ("/bin/mkdir -p /run/x", []),
        ("/usr/bin/x --http-timeout 8080 --port none --port 0 --port 70000", []),
        ("/usr/bin/x --port", []),
        ("/usr/bin/x --listen 'unbalanced --listen :9090", [9090]),
    ],
)
def test_ports_on_command_lines(line, expected):
    assert named(line) == expected


def test_the_environment_is_put_in(tmp_path):
    files = make_tree(
        tmp_path,
        {
            UNITS + "a.service": (
                "[Service]\nEnvironment=PORT=1001 'OTHER=--port 1002'\nEnvironmentFile=-/etc/default/a\n"
                "EnvironmentFile=/etc/default/gone\n"
                "ExecStart=/usr/bin/a --port $PORT \\\n  $OTHER --admin-port ${ADMIN} $ARGS\n"
            ),
            "/etc/default/a": "# PORT=1\nADMIN=1003\nARGS='--listen :1004'\nPORT=1005\n",
        },
    )
    claims, problems = service_units.find(files)
    assert sorted(claim.first for claim in claims) == [1002, 1003, 1004, 1005], "a file wins over Environment="
    assert {claim.where for claim in claims} == {UNITS + "a.service:5"}
    assert {claim.kind for claim in claims} == {"service_unit"}
    assert "--admin-port 1003" in " ".join(claim.what for claim in claims)
    assert problems == []


def test_a_drop_in_replaces_the_command(tmp_path):
    files = make_tree(
        tmp_path,
        {
            "/usr/lib/systemd/system/a@.service": "[Service]\nExecStart=/usr/bin/a --port %i\n",
            UNITS + "multi-user.target.wants/a@7001.service": ("link", "/usr/lib/systemd/system/a@.service"),
            "/usr/lib/systemd/system/b.service": "[Service]\nExecStart=/usr/bin/b --port 7002\n",
            UNITS + "b.service.d/x.conf": "[Service]\nExecStart=\nExecStart=/usr/bin/b --port 7003\n",
        },
    )
    assert sorted(claim.first for claim in service_units.find(files)[0]) == [7001, 7003]
