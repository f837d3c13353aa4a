# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ports out of the ways in which configuration writes an endpoint. Pure text."""

import re
from typing import List, Tuple

Span = Tuple[int, int]

_PORTS = re.compile(r"([0-9]{1,5})(?:-([0-9]{1,5}))?\Z")
_SCHEME = re.compile(r"[A-Za-z][\w+.-]*://")
_PATH = re.compile(r"/.*\Z")


def port_span(text: str) -> List[Span]:
    """A port, or ``first-last``; nothing when it is neither."""
    match = _PORTS.match(text)
    if not match:
        return []
    first, last = int(match.group(1)), int(match.group(2) or match.group(1))
    return [(first, last)] if 1 <= first <= last <= 65535 else []


def endpoint_span(text: str) -> List[Span]:
    """The port of ``80``, ``:80``, ``*:80``, ``10.0.0.1:80``, ``[::1]:80``, ``tcp://host:80/x``; or of a range.

    An address without a port, a path and a Unix socket give nothing.
    """
    text = text.strip().strip("\"'")
    if text.startswith(("/", "@", "unix:")):
        return []
    text = _PATH.sub("", _SCHEME.sub("", text))
    host, colon, port = text.rpartition(":")
    if colon and (":" not in host or host.endswith("]") or host == "::"):
        return port_span(port)
    return [] if colon else port_span(text)


def endpoint_spans(text: str) -> List[Span]:
    """The same for several, with commas, white space or brackets of a list between and around them."""
    spans: List[Span] = []
    for item in re.split(r"[\s,;{}]+", text):
        spans += endpoint_span(item if re.match(r"[\"']?\[[0-9A-Fa-f:.%]*:", item) else item.strip("[]\"'"))
    return spans
