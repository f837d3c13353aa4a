# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ports in the files of firewalld's zones: what is there stays as it is, to the byte."""

import pytest
from ansible_collections.tcpops.timewait.plugins.module_utils._firewall import firewalld_zone
from ansible_collections.tcpops.timewait.plugins.module_utils._firewall.firewalld_zone import ZoneFileError

HEAD = b'<?xml version="1.0" encoding="utf-8"?>\n'
P80, P81, P82 = (b'<port port="%d" protocol="tcp"/>' % port for port in (80, 81, 82))

#: name -> (a zone, the same with ports 81 and 82)
ADDED = {
    "behind the last port": (
        HEAD + b"<zone>\n  <short>x</short>\n  " + P80 + b"\n  <forward/>\n</zone>\n",
        HEAD + b"<zone>\n  <short>x</short>\n  " + b"\n  ".join([P80, P81, P82]) + b"\n  <forward/>\n</zone>\n",
    ),
    "at the end": (
        HEAD + b'<zone>\n  <service name="http"/>\n</zone>\n',
        HEAD + b'<zone>\n  <service name="http"/>\n  ' + b"\n  ".join([P81, P82]) + b"\n</zone>\n",
    ),
    "in one line": (b"<zone>" + P80 + b"</zone>", b"<zone>" + P80 + P81 + P82 + b"</zone>"),
    "in one line, with none": (b"<zone><forward/></zone>", b"<zone><forward/>" + P81 + P82 + b"</zone>"),
    "written out, with a comment": (
        b'<zone target="DROP">\n\t<!-- </zone> <port/> -->\n\t<port protocol="tcp"\n port="80"></port>\n</zone >',
        b'<zone target="DROP">\n\t<!-- </zone> <port/> -->\n\t<port protocol="tcp"\n port="80"></port>\n\t'
        + P81 + b"\n\t" + P82 + b"\n</zone >",
    ),
    "carriage returns": (
        b"<zone>\r\n " + P80 + b"\r\n</zone>\r\n",
        b"<zone>\r\n " + b"\r\n ".join([P80, P81, P82]) + b"\r\n</zone>\r\n",
    ),
    "not behind the port of a rule": (
        b"<zone>\n  <rule>\n    " + P80 + b"\n    <accept/>\n  </rule>\n</zone>\n",
        b"<zone>\n  <rule>\n    " + P80 + b"\n    <accept/>\n  </rule>\n  " + P81 + b"\n  " + P82 + b"\n</zone>\n",
    ),
    "not behind a port of UDP": (
        b'<zone>\n  <port port="1" protocol="udp"/>\n</zone>',
        b'<zone>\n  <port port="1" protocol="udp"/>\n  ' + P81 + b"\n  " + P82 + b"\n</zone>",
    ),
}  # fmt: skip

#: name -> (a zone, the same without ports 81 and 82)
REMOVED = {
    "of a range": (
        b'<zone>\n  <port port="80-83" protocol="tcp"/>\n</zone>',
        b'<zone>\n  <port port="80" protocol="tcp"/><port port="83" protocol="tcp"/>\n</zone>',
    ),
    "of two ranges": (
        b'<zone>\n  <port port="80-81" protocol="tcp"/>\n  <port port="82-90" protocol="tcp"/>\n</zone>',
        b'<zone>\n  <port port="80" protocol="tcp"/>\n  <port port="83-90" protocol="tcp"/>\n</zone>',
    ),
    "UDP stays": (
        b'<zone><port port="81" protocol="udp"/><port port="81" protocol="tcp"/></zone>',
        b'<zone><port port="81" protocol="udp"/></zone>',
    ),
    "the port of a rule stays": (
        b"<zone><rule>" + P81 + b"</rule></zone>",
        b"<zone><rule>" + P81 + b"</rule></zone>",
    ),
}


@pytest.mark.parametrize("name", list(ADDED))
def test_ports_go_in_and_out_again(name):
    before, after = ADDED[name]
    assert firewalld_zone.add(before, [81, 82]) == after
    assert firewalld_zone.remove(after, [81, 82]) == before
    firewalld_zone.parse(after)


@pytest.mark.parametrize("name", list(REMOVED))
def test_only_the_ports_go(name):
    before, after = REMOVED[name]
    assert firewalld_zone.remove(before, [81, 82]) == after


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<zone>",
        b"<service/>",
        b"<zone/>",
        b"\xff\xfe<",
        "<?xml version='1.0' encoding='utf-16'?><zone></zone>".encode("utf-16"),
        b'<!DOCTYPE z [<!ENTITY a "b">]><zone>&a;</zone>',
        b"<zone></zone><zone></zone>",
    ],
)
def test_what_is_no_zone_is_refused(content):
    with pytest.raises(ZoneFileError):
        firewalld_zone.add(content, [81])


def test_a_service_and_those_that_it_includes():
    content = b'<service><port port="80-81" protocol="tcp"/><include service="more"/><protocol value="tcp"/></service>'
    shown = firewalld_zone.service("web", content)
    assert shown.settings == {"ports": ["80-81/tcp"], "services": ["more"], "protocols": ["tcp"]}
