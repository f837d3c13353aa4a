# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes BTF, and reads it by walking over every type: what the search is compared with."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from typing import Any

_HEADER = "HBBIIIII"
#: kind -> bytes behind the 12 of a type: always, and for each part
_TAILS = {1: (4, 0), 3: (12, 0), 4: (0, 12), 5: (0, 12), 6: (0, 8), 13: (0, 8), 14: (4, 0), 15: (0, 12), 17: (4, 0),
          19: (0, 12)}


def build_btf(
    structures: dict[str, tuple[int, tuple[str, ...]]] | None = None,
    functions: dict[str, tuple[str, ...]] | None = None,
    order: str = "<",
    before: Any = (),
    after: Any = (),
) -> bytes:
    """BTF with these types.

    ``structures``: name -> (bytes, names of members). ``functions``: name -> names of parameters. ``before`` and
    ``after``: words of types that stand in front of them and behind them.
    """
    strings = bytearray(b"\0")
    words: list[int] = []
    count = len(before)

    def name(text: str) -> int:
        if not text:
            return 0
        at = strings.find(b"\0" + text.encode() + b"\0")
        if at < 0:
            at = len(strings) - 1
            strings.extend(text.encode() + b"\0")
        return at + 1

    def add(*fields: int) -> int:
        nonlocal count
        words.extend(fields)
        count += 1
        return count

    for one in before:
        words.extend(one)
    number = add(name("int"), 1 << 24, 4, 32)
    for text, (size, members) in (structures or {}).items():
        fields = [field for member in members for field in (name(member), number, 0)]
        add(name(text), 4 << 24 | len(members), size, *fields)
    for text, parameters in (functions or {}).items():
        fields = [field for parameter in parameters for field in (name(parameter), number)]
        prototype = add(0, 13 << 24 | len(parameters), number, *fields)
        add(name(text), 12 << 24 | 1, prototype)
    for one in after:
        words.extend(one)
    types = struct.pack("%s%dI" % (order, len(words)), *words)
    header = struct.pack(order + _HEADER, 0xEB9F, 1, 0, 24, 0, len(types), len(types), len(strings))
    return header + types + bytes(strings)


def walk(data: bytes) -> tuple[dict[str, tuple[int, tuple[str, ...]]], dict[str, tuple[str, ...]]]:
    """``(structures, functions)`` as ``build_btf`` takes them, the first of each name, of sound BTF."""
    order = "<" if data[0] == 0x9F else ">"
    length, type_at, type_bytes, string_at = struct.unpack_from(order + "IIII", data, 4)
    at, end = length + type_at, length + type_at + type_bytes
    strings = length + string_at

    def text(offset: int) -> str:
        start = strings + offset
        return data[start : data.index(b"\0", start)].decode()

    def read(places: Iterable[int]) -> tuple[str, ...]:
        return tuple(text(struct.unpack_from(order + "I", data, place)[0]) for place in places)

    structures: dict[str, tuple[int, tuple[str, ...]]] = {}
    prototypes: dict[int, list[int]] = {}
    functions: dict[str, int] = {}
    number = 0
    while at < end:
        number += 1
        name, info, value = struct.unpack_from(order + "III", data, at)
        kind, parts = info >> 24 & 31, info & 0xFFFF
        always, each = _TAILS.get(kind, (0, 0))
        inner = at + 12
        at = inner + always + each * parts
        if kind == 4 and name:
            structures.setdefault(text(name), (value, read(range(inner, at, each))))
        elif kind == 13:
            prototypes[number] = list(range(inner, at, each))
        elif kind == 12:
            functions.setdefault(text(name), value)

    return structures, {name: read(prototypes[number]) for name, number in functions.items()}
