# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Configurations of HAProxy, Apache and socket units made up at random; all of them listen on port 80.

The same seed makes the same one.
"""

from __future__ import annotations

import random
from typing import NamedTuple


class MadeUp(NamedTuple):
    """``files``: content by path. ``links``: symbolic links besides them."""

    files: dict[str, bytes]
    links: dict[str, str]


_PROXY_ADDRESSES = (
    ":80", "*:80", "0.0.0.0:80", "ipv4@:80", "127.0.0.1:80", "tcp@127.0.0.3:80", "[::1]:80", ":::80", "ipv6@:80",
    "localhost:80", "127.0.0.4:79-80", "127.0.0.5:8080", "127.0.0.6:80,127.0.0.7:80", "127.0.0.8:443,127.0.0.9:80",
    "/run/made-up.sock", "abns@made-up", '"${MADE}:80"', "${MADE}:80", "'127.0.0.10:80'", "127.0.0.11\\x3a80",
)  # fmt: skip
_PROXY_OPTIONS = (
    "accept-proxy", "maxconn 100", "backlog 64", "defer-accept", "tfo", "mss 1400", "interface lo", "nice 3",
    'name "one two"', "name one", "name on\\ e", "v6only", "transparent", "tcp-ut 30s",
)  # fmt: skip
_PROXY_NOISE = (
    "# bind :80", "#", "", "option httplog", "acl bind path_beg /bind", "http-request deny if { path '/x#y' }",
    "http-request set-header x 'bind :80'", 'http-request set-header x "a b" # tcpops.timewait',
    "  # tcpops.timewait", "maxconn 50",
)  # fmt: skip


def haproxy(seed: int) -> MadeUp:
    """Several files, as ``-f`` of a folder has them. The unit names the folder."""
    choose = random.Random(seed)
    end = choose.choice(("\n", "\n", "\n", "\r\n"))
    step = choose.choice(("    ", "  ", "\t", ""))
    head = ["global", step + "setenv MADE 127.0.0.2", "defaults", step + "mode http"]
    head += [step + f"timeout {which} 5s" for which in ("connect", "client", "server")]
    files = {"/etc/haproxy/haproxy.cfg": head}
    left = list(_PROXY_ADDRESSES)
    choose.shuffle(left)
    for number in range(choose.randint(1, 5)):
        path = choose.choice(("/etc/haproxy/haproxy.cfg", "/etc/haproxy/conf.d/a.cfg", "/etc/haproxy/conf.d/b.cfg"))
        lines = [choose.choice(("frontend", "listen")) + f" made{number}" + choose.choice(("", "  # first"))]
        binds = [left.pop() for _number in range(choose.randint(1, 3)) if left]
        parts = [_bind(choose, address, number) for address in ([":80", *binds] if not number else binds)]
        parts += choose.sample(_PROXY_NOISE, choose.randint(0, 4))
        choose.shuffle(parts)
        if choose.random() < 0.2:
            parts = [".if 1", *parts, ".else", "bind :82 ssl crt /nowhere", ".endif"]
        files.setdefault(path, []).extend([*lines, *(step + part for part in parts)])
    tail = choose.choice(("", "\n", "\n\n# the end"))
    contents = {path: ("\n".join(lines) + tail + "\n").replace("\n", end).encode() for path, lines in files.items()}
    contents["/etc/haproxy/conf.d/z.cfg"] = b""
    contents["/etc/systemd/system/haproxy.service"] = (
        b"[Service]\nExecStart=/usr/sbin/haproxy -Ws -f /etc/haproxy/haproxy.cfg -f /etc/haproxy/conf.d\n"
    )
    return MadeUp(contents, {})


def _bind(choose: random.Random, address: str, number: int) -> str:
    gap = choose.choice((" ", " ", "  ", "\t"))
    options = choose.sample(_PROXY_OPTIONS, choose.randint(0, 3))
    named = [one for one in options if one.startswith("name")]
    options = [one for one in options if one not in named[1:] and (one != "v6only" or address != ":80")]
    if choose.random() < 0.2 and "," not in address and "-" not in address:
        options.append(f"id {choose.randint(1000, 10**6) + number}")
    comment = choose.choice(("", "", "", " # with a comment", "#close"))
    return "bind" + gap + gap.join([address, *options]) + comment


_WEB_ADDRESSES = ("127.0.0.1:80", "[::1]:80", "127.0.0.2:80", "localhost:8080", "127.0.0.3:8080", "${MADE}:80")
_WEB_HOSTS = (
    "*:80", "_default_:80", "127.0.0.1:80", "[::1]:80", "127.0.0.3:8080", "*", "*:*", '"127.0.0.2:80"', "*:${PORT}",
)  # fmt: skip
_WEB_NOISE = (
    "# Listen 80", "# <VirtualHost *:80>", "#", "", "# goes on \\\n  Listen 80", 'ServerAdmin "Listen 80"',
    "Timeout 30",
    "# tcpops.timewait, they say", "<IfModule nowhere_module>\nNowhere *:80\n</IfModule>", "KeepAlive \\\n  On",
)  # fmt: skip


def apache(seed: int) -> MadeUp:
    """Debian's layout, with what its main file needs and no more."""
    choose = random.Random(seed)
    end = choose.choice(("\n", "\n", "\n", "\r\n"))
    step = choose.choice(("    ", "  ", "\t", ""))
    modules = "/usr/lib/apache2/modules/mod_"
    main = [f"LoadModule {name}_module {modules}{name}.so" for name in ("mpm_event", "authz_core")]
    main += ["Define MADE 127.0.0.4", "Define PORT 80", "PidFile /run/made-up.pid"]
    main += ["ErrorLog /dev/null", "Include ports.conf", "IncludeOptional sites-enabled/*.conf"]
    everywhere = ("Listen 80", "listen\t80", "Listen *:80", "Listen 80 http", 'Listen "80"', "Listen \\\n80")
    listens = [choose.choice(everywhere)] if choose.random() < 0.5 else []
    listens += [f"Listen {one}" for one in choose.sample(_WEB_ADDRESSES, choose.randint(0 if listens else 1, 3))
                if not (listens and one.endswith(":80"))]
    if not any("80" in one and "8080" not in one for one in listens):
        listens.append("Listen 127.0.0.5:${PORT}")
    parts = listens + choose.sample(_WEB_NOISE, choose.randint(0, 3))
    choose.shuffle(parts)
    if choose.random() < 0.3:
        parts = ["<IfModule mpm_event_module>", *(step + part for part in parts), "</IfModule>"]
    files = {"/etc/apache2/apache2.conf": main, "/etc/apache2/ports.conf": parts}
    links = {}
    for number in range(choose.randint(1, 4)):
        path = f"/etc/apache2/sites-available/{number}.conf"
        links[f"/etc/apache2/sites-enabled/{number}.conf"] = f"../sites-available/{number}.conf"
        files[path] = []
        for name in range(choose.randint(1, 2)):
            files[path] += _host(choose, step, f"s{number}{name}.example")
    contents = {}
    for path, lines in files.items():
        text = "\n".join(lines) + choose.choice(("\n", "\n", "", "\n\n"))
        contents[path] = text.replace("\n", end).encode()
    return MadeUp(contents, links)


