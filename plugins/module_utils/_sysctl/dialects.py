# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How each loader reads a line of a sysctl file. A line that it passes over is passed over here, and told."""

import re
from typing import Iterator, List, NamedTuple, Optional, Tuple

from . import keys
from .statement import Parsed, Skipped, Statement

#: LONG_LINE_MAX of systemd: a longer line ends the reading of the file
_SYSTEMD_LONGEST = 1 << 20
_NOT_AN_ASSIGNMENT = "it is no assignment"


class Dialect(NamedTuple):
    """What a loader's version can do. ``patterns``: globs, and ``-key`` alone as an exception from them."""

    name: str
    patterns: bool


def parse_systemd(path: str, data: bytes, patterns: bool) -> Parsed:
    """systemd-sysctl (``parse_file``, src/sysctl/sysctl.c).

    :param patterns: whether its version knows globs, and ``-key`` without a value (since 246).
    """
    parsed = Parsed([], [])
    for number, raw in _lines(data, rb"[\r\0]"):
        if len(raw) >= _SYSTEMD_LONGEST:
            parsed.skipped.append(Skipped(path, number, "it is longer than 1 MiB: systemd-sysctl reads no further"))
            break
        line = _text(raw).strip(" \t\n\r")
        if not line or line[0] in "#;":
            continue
        key, equals, value = line.partition("=")
        given: Optional[str] = value.strip(" \t\n\r")
        if not equals:
            if not (patterns and line[0] == "-"):
                parsed.skipped.append(Skipped(path, number, _NOT_AN_ASSIGNMENT))
                continue
            given = None
        key = key.strip(" \t\n\r")
        if key.startswith("-"):
            key = key[1:].strip(" \t\n\r") if patterns else key[1:]
        target = keys.simplified(keys.as_path(key))
        # versions before 249 follow two dots, later ones refuse them
        dots = ".." in target.split("/")
        parsed.statements.append(Statement(path, number, keys.resolved(target), given, sure=not dots))
    return parsed


def parse_procps_3(path: str, data: bytes) -> Parsed:
    """procps before 4.0 (``Preload``, sysctl.c): no patterns, and a line without a value is none."""
    parsed = Parsed([], [])
    for number, raw in _lines(data):
        line = _before_nul(raw).rstrip(" \t\n\r").lstrip(" \t")
        if len(line) < 2 or line[0] in "#;":
            continue
        # strtok() passes over what it splits at
        key, _equals, value = line.lstrip("=").partition("=")
        value = re.split(r"[\r\n]", value.lstrip("\r\n"))[0].lstrip(" \t")
        if not key or not value:
            parsed.skipped.append(Skipped(path, number, _NOT_AN_ASSIGNMENT if not value else "it names no key"))
            continue
        key = key.rstrip(" \t\n\r")
        parsed.statements.append(Statement(path, number, _opened(key[1:] if key.startswith("-") else key), value))
    return parsed


def parse_procps_4(path: str, data: bytes) -> Parsed:
    """procps since 4.0 (``parse_setting_line``, src/sysctl.c)."""
    white = " \t\n\v\f\r"
    parsed = Parsed([], [])
    for number, raw in _lines(data):
        line = _before_nul(raw).lstrip(white)
        if len(line) + 1 < 2 or line[0] in "#;":
            continue
        key, equals, value = line.partition("=")
        given: Optional[str] = value.strip(white)
        if not equals:
            if line[0] != "-":
                parsed.skipped.append(Skipped(path, number, _NOT_AN_ASSIGNMENT))
                continue
            given = None
        key = (key[1:] if key.startswith("-") else key).rstrip(white)
        target = keys.as_path(key[1:] if key.startswith("-") else key)
        # what it compares is the text, so a pattern stays as it is
        parsed.statements.append(
            Statement(path, number, target if keys.is_pattern(target) else keys.resolved(target), given)
        )
    return parsed


def parse_tuned(path: str, data: bytes, swaps: bool) -> Parsed:
    """TuneD when it applies the system's files again (``_apply_sysctl_config_line``, plugin_sysctl.py).

    :param swaps: whether its version turns the slashes of a key into dots as it turns dots into slashes.
    """
    parsed = Parsed([], [])
    for number, raw in _lines(data, rb"\r"):
        line = _text(raw).strip()
        if not line or line[0] in "#;":
            continue
        key, equals, value = line.partition("=")
        if not equals or not key.strip():
            parsed.skipped.append(Skipped(path, number, _NOT_AN_ASSIGNMENT))
            continue
        parsed.statements.append(Statement(path, number, tuned_target(key.strip(), swaps), value.strip()))
    return parsed


def tuned_target(key: str, swaps: bool) -> str:
    """The path that TuneD opens for a key (``_get_sysctl_path``): it knows no other spelling than one with dots."""
    return keys.resolved(keys.dotted(key) if swaps else key.replace(".", "/"))


def _opened(key: str) -> str:
    return keys.resolved(keys.as_path(key))


def _lines(data: bytes, also_end: Optional[bytes] = None) -> Iterator[Tuple[int, bytes]]:
    """``(number, line)``: one line of an editor may be several of the loader's."""
    for number, line in enumerate(data.split(b"\n"), 1):
        pieces: List[bytes] = re.split(also_end, line) if also_end else [line]
        for piece in pieces:
            yield number, piece


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")


def _before_nul(raw: bytes) -> str:
    """C text ends at the first NUL, and the rest of the line is lost with it."""
    return _text(raw.partition(b"\0")[0])
