# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is asked of the configurations in tests/unit/fixtures/spread, a folder a case."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import NamedTuple

from ansible_collections.tcpops.timewait.plugins.module_utils._spread.request import Request, ServerAddresses

TREES = Path(__file__).resolve().parents[1] / "unit" / "fixtures" / "spread"
_TWO = ("10.30.0.1", "10.30.0.2")


class Case(NamedTuple):
    """``connections``: of the backend with it. ``links``: symbolic links besides the files. ``not_on``: releases whose
    server does not know what it says. ``crlf``: whether lines end as an editor on Windows ends them.
    """

    server: str
    name: str
    request: Request
    connections: int
    links: tuple[tuple[str, str], ...] = ()
    not_on: tuple[str, ...] = ()
    crlf: bool = False

    def make(self, root: Path) -> None:
        """Put the files and links into a folder that is not there yet: it stands for the root of a host."""
        shutil.copytree(TREES / self.server / self.name, root)
        for file in root.rglob("*") if self.crlf else ():
            if file.is_file():
                file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))
        for path, target in self.links:
            link = root / path.lstrip("/")
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(target)

    @property
    def expected(self) -> Path:
        """The difference that adding makes, and the warnings."""
        return TREES / f"{self.server}.expected" / f"{self.name}.diff"


def _haproxy(name: str, request: Request, connections: int, *not_on: str) -> Case:
    return Case("haproxy", name, request, connections, not_on=not_on)


def _nginx(
    name: str, request: Request, connections: int, *links: tuple[str, str], not_on: tuple[str, ...] = ()
) -> Case:
    return Case("nginx", name, request, connections, links, not_on)


def _app(sources: tuple[str, ...] = (), ports: tuple[int, ...] = (), **addresses: tuple[str, ...]) -> Request:
    return Request("app", sources, ports, tuple(ServerAddresses(name, found) for name, found in addresses.items()))


_SHOP = ("/etc/nginx/sites-enabled/shop", "/etc/nginx/sites-available/shop")

HAPROXY = (
    _haproxy("agents", _app(_TWO), 6),
    _haproxy("backups_together", _app((), (81, 82), b1=("10.20.0.22",)), 12),
    _haproxy("both_families", _app((*_TWO, "2001:db8:1::1")), 6),
    _haproxy("conditions", _app(_TWO, (81,)), 8, "bullseye"),
    _haproxy("default_server", _app((), (81, 82, 83)), 12),
    _haproxy("dynamic_cookies", _app(_TWO, (81,)), 8),
    _haproxy("hashed", _app(_TWO), 4),
    _haproxy("listen_without_indentation", _app((), (81,)), 4),
    _haproxy("more_addresses", _app((), (), s1=("10.20.0.101", "localhost")), 6),
    _haproxy("named_defaults", _app(_TWO), 2, "bullseye"),
    _haproxy("named_elsewhere", _app(_TWO), 4),
    _haproxy("one_source_already", _app(_TWO), 4),
    _haproxy("pools_and_queues", _app(_TWO, (81,)), 8),
    _haproxy("several_files", _app(_TWO, (81,)), 8),
    _haproxy("tcp_databases", Request("mysql", _TWO, (3307,)), 5),
    _haproxy("tls_to_servers", _app(_TWO, (444,)), 8),
    _haproxy("variables", _app(_TWO, (8081,)), 8),
    _haproxy("web_with_cookies", _app(_TWO, (8081, 8082)), 12),
    _haproxy("windows_editor", _app(_TWO), 4)._replace(crlf=True),
)
NGINX = (
    _nginx("debian_proxy", _app(_TWO, (8081, 8082)), 12, _SHOP),
    _nginx("direct_address", Request("10.20.0.1:8080", _TWO), 4),
    _nginx("fastcgi", _app(_TWO, (9001,)), 8),
    _nginx("grpc", _app(_TWO, (9001,)), 8),
    _nginx("ipv6", _app(("2001:db8:1::1", "2001:db8:1::2"), (81,)), 8),
    _nginx("memcached", _app(_TWO), 4),
    _nginx("more_addresses", _app(("10.30.0.1",), (), **{"10.20.0.1": ("10.20.0.101", "10.20.0.102")}), 6),
    _nginx("names", Request("App_1.example", _TWO, (8081,)), 4),
    _nginx("nested", _app(_TWO, (81, 82)), 6),
    _nginx("no_conf_d", _app((*_TWO, "10.30.0.3"), (81,)), 6),
    _nginx("one_line", _app(_TWO, (81,)), 8),
    _nginx("scgi", _app(_TWO), 4),
    _nginx("several_lines", _app((), (81, 82)), 9),
    _nginx("shared_snippet", _app(_TWO, (81,)), 8),
    _nginx("stream_database", Request("mysql", _TWO, (3307,)), 8),
    _nginx("unix_beside", _app((), (81, 82)), 3),
    _nginx("uwsgi", _app((), (9001,)), 4),
    _nginx("windows_editor", _app(_TWO, (81,)), 8)._replace(crlf=True),
)
CASES = HAPROXY + NGINX
