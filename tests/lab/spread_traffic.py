# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Configurations that requests go through, with all of their servers on loopback. They listen on port 8000."""

from __future__ import annotations

from typing import NamedTuple

from ansible_collections.tcpops.timewait.plugins.module_utils._spread.request import Request, ServerAddresses

_HAPROXY, _NGINX = "/etc/haproxy/haproxy.cfg", "/etc/nginx/nginx.conf"
_SOURCES = ("127.0.7.1", "127.0.7.2")
_DEFAULTS = """defaults
    mode %s
    timeout connect 5s
    timeout client 30s
    timeout server 30s
frontend web
    bind 127.0.0.1:8000
    default_backend app
backend app
"""
_HTTP = """load_module modules/ngx_stream_module.so;
worker_processes 1;
error_log stderr;
events {}
http {
    access_log off;
    %s
}
"""
_STREAM = """load_module modules/ngx_stream_module.so;
worker_processes 1;
error_log stderr;
events {}
stream {
    upstream app { server 127.0.0.1:9001; }
    server { listen 127.0.0.1:8000; proxy_pass app; }
}
"""
_SERVER = "server { listen 127.0.0.1:8000; location / { %s } }"
_REUSED = 'proxy_http_version 1.1; proxy_set_header Connection ""; proxy_pass http://app;'


class Traffic(NamedTuple):
    """``ends``: that listen. ``reused``: whether more requests come on a connection."""

    name: str
    server: str
    text: str
    request: Request
    ends: tuple[tuple[str, int], ...]
    requests: int = 1200
    reused: bool = False

    @property
    def path(self) -> str:
        return _HAPROXY if self.server == "haproxy" else _NGINX


def _ends(*ports: int, addresses: tuple[str, ...] = ("127.0.0.1",)) -> tuple[tuple[str, int], ...]:
    return tuple((address, port) for address in addresses for port in ports)


_APP = Request("app", _SOURCES, (9002,))

TRAFFIC = (
    Traffic(
        "haproxy_http", "haproxy",
        _DEFAULTS % "http" + "    http-reuse never\n    cookie S insert\n    option httpchk\n"
        "    server s1 127.0.0.1:9001 cookie a maxconn 100\n",
        _APP, _ends(9001, 9002), 600,
    ),
    Traffic(
        "haproxy_tcp_of_two", "haproxy",
        _DEFAULTS % "tcp" + "    server s1 127.0.0.1:9001\n    server s2 127.0.0.2:9001\n",
        _APP, _ends(9001, 9002, addresses=("127.0.0.1", "127.0.0.2")), 600,
    ),
    Traffic(
        "haproxy_addresses", "haproxy",
        _DEFAULTS % "http" + "    http-reuse never\n    server s1 127.0.0.1:9001 weight 10\n",
        Request("app", _SOURCES, (), (ServerAddresses("s1", ("127.0.0.3",)),)),
        _ends(9001, addresses=("127.0.0.1", "127.0.0.3")), 600,
    ),
    Traffic(
        "nginx_closing", "nginx", _HTTP % ("upstream app { server 127.0.0.1:9001; } " + _SERVER % "proxy_pass http://app;"),
        _APP, _ends(9001, 9002),
    ),
    Traffic(
        "nginx_direct", "nginx", _HTTP % (_SERVER % "proxy_pass http://127.0.0.1:9001;"),
        Request("127.0.0.1:9001", (*_SOURCES, "127.0.7.3")), _ends(9001),
    ),
    Traffic("nginx_stream", "nginx", _STREAM, _APP, _ends(9001, 9002)),
    Traffic(
        "nginx_keepalive", "nginx",
        _HTTP % ("upstream app { server 127.0.0.1:9001; keepalive 8; keepalive_requests 2; } " + _SERVER % _REUSED),
        _APP, _ends(9001, 9002), 2000, reused=True,
    ),
    Traffic(
        "nginx_ipv6", "nginx", _HTTP % ("upstream app { server [::1]:9001; } " + _SERVER % "proxy_pass http://app;"),
        Request("app", ("::1",), (9002,)), _ends(9001, 9002, addresses=("::1",)),
    ),
)  # fmt: skip


