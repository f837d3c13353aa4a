# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Configurations of nginx made up at random, all of which nginx takes and all of which listen on port 80.

The same seed makes the same one.
"""

from __future__ import annotations

import random

_MAIN = "/etc/nginx/nginx.conf"
_ADDRESSES = (("", "*:", "0.0.0.0:"), ("[::]:",), ("127.0.0.2:",), ("[::1]:",), ("localhost:",))
_SOCKET = ("reuseport", "backlog=512", "so_keepalive=on", "rcvbuf=16k")
_COMMENTS = ("# listen 80;", "# }", "# it's \"quoted", "#", "# tcpops.timewait, they say")
_NOISE = (
    'set $a "listen 80; }";', "set $b 'a\n  listen 80; # tcpops.timewait\nb';", "set $c ${uri}x#y;", "location /a {}",
    'location ~ "^/x{2}$" { return 204; }', "if ($uri = '/b{') { return 404; }", "location /c { location /c/d { } }",
    "error_page 404 /404;", "root /var/www/html;", "autoindex off;", "set $d a\\;b;",
)  # fmt: skip
_BESIDE = (
    'map $uri $m%d { default 0; listen 80; "{" 1; include /etc/nginx/words; }',
    "upstream u%d { server 127.0.0.1:8%03d; }",
    "geo $g%d { default 0; 10.0.0.0/8 '}'; }",
)  # fmt: skip


class RandomConfiguration:
    """``files``: by path. ``links``: symbolic links besides them."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._end = self._random.choice(("\n", "\n", "\n", "\r\n"))
        self._step = self._random.choice(("    ", "  ", "\t", ""))
        self._taken: set[tuple[str, int, str]] = set()  # what may be said once for an address and port
        self._servers = 0
        self.files: dict[str, bytes] = {"/etc/nginx/words": b"a 1;\n"}
        self.links: dict[str, str] = {}
        self._make()

    def _make(self) -> None:
        body = []
        for number in range(self._random.randint(1, 8)):
            where = self._random.choice(("here", "here", "file", "link"))
            server = self._server(1 if where == "here" else 0)
            if where == "here":
                body += server
                continue
            path = "/srv/site%d" % number if where == "link" else "/etc/nginx/conf.d/%d.conf" % number
            self._write(path, server)
            if where == "link":
                self.links["/etc/nginx/conf.d/%d.conf" % number] = path
            if self._random.random() < 0.3:
                beside = self._random.choice(_BESIDE)
                body.append(self._step + beside % ((number,) * beside.count("%")))
        body.insert(self._random.choice((0, len(body))), self._step + "include conf.d/*.conf;")
        self._write(_MAIN, ["events { worker_connections 64; }", "http {", *body, "}"])

    def _write(self, path: str, lines: list[str]) -> None:
        text = "\n".join(lines) + self._random.choice(("\n", "\n", "", "\n\n"))
        self.files[path] = text.replace("\n", self._end).encode()

    def _server(self, depth: int) -> list[str]:
        self._servers += 1
        outer, inner = self._step * depth, self._step * (depth + 1)
        parts = [*self._listens(), "server_name s%d.example;" % self._servers]
        parts += self._random.sample(_NOISE, self._random.randint(0, 4))
        if self._random.random() < 0.8:
            self._random.shuffle(parts)
        if self._random.random() < 0.15:
            return [outer + "server%s{%s}" % (self._random.choice((" ", "")), " ".join(parts))]
        lines = [outer + "server {"] if self._random.random() < 0.8 else [outer + "server", outer + "{"]
        if self._random.random() < 0.2:
            lines[-1] += " " + self._random.choice(_COMMENTS)
        for part in parts:
            comment = "  " + self._random.choice(_COMMENTS) if self._random.random() < 0.2 else ""
            if self._random.random() < 0.1:
                lines.append(inner + self._random.choice(_COMMENTS))
            lines.append(inner + part + comment)
        return [*lines, outer + "}"]

    def _listens(self) -> list[str]:
        groups = self._random.sample(_ADDRESSES, self._random.randint(0, 3))
        found: list[str] = []
        if self._servers == 1:
            groups = [group for group in groups if group != _ADDRESSES[0]]
            found = [self._listen(_ADDRESSES[0], 80)]
        found += [self._listen(group, self._random.choice((80, 80, 8080, 443))) for group in groups]
        if self._random.random() < 0.1:
            found.append("listen unix:/run/s%d.sock;" % self._servers)
        if self._random.random() < 0.2 and found:
            return [self._included(found)]
        return found

    def _included(self, listens: list[str]) -> str:
        path = "/etc/nginx/listen%d" % self._servers
        self._write(path, listens)
        return "include %s;" % self._random.choice((path, path[len("/etc/nginx/") :], path[:-1] + "[%s]" % path[-1]))

    def _listen(self, group: tuple[str, ...], port: int) -> str:
        words = [self._random.choice(group) + str(port)]
        if self._random.random() < 0.1:
            words[0] = '"%s"' % words[0]
        if self._random.random() < 0.3 and self._once(group, port, "default_server"):
            words.append("default_server")
        # with reuseport on all of them or none, sockets of the same port do not get in each other's way
        if group == ("[::]:",) and self._random.random() < 0.4 and self._once(group, port, "socket"):
            words.append(self._random.choice(_SOCKET))
        gap = self._random.choice((" ", " ", "  ", "\t", "\n" + self._step))
        first, last = self._random.choice((" ", "   ")), self._random.choice(("", "", " "))
        return "listen" + first + gap.join(words) + last + ";"

    def _once(self, group: tuple[str, ...], port: int, what: str) -> bool:
        fresh = (group[0], port, what) not in self._taken
        self._taken.add((group[0], port, what))
        return fresh