def _host(choose: random.Random, step: str, name: str) -> list[str]:
    words = choose.sample(_WEB_HOSTS, choose.randint(1, 3))
    gap = choose.choice((" ", " ", "  ", " \\\n  "))
    tag = choose.choice(("VirtualHost", "virtualhost"))
    indent = choose.choice(("", step))
    inside = [f"ServerName {name}", *choose.sample(_WEB_NOISE, choose.randint(0, 2))]
    inside = [one for one in inside if not one.startswith(("Timeout", "KeepAlive"))]
    return [
        f"{indent}<{tag} {gap.join(words)}{choose.choice(('', ' '))}>",
        *(indent + step + one for one in inside),
        f"{indent}</{tag}>",
    ]


def systemd_socket(seed: int) -> MadeUp:
    """Units in /usr/lib and /etc, with drop-ins."""
    choose = random.Random(seed)
    values = ["80", "127.0.0.1:80", "[::1]:80", "0.0.0.0:80", "/run/x.sock", "127.0.0.2:90", "vsock:2:80", "[::]:90"]
    files, links = {}, {}
    for number in range(choose.randint(1, 3)):
        unit = choose.choice(("web%d.socket", "web-%d.socket", "web@%d.socket")) % number
        path = "/usr/lib/systemd/system/" + ("web@.socket" if "@" in unit else unit)
        own = [f"127.0.{number + 1}.1:80"] if number else choose.sample(values, choose.randint(1, 3))
        lines = ["[Unit]", "# ListenStream=80", "[Socket]", *(f"ListenStream={one}" for one in own)]
        if choose.random() < 0.3:
            lines.append("Accept=yes")
        if "@" not in unit or path not in files:
            files[path] = "\n".join(lines).encode() + choose.choice((b"\n", b""))
        more = ["[Socket]"] + (["ListenStream="] if choose.random() < 0.5 else [])
        files[f"/etc/systemd/system/{unit}.d/10-more.conf"] = "\n".join(
            [*more, f"ListenStream=127.1.{number}.1:80"]
        ).encode()
        links[f"/etc/systemd/system/sockets.target.wants/{unit}"] = path
    return MadeUp(files, links)


MAKERS = {"apache": apache, "haproxy": haproxy, "systemd_socket": systemd_socket}