def _reuse(name: str, server: str, text: str) -> Traffic:
    return Traffic(name, server, text, Request("app"), _ends(9001))


_KEEPING = "upstream app { server 127.0.0.1:9001; keepalive 4; } "
_HEADER = 'proxy_set_header Connection "";'
_MAP = "map $http_upgrade $connection_upgrade { default upgrade; '' %s; } "
_PASS = "proxy_pass http://app;"
_CLOSING = _DEFAULTS.replace("\nbackend app", "\n    option %s\nbackend app") % ("http", "%s")
_ANY = "    server s1 127.0.0.1:9001%s\n"
#: two requests by each client. The first of each server is right; what is wrong with others is in their name
REUSE = (
    _reuse("nginx", "nginx", _HTTP % (_KEEPING + _SERVER % ("proxy_http_version 1.1; " + _HEADER + _PASS))),
    _reuse("nginx no-keepalive", "nginx", _HTTP % (
        "upstream app { server 127.0.0.1:9001; } " + _SERVER % ("proxy_http_version 1.1; " + _HEADER + _PASS))),
    _reuse("nginx http-1.0", "nginx", _HTTP % (_KEEPING + _SERVER % (_HEADER + _PASS))),
    _reuse("nginx connection-close", "nginx", _HTTP % (_KEEPING + _SERVER % ("proxy_http_version 1.1;" + _PASS))),
    _reuse("nginx connection-close, hidden", "nginx", _HTTP % (
        _HEADER + _KEEPING + _SERVER % ("proxy_http_version 1.1; proxy_set_header X-A b; " + _PASS))),
    _reuse("nginx connection-close, by a map", "nginx", _HTTP % (
        _MAP % "close" + _KEEPING
        + _SERVER % ("proxy_http_version 1.1; proxy_set_header Connection $connection_upgrade;" + _PASS))),
    _reuse("nginx, by a map", "nginx", _HTTP % (
        _MAP % "''" + _KEEPING
        + _SERVER % ("proxy_http_version 1.1; proxy_set_header Connection $connection_upgrade;" + _PASS))),
    _reuse("nginx no-upstream", "nginx", _HTTP % (
        _SERVER % ("proxy_http_version 1.1; " + _HEADER + " proxy_pass http://127.0.0.1:9001;"))),
    _reuse("haproxy", "haproxy", _DEFAULTS % "http" + _ANY % ""),
    _reuse("haproxy never", "haproxy", _DEFAULTS % "http" + "    http-reuse never\n" + _ANY % ""),
    _reuse("haproxy no-pool", "haproxy", _DEFAULTS % "http" + _ANY % " pool-max-conn 0"),
    _reuse("haproxy closed", "haproxy", _DEFAULTS % "http" + "    option httpclose\n" + _ANY % ""),
    _reuse("haproxy closed, in the frontend", "haproxy", _CLOSING % "http-server-close" + _ANY % ""),
    _reuse("haproxy closed, in both", "haproxy",
           _CLOSING % "http-keep-alive" + "    option http-server-close\n" + _ANY % ""),
    _reuse("haproxy, taken back", "haproxy",
           _DEFAULTS % "http" + "    option http-server-close\n    option http-keep-alive\n" + _ANY % ""),
)  # fmt: skip

_ONE = Request("app", _SOURCES[:1], (9002,))
#: for who chooses the port
HELD = (
    Traffic(
        "held", "haproxy", _DEFAULTS % "http" + "    http-reuse never\n    server s1 127.0.0.1:9001\n",
        _ONE, _ends(9001, 9002),
    ),
    Traffic(
        "held", "nginx", _HTTP % ("upstream app { server 127.0.0.1:9001; } " + _SERVER % "proxy_pass http://app;"),
        _ONE, _ends(9001, 9002),
    ),
)  # fmt: skip
