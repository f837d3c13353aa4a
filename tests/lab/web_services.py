# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Servers of every kind on one container, each on a port of its own, to which ports can be added."""

from __future__ import annotations

from typing import NamedTuple

from tests.lab.container import Container


class Service(NamedTuple):
    """``unit``: what systemd runs it as."""

    server: str
    port: int
    unit: str


NGINX = Service("nginx", 80, "nginx.service")
NGINX_TLS = Service("nginx", 443, "nginx.service")
NGINX_PROXY = Service("nginx", 8443, "nginx.service")
HAPROXY = Service("haproxy", 8080, "haproxy.service")
HAPROXY_RAW = Service("haproxy", 9000, "haproxy.service")
APACHE = Service("apache", 8000, "apache2.service")
APACHE_TLS = Service("apache", 4443, "apache2.service")
SOCKET = Service("systemd_socket", 7000, "demo.socket")
SERVICES = (NGINX, NGINX_TLS, NGINX_PROXY, HAPROXY, HAPROXY_RAW, APACHE, APACHE_TLS, SOCKET)

_NGINX = """\
server {
    listen 80 default_server;
    listen [::]:80 default_server;
    location / { return 200 "nginx for $host\\n"; }
}
server {
    listen 443 ssl;
    listen 127.0.0.1:8443 ssl proxy_protocol;
    ssl_certificate /etc/ssl/lab.pem;
    ssl_certificate_key /etc/ssl/lab.pem;
    location / { return 200 "nginx in TLS for $proxy_protocol_addr\\n"; }
}
"""
_MAIN = """\
pid /run/nginx.pid;
events { worker_connections 512; }
http {
    access_log off;
    include /etc/nginx/conf.d/*.conf;
}
"""
_HAPROXY = """\
global
    stats socket /run/haproxy.sock mode 600 level admin expose-fd listeners
    user haproxy
    group haproxy

defaults
    mode http
    timeout connect 5s
    timeout client 30s
    timeout server 30s

frontend web
    bind :8080 accept-proxy
    default_backend nginx

backend nginx
    server one 127.0.0.1:80

listen raw
    mode tcp
    bind *:9000 ssl crt /etc/ssl/lab.pem
    server one 127.0.0.1:80
"""
_APACHE = """\
<VirtualHost *:8000>
    Redirect 404 /none
</VirtualHost>
Listen 4443
<VirtualHost *:4443>
    SSLEngine on
    SSLCertificateFile /etc/ssl/lab.pem
</VirtualHost>
"""
_SOCKET = """\
[Socket]
ListenStream=7000

[Install]
WantedBy=sockets.target
"""
_SERVICE = "[Service]\nExecStart=/usr/bin/python3 /opt/demo.py\n"
_DEMO = """\
import os, select, socket
heard = [socket.socket(fileno=3 + number) for number in range(int(os.environ["LISTEN_FDS"]))]
while True:
    for ready in select.select(heard, [], [])[0]:
        connection, _address = ready.accept()
        connection.recv(4096)
        connection.sendall(b"HTTP/1.0 200 OK\\r\\n\\r\\nsocket\\n")
        connection.close()
"""
_CERTIFICATE = (
    "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=lab.example -keyout /tmp/k -out /tmp/c 2> /dev/null;"
    " cat /tmp/c /tmp/k > /etc/ssl/lab.pem; chmod 644 /etc/ssl/lab.pem"
)
_START = (
    "a2enmod -q ssl > /dev/null;"
    " sed -i 's/^Listen 80$/Listen 8000/; s/Listen 443/Listen 10443/' /etc/apache2/ports.conf;"
    " systemctl daemon-reload; systemctl enable --now demo.socket 2> /dev/null; systemctl restart nginx haproxy apache2"
)


def install(host: Container) -> None:
    """Configure and start all of them."""
    host.run("sh", "-c", _CERTIFICATE)
    for path, text in (
        ("/etc/nginx/nginx.conf", _MAIN),
        ("/etc/nginx/conf.d/lab.conf", _NGINX),
        ("/etc/haproxy/haproxy.cfg", _HAPROXY),
        ("/etc/apache2/sites-available/000-default.conf", _APACHE),
        ("/etc/systemd/system/demo.socket", _SOCKET),
        ("/etc/systemd/system/demo.service", _SERVICE),
        ("/opt/demo.py", _DEMO),
    ):
        host.write(path, text)
    host.run("sh", "-c", _START)
