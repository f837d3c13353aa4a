# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Typed reading of what the facts say about sysctl files, which is untrusted like the rest of them."""

from __future__ import annotations

from typing import Any, NamedTuple

from .values import count, dictionary, entries, text

#: a host has a handful; what a document has more is not looked at
_MOST = 2000


class FileLine(NamedTuple):
    """A line of a file that is about one key. ``loader`` is empty for a line of a script."""

    path: str
    line: int
    key: str
    value: str | None
    loader: str
    wins: bool

    @property
    def place(self) -> str:
        return f"{self.path}:{self.line}"


class LoaderValue(NamedTuple):
    """What one loader leaves for one key: ``value`` is None where it sets nothing that counts."""

    loader: str
    value: str | None
    place: str | None


class PersistedKey(NamedTuple):
    """What the files say of one key. ``in_kernel``, ``agree`` and ``drift`` are None where that cannot be told."""

    key: str
    in_kernel: bool | None
    loaders: list[LoaderValue]
    agree: bool | None
    persisted: str | None
    persisted_by: str
    running: str | None
    drift: bool | None


class Persisted(NamedTuple):
    """``lines`` in the order of the facts, ``scripts`` the lines of scripts."""

    lines: list[FileLine]
    keys: list[PersistedKey]
    scripts: list[FileLine]


def read_persisted(raw: dict[str, Any]) -> Persisted | None:
    """None when the document has no such part, or one that is none."""
    lines, summary = entries(raw.get("sysctl_files")), raw.get("sysctl_persisted")
    if lines is None or not isinstance(summary, dict):
        return None
    keys = [_key(text(name), dictionary(one)) for name, one in list(dictionary(summary.get("keys")).items())[:_MOST]]
    return Persisted(_lines(lines), keys, _lines(entries(summary.get("scripts")) or []))


def _lines(raw: list[Any]) -> list[FileLine]:
    found = []
    for entry in raw[:_MOST]:
        one = dictionary(entry)
        number = count(one.get("line"))
        if number is None or not isinstance(one.get("path"), str) or not isinstance(one.get("key"), str):
            continue
        value = one.get("value")
        found.append(
            FileLine(
                text(one["path"]),
                number,
                text(one["key"]),
                text(value, "") if isinstance(value, str) else None,
                text(one.get("loader"), ""),
                one.get("wins") is True,
            )
        )
    return found


def _key(name: str, raw: dict[str, Any]) -> PersistedKey:
    running = raw.get("running")
    loaders = []
    for loader, entry in list(dictionary(raw.get("loaders")).items())[:_MOST]:
        one = dictionary(entry)
        winner = dictionary(one.get("winner"))
        number = count(winner.get("line"))
        loaders.append(
            LoaderValue(
                text(loader),
                _shown(one.get("value")),
                f"{text(winner.get('path'))}:{number}" if number is not None else None,
            )
        )
    return PersistedKey(
        name,
        _truth(raw.get("in_kernel")),
        loaders,
        _truth(raw.get("agree")),
        _shown(raw.get("persisted")),
        text(raw.get("persisted_by")),
        str(running) if count(running) is not None else _shown(running),
        _truth(raw.get("drift")),
    )


def _shown(value: object) -> str | None:
    return text(value, "") if isinstance(value, str) else None


def _truth(value: object) -> bool | None:
    return value if isinstance(value, bool) else None
