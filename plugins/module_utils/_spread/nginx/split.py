# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The variable that holds the address a connection comes from: its name, its line, and the file for it. Pure text."""

import fnmatch
import posixpath
import re
import zlib
from typing import Iterator, List, Tuple

from ..._files import Files
from ..._listeners.nginx.syntax import Directive
from ..._listeners.nginx.tree import Context

#: varies from one connection to a server to the next: a client's connection may bring many requests
_KEYS = {"http": "$request_id", "stream": "$remote_addr$remote_port$connection"}
_NAME = "tcpops-timewait-spread.conf"
HEADER = "# Addresses that connections to servers come from, shared out by tcpops.timewait.\n"
_PREFIX = "$tcpops_timewait_"
_ODD = re.compile(r"[^a-z0-9_]")
_WILD = re.compile(r"[*?\[]")


def variable(backend: str) -> str:
    """One for each backend; nginx takes letters, digits and underscores, and makes no difference between cases."""
    plain = _ODD.sub("_", backend.lower())
    return _PREFIX + (plain if plain == backend.lower() else "%s_%08x" % (plain, zlib.crc32(backend.lower().encode())))


def line(kind: str, backend: str, sources: Tuple[str, ...]) -> str:
    """The directive that gives each source an equal part, the last one what rounding leaves."""
    share = 10000 // len(sources)
    parts = ["%g%% %s;" % (share / 100, written(one)) for one in sources[:-1]]
    parts.append("* %s;" % written(sources[-1]))
    return 'split_clients "%s" %s { %s }' % (_KEYS[kind], variable(backend), " ".join(parts))


def written(source: str) -> str:
    """An address as a bind directive takes it: one of IPv6 without brackets would be read as one with a port."""
    return "[%s]" % source if ":" in source else source


def sources(directive: Directive) -> Iterator[str]:
    """The addresses in such a directive."""
    for one in directive.block.directives if directive.block else []:
        if len(one.words) == 2:
            yield one.words[1].value.strip("[]")


def own_file(files: Files, context: Context, main: str) -> str:
    """Where a file of our own would be read, empty where none would."""
    for path in _includes(context, main):
        folder, pattern = posixpath.split(path)
        ours = _WILD.search(pattern) and not _WILD.search(folder) and fnmatch.fnmatchcase(_NAME, pattern)
        if ours and files.is_dir(folder):
            return posixpath.join(files.real_path(folder), _NAME)
    return ""


def _includes(context: Context, main: str) -> List[str]:
    """Patterns for pieces of configuration that the block includes itself."""
    block = context.at.directive.block
    return [
        posixpath.join(posixpath.dirname(main), one.words[1].value)
        for one in (block.directives if block else [])
        if one.name == "include" and len(one.words) == 2 and one.words[1].value.endswith(".conf")
    ]
