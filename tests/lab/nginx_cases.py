# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Configurations of nginx, after layouts that hosts have, and what is asked of each.

The files of a case are below tests/unit/fixtures/listeners/nginx, what has to become of them in nginx.expected.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import NamedTuple

_FIXTURES = Path(__file__).resolve().parents[1] / "unit" / "fixtures" / "listeners"


class Case(NamedTuple):
    """``links``: symbolic links besides the files. ``modules``: to load. ``since``: the first nginx that takes it.

    ``asks_port``: it answers otherwise on another port, of which there is a warning.
    """

    name: str
    existing_port: int
    ports: tuple[int, ...]
    main: str = "/etc/nginx/nginx.conf"
    links: dict[str, str] = {}  # noqa: RUF012  # read only
    modules: tuple[str, ...] = ()
    since: tuple[int, ...] = ()
    crlf: bool = False
    asks_port: bool = False

    @property
    def speaks_http(self) -> bool:
        """Whether the port is one of an HTTP server."""
        return not set(self.modules) & {"ngx_stream_module", "ngx_mail_module", "ngx_rtmp_module"}

    @property
    def expected(self) -> Path:
        """The difference that adding makes, and the warnings."""
        return _FIXTURES / "nginx.expected" / f"{self.name}.diff"

    def make(self, root: Path) -> None:
        """Put the files below a folder."""
        for source in sorted(path for path in (_FIXTURES / "nginx" / self.name).rglob("*") if path.is_file()):
            target = root / source.relative_to(_FIXTURES / "nginx" / self.name)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
            if self.crlf:
                target.write_bytes(target.read_bytes().replace(b"\n", b"\r\n"))
        for path, target_of_link in self.links.items():
            link = root / path.lstrip("/")
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(target_of_link)


CASES = (
    Case("api_gateway", 443, (8443,), asks_port=True),
    Case("apk_layout", 80, (81,)),
    Case("certbot", 443, (8443,), links={"/etc/nginx/sites-enabled/site": "/etc/nginx/sites-available/site"}),
    Case("control_panel_addresses", 443, (8443, 9443)),
    Case(
        "control_panel_old_default", 80, (81,),
        links={
            "/etc/nginx/conf.d/domains/site.conf": "/home/admin/conf/web/site.example/nginx.conf",
        },
    ),
    Case(
        "debian_default", 80, (81, 82),
        links={
            "/etc/nginx/sites-enabled/default": "/etc/nginx/sites-available/default",
        },
    ),
    Case("docker_generated", 80, (81,)),
    Case("default_servers", 80, (81, 82)),
    Case("dual_stack", 80, (81, 82)),
    Case("enterprise_linux", 80, (81,)),
    Case("gitlab_omnibus", 80, (81,), main="/var/opt/gitlab/nginx/conf/nginx.conf"),
    Case(
        "hosting_vhost_files", 80, (81, 82),
        links={
            "/etc/nginx/sites-enabled/100-client1.example.vhost": "/etc/nginx/sites-available/client1.example.vhost",
            "/etc/nginx/sites-enabled/999-acme.vhost": "/etc/nginx/sites-available/acme.vhost",
        },
    ),
    Case("http2_directive", 443, (8443, 9443), since=(1, 25, 1)),
    Case("http3", 443, (8443,), since=(1, 25, 1)),
    Case("implicit_port", 80, (81, 82)),
    Case("ingress_controller", 80, (81, 82), modules=("ndk_http_module", "ngx_http_lua_module")),
    Case("mail_proxy", 143, (1143, 110), modules=("ngx_mail_module",)),
    Case(
        "many_sites", 80, (82, 81),
        links={
            "/etc/nginx/sites-enabled/00-default": "../sites-available/00-default",
            "/etc/nginx/sites-enabled/blog": "/etc/nginx/sites-available/blog.example.org",
            "/etc/nginx/sites-enabled/shop": "../sites-available/shop.example.org",
            "/etc/nginx/sites-enabled/wiki": "/srv/wiki/nginx/wiki.conf",
            "/etc/nginx/sites-enabled/zz-internal": "../sites-available/internal",
        },
    ),
    Case(
        "masked_and_missing", 80, (81,),
        links={
            "/etc/nginx/conf.d/default.conf": "/dev/null",
            "/etc/nginx/sites-enabled/site": "/etc/nginx/sites-available/site",
        },
    ),
    Case("nextcloud", 443, (444,)),
    Case("no_final_newline", 80, (82, 81)),
    Case("one_line", 80, (81, 82)),
    Case(
        "openresty", 8080, (8081, 8082),
        main="/usr/local/openresty/nginx/conf/nginx.conf",
        modules=("ndk_http_module", "ngx_http_lua_module"),
    ),
    Case("options_not_first", 80, (81,)),
    Case("port_ranges", 8000, (8100,)),
    Case("proxy_protocol", 80, (81, 82, 83)),
    Case("redirects_closed", 80, (81,)),
    Case("shared_snippets", 80, (81, 82)),
    Case("socket_options", 80, (81, 82)),
    Case("sockets_and_names", 80, (81,)),
    Case("stream_database", 3306, (3307, 3308), modules=("ngx_stream_module",)),
    Case("stream_dns", 53, (5353,), modules=("ngx_stream_module",)),
    Case("stream_sni", 443, (444,), modules=("ngx_stream_module",)),
    Case("streaming", 1935, (1936,), modules=("ngx_rtmp_module",)),
    Case("strings_and_regexes", 80, (81,)),
    Case("tls_snippets", 443, (444, 445)),
    Case("unprivileged_container", 8080, (8081,)),
    Case("upstream_package", 80, (81, 8081)),
    Case("windows_editor", 80, (81,), crlf=True),
    Case(
        "wordpress_fpm", 80, (81,),
        links={
            "/etc/nginx/sites-enabled/wordpress.conf": "../sites-available/wordpress.conf",
        },
    ),
)


