# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keys of sysctl files: their two spellings, their patterns, and which of them matter here."""

import re
from typing import FrozenSet, Iterable, List, NamedTuple

from .._kernel import sysctls

#: the keys whose files are followed, as paths below /proc/sys
OURS = tuple(sorted(path[len("/proc/sys/") :] for path in sysctls.FILES.values()))



class Followed(NamedTuple):
    """``asked``: the keys to tell about. ``present``: those that the kernel has, which patterns stand for."""

    asked: FrozenSet[str]
    present: FrozenSet[str]


_SEPARATOR = re.compile("[./]")
_PATTERN = re.compile(r"[*?[]")


def dotted(path: str) -> str:
    """``net.ipv4.x`` for ``net/ipv4/x``: the name that people know."""
    return path.translate({ord("/"): ".", ord("."): "/"})


def as_path(key: str) -> str:
    """A key as a path below /proc/sys.

    When its first separator is a dot, dots and slashes change places; else it is a path already
    (``sysctl_normalize`` of systemd, ``slashdot`` of procps).
    """
    first = _SEPARATOR.search(key)
    return dotted(key) if first and first.group() == "." else key


def simplified(path: str) -> str:
    """Without doubled, leading and trailing slashes, and parts that are a dot (``path_simplify`` of systemd)."""
    return "/".join(part for part in path.split("/") if part not in ("", "."))


def resolved(path: str) -> str:
    """What open() makes of a path below /proc/sys: also parts that are two dots. A trailing slash opens no file."""
    parts: List[str] = []
    for part in path.split("/"):
        if part == "..":
            del parts[-1:]
        elif part not in ("", "."):
            parts.append(part)
    return "/".join(parts) + ("/" if path.endswith("/") else "")


def is_pattern(path: str) -> bool:
    """Whether it has a character of glob(7)."""
    return bool(_PATTERN.search(path))


def matching(pattern: str, paths: Iterable[str]) -> List[str]:
    """Those of some paths that glob(3) would expand a pattern to, if they were all that there is."""
    parts = [re.compile(_expression(part) + r"\Z", re.DOTALL) for part in pattern.split("/")]
    return [
        path
        for path in paths
        if len(path.split("/")) == len(parts) and all(one.match(part) for one, part in zip(parts, path.split("/")))
    ]


def _expression(part: str) -> str:
    """Regular expression of one part of a path pattern, glob(7)."""
    found = []
    at = 0
    while at < len(part):
        character = part[at]
        at += 1
        if character == "*":
            found.append(".*")
        elif character == "?":
            found.append(".")
        elif character == "\\" and at < len(part):
            found.append(re.escape(part[at]))
            at += 1
        elif character == "[":
            # a bracket that comes first stands for itself
            end = part.find("]", at + 2 if part[at : at + 1] in ("!", "^") else at + 1)
            if end < 0:
                found.append(re.escape(character))
                continue
            found.append(_set(part[at:end]))
            at = end + 1
        else:
            found.append(re.escape(character))
    return "".join(found)


def _set(inside: str) -> str:
    negated = inside[:1] in ("!", "^")
    members = re.sub(r"[^0-9A-Za-z_-]", lambda match: "\\" + match.group(), inside[1:] if negated else inside)
    # a range whose ends are the wrong way round holds nothing, and is no error as it would be for re
    members = re.sub(r"([0-9A-Za-z_])-([0-9A-Za-z_])", lambda m: m.group() if m.group(1) <= m.group(2) else "", members)
    if not members:
        return "." if negated else "(?!)"
    return "[%s%s]" % ("^" if negated else "", members)
