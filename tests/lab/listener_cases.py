# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is asked of the configurations in tests/unit/fixtures/listeners, a folder a case.

Their symbolic links are in a file: a repository is no place for links that lead out of it.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import NamedTuple

TREES = Path(__file__).resolve().parents[1] / "unit" / "fixtures" / "listeners"
_LINKS = json.loads((TREES / "links.json").read_text())


class Case(NamedTuple):
    """``listeners``: that ``add`` brings. ``not_on``: releases whose server does not know what it says."""

    server: str
    name: str
    existing_port: int
    ports: tuple[int, ...]
    listeners: int
    not_on: tuple[str, ...] = ()

    def make(self, root: Path) -> None:
        """Put the files and links into a folder that is not there yet: it stands for the root of a host."""
        shutil.copytree(TREES / self.server / self.name, root)
        for path, target in _LINKS.get(f"{self.server}/{self.name}", {}).items():
            link = root / path.lstrip("/")
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(target)


HAPROXY = (
    Case("haproxy", "bind_on_last_line", 80, (81, 82), 2),
    Case("haproxy", "built_from_source", 8080, (8081,), 1),
    Case("haproxy", "conditional_blocks", 8080, (8082, 8083), 2, ("bullseye",)),
    Case("haproxy", "debian_web", 80, (81, 82, 83), 3),
    Case("haproxy", "families", 8080, (8081, 8082), 4),
    # no QUIC in Debian's build: OpenSSL
    Case("haproxy", "http3", 443, (444,), 1, ("bullseye", "bookworm", "trixie")),
    Case("haproxy", "kubernetes_api", 6443, (6444, 6445, 6446), 3),
    Case("haproxy", "list_of_addresses", 8080, (8081, 8082), 6),
    Case("haproxy", "lua_and_maps", 80, (81,), 1),
    Case("haproxy", "mailcow_style", 143, (144, 145), 2),
    Case("haproxy", "named_defaults", 80, (81,), 1, ("bullseye",)),
    Case("haproxy", "names_and_ids", 8080, (8081, 8082), 6),
    Case("haproxy", "no_indentation", 1936, (1938,), 1),
    Case("haproxy", "peers_and_resolvers", 10000, (10001,), 1),
    Case("haproxy", "proxy_protocol", 443, (444, 445), 2),
    Case("haproxy", "quotes_and_comments", 8080, (8083, 8084), 6),
    Case("haproxy", "range_of_ports", 8002, (8010, 8011), 4),
    Case("haproxy", "redhat", 5000, (5003, 5004), 2),
    Case("haproxy", "several_files", 80, (81, 82), 6),
    Case("haproxy", "tcp_databases", 3306, (3307,), 2),
    Case("haproxy", "tls_with_redirect", 443, (444, 445), 4),
    Case("haproxy", "unix_and_abstract", 443, (444,), 1),
)
APACHE = (
    Case("apache", "addresses_and_ipv6", 80, (81, 82), 6),
    Case("apache", "continued_and_quoted", 80, (82, 83), 2),
    Case("apache", "control_panel", 80, (81,), 2),
    Case("apache", "debian_default", 80, (81, 82, 83), 3),
    Case("apache", "debian_tls", 443, (444, 445), 4),
    Case("apache", "defined_ports", 80, (81,), 2),
    Case("apache", "macros", 80, (81,), 1),
    Case("apache", "name_based", 80, (81, 82), 2),
    Case("apache", "no_final_newline", 80, (81, 82), 2),
    Case("apache", "old_name_virtual_host", 80, (81,), 1),
    Case("apache", "proxy_protocol", 80, (81,), 1),
    Case("apache", "redhat_default", 80, (81,), 1),
    Case("apache", "redhat_tls", 443, (444,), 1),
    Case("apache", "reverse_proxy", 443, (8444,), 2),
    Case("apache", "server_name_with_port", 80, (81, 82), 2),
    Case("apache", "upstream_image", 80, (81,), 1),
    Case("apache", "wordpress", 80, (81, 82), 2),
)
SYSTEMD = (
    Case("systemd_socket", "accept", 20079, (20081, 20082), 2),
    Case("systemd_socket", "addresses", 20080, (20081,), 2),
    Case("systemd_socket", "disabled_beside", 20080, (20081,), 1),
    Case("systemd_socket", "families", 20080, (20081, 20082), 4),
    Case("systemd_socket", "plain", 20080, (20081, 20082, 20083), 3),
    Case("systemd_socket", "reset_by_drop_in", 20222, (20224,), 1),
    Case("systemd_socket", "template", 20080, (20081,), 1),
    Case("systemd_socket", "two_for_one", 20080, (20081, 20082), 2),
)
CASES = HAPROXY + APACHE + SYSTEMD
