# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Configurations made up at random, with a backend ``app`` and what it is to be spread over. A seed makes one."""

from __future__ import annotations

import random
from typing import NamedTuple

from ansible_collections.tcpops.timewait.plugins.module_utils._spread.request import Request, ServerAddresses

_SOURCES = ("10.30.0.1", "10.30.0.2", "10.30.0.3")
_PORTS = (81, 82, 8080)


class MadeUp(NamedTuple):
    """Files by path, and what is asked for."""

    files: dict[str, bytes]
    request: Request


def _request(choice: random.Random, servers: list[str]) -> Request:
    """Something, of the three that there are."""
    sources = tuple(choice.sample(_SOURCES, choice.choice((0, 1, 2, 3))))
    ports = tuple(choice.sample(_PORTS, choice.choice((0, 1, 2))))
    found = []
    if choice.random() < 0.4 or not (sources or ports):
        found = [ServerAddresses(name, ("10.20.9.%d" % choice.randint(1, 9),)) for name in choice.sample(servers, 1)]
    return Request("app", sources, ports, tuple(found))


def haproxy(seed: int) -> MadeUp:
    """Server lines with options in any order, quotes, comments, defaults, other sections around."""
    choice = random.Random(seed)
    end, step = choice.choice(("\n", "\n", "\r\n")), choice.choice(("    ", "\t", "", "  "))
    lines = ["defaults", "mode http", "timeout connect 5s", "timeout client 5s", "timeout server 5s"]
    defaults = ("default-server check", "default-server maxconn 60 inter 3s", "option redispatch")
    lines += choice.sample(defaults, choice.randint(0, 2))
    if choice.random() < 0.5:
        lines += ["", "# server x 1.2.3.4:80 # tcpops.timewait", "backend other", "server s0 10.20.0.9:80"]
    kind = choice.choice(("backend", "listen"))
    lines += ["", "frontend web", "bind 127.0.0.1:8001", "default_backend app", "", f"{kind} app  # the application"]
    lines += ["bind 127.0.0.1:8000"] if kind == "listen" else []
    lines += choice.sample(
        ("balance roundrobin", "cookie S insert", "option httpchk", "default-server weight 3", "#", "stick on src",
         "stick-table type ip size 1k"), choice.randint(0, 2)) if choice.random() < 0.8 else []  # fmt: skip
    if "stick on src" in lines and "stick-table type ip size 1k" not in lines:
        lines.append("stick-table type ip size 1k")
    names = [f"s{number}" for number in range(1, choice.randint(2, 5))]
    for number, name in enumerate(names):
        options = choice.sample(
            ("check", "weight %d" % choice.choice((1, 7, 100)), "maxconn %d" % choice.choice((50, 64, 200)),
             "cookie c%d" % number, "inter 2s", "id %d" % (number + 50), "slowstart 9s", "pool-max-conn 4", "minconn 9",
             "on-marked-down shutdown-sessions", "send-proxy"), choice.randint(0, 5))  # fmt: skip
        gap = choice.choice((" ", "  ", "\t"))
        address = choice.choice(("10.20.0.%d:80", '"10.20.0.%d:80"', "ipv4@10.20.0.%d:80"))
        line = gap.join(["server", name, address % (number + 1), *options])
        lines.append(line + choice.choice(("", "", " # tcpops.timewait, they say", "   ", "#x")))
        if choice.random() < 0.2:
            lines.append(choice.choice(("# between", "", "http-request set-header A b")))
    if choice.random() < 0.5:
        lines += ["", "backend last", "server s0 10.20.0.8:80 source 10.30.0.9", "server s1 10.20.0.8:81 # why"]
    sections = ("defaults", "backend", "frontend", "listen", "#")
    text = end.join(line if not line or line.startswith(sections) else step + line for line in lines)
    # since 2.3 the last line has to have its end
    text += choice.choice((end, end, end * 2))
    return MadeUp({"/etc/haproxy/haproxy.cfg": text.encode()}, _request(choice, names))


def nginx(seed: int) -> MadeUp:
    """An upstream on one line or many, in the main file or one of its own, with passes to it and to others."""
    choice = random.Random(seed)
    end, step = choice.choice(("\n", "\n", "\r\n")), choice.choice(("    ", "\t", "", "  "))
    hosts = [f"10.20.0.{number}" for number in range(1, choice.randint(2, 5))]
    servers = []
    for host in hosts:
        options = choice.sample(("weight=%d" % choice.choice((2, 5)), "max_conns=%d" % choice.choice((30, 41)),
                                 "max_fails=2", "fail_timeout=3s"), choice.randint(0, 3))  # fmt: skip
        words = ["server", choice.choice((host, host + ":80", host + ":8000", '"%s:80"' % host)), *options]
        servers.append(choice.choice((" ", " ", "  ", "\n\t")).join(words) + choice.choice(("", " ")) + ";")
    rest = choice.sample(("keepalive 4;", "least_conn;", "zone z 64k;", "# server x; }"), choice.randint(0, 2))
    rest.sort(key=lambda line: line.startswith("keep"))
    inside = [line for line in rest if line.startswith(("least", "#"))] + servers
    inside += [line for line in rest if line not in inside]
    one_line = choice.random() < 0.3 and not any("#" in line for line in inside)
    if one_line:
        upstream = ["upstream app { %s }" % " ".join(inside)]
    else:
        comments = ("", "", "  # tcpops.timewait, they say", " # a; }", "\t")
        upstream = ["upstream app {", *(step + line + choice.choice(comments) for line in inside), "}"]
    passes = ("proxy_pass http://app;", "proxy_pass http://app/x/;", "proxy_pass http://other;", "fastcgi_pass app;",
              "return 204;", "proxy_pass http://app; # here", "set $x '}'; proxy_pass http://app;")  # fmt: skip
    server = ["server {", step + "listen 127.0.0.1:8000;"]
    for number in range(choice.randint(1, 4)):
        body = choice.choice(passes)
        if choice.random() < 0.5 or "#" in body:
            server += [step + "location /%d {" % number, step * 2 + body, step + "}"]
        else:
            server.append(step + "location /%d { %s }" % (number, body))
    server.append("}")
    files = {}
    folder = choice.random() < 0.6
    http = ["include conf.d/*.conf;"] if folder else []
    http += ["upstream other { server 10.20.0.9; }"]
    if folder:
        files["/etc/nginx/conf.d/app.conf"] = end.join(upstream).replace("\n\t", end + "\t") + choice.choice((end, ""))
        files["/etc/nginx/conf.d/web.conf"] = end.join(server) + choice.choice((end, ""))
    else:
        http += [*upstream, *server]
    main = ["events {}", "http {", *(step + line for line in http), "}"]
    files["/etc/nginx/nginx.conf"] = end.join(main) + choice.choice((end, ""))
    return MadeUp({path: text.encode() for path, text in files.items()}, _request(choice, hosts))


MAKERS = {"haproxy": haproxy, "nginx": nginx}