def in_server(snippet: str) -> str:
    """A whole configuration with something put into a server."""
    return "events {}\nhttp {\n server {\n listen 80;\n %s\n }\n}\n" % snippet


#: what may stand in a server, and whether nginx can read it: words, quotes, braces, comments
SNIPPETS = (
    ("set $a b;", True),
    ("set $a 'b';", True),
    ('set $a "b;c{d}e#f";', True),
    ("set $a \"it's\";", True),
    ("set $a 'say \\'x\\'';", True),
    ("set $a 'x\\\\';", True),
    ("set $a 'two\nlines; }';", True),
    ("set $a b;# close by }", True),
    ("set $a b # in between ;{}\n ;", True),
    ("set $a b#c;", True),
    ('set $a b"c;', True),
    ("set $a b}c;", True),
    ("set $a ${uri}b;", True),
    ("set $a b${uri};", True),
    ("set $a b\\;c;", True),
    ("set $a b\\{c;", True),
    ("set $a \\ ;", True),
    ("set\t$a\r\nb\r\n;", True),
    ('if ($uri = "a") { set $a b; }', True),
    ('if ($uri ~ "a{2}") {set $a b;}', True),
    ("location ~ ^/a\\.b$ {}", True),
    ("location ~ ^/a{1}$ {}", False),
    ('location ~ "^/a{1}$" {}', True),
    ('location "/quoted"{}', True),
    ("location /x{}", True),
    ("location /x { location /x/y { } }", True),
    ("location /x { set $a b; } # }", True),
    ('set $a "b"c;', False),
    ('set $a "b"#c\n;', False),
    ('set $a "b;', False),
    ("set $a 'b;", False),
    ("set $a b", False),
    ("set $a b }", False),
    ("; set $a b;", False),
    ("set $a b;;", False),
    ("{ set $a b; }", False),
    ("location /x { ", False),
    ("location /x { set $a b }", False),
    ("set $a b; }", False),
    ("location /x { } }", False),
)
