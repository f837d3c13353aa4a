# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Connections that are opened again and again and could be used again: the better cure, before an address is spent."""

from typing import NamedTuple


class Unused(NamedTuple):
    """A line that keeps a backend's connections from being used again, or beside which one that lets them is missing.

    ``reason``: one of the keys of ``REASONS``. ``change``: the line to write, and whether in place of this one or where
    else; empty where it is enough to take this one away.
    """

    path: str
    line: int
    backend: str
    reason: str
    change: str


#: what a line does to connections, by its short name
REASONS = {
    "never": "no connection is used for another client's request",
    "closed": "the connection is closed after each response",
    "no-pool": "no idle connection is kept",
    "no-keepalive": "the upstream keeps no idle connections",
    "http-1.0": "the request is of HTTP/1.0, after which servers close the connection",
    "connection-close": "the request tells the server to close the connection",
    "no-upstream": "connections to an address that is no upstream are never kept",
    "fastcgi-closed": "the request tells the FastCGI server to close the connection",
}
