# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Types of the running kernel out of its BTF (Documentation/bpf/btf.rst): sizes, members, functions, parameters.

A walk over all types of a kernel, 130 000 of them, takes a twentieth of a second in Python and more on older
machines. So the few names that are wanted are searched as text, and the types by the offset of their name, both at
the speed of memory. A number that merely looks like such an offset is told from a type by what follows it.
"""

import struct
from typing import Dict, Iterator, List, NamedTuple, Optional, Tuple

from .errors import KernelReadError

PATH = "/sys/kernel/btf/vmlinux"

_MAGIC = 0xEB9F
_VERSION = 1
_HEADER_BYTES = 24
_TYPE_BYTES = 12
_MEMBER_BYTES = 12
_PARAMETER_BYTES = 8

_STRUCT, _FUNC, _FUNC_PROTO = 4, 12, 13
#: kind -> bytes behind the 12 of ``struct btf_type``: always, and for each of its ``vlen`` parts
_TAILS = {
    1: (4, 0), 2: (0, 0), 3: (12, 0), 4: (0, 12), 5: (0, 12), 6: (0, 8), 7: (0, 0), 8: (0, 0), 9: (0, 0), 10: (0, 0),
    11: (0, 0), 12: (0, 0), 13: (0, 8), 14: (4, 0), 15: (0, 12), 16: (0, 0), 17: (4, 0), 18: (0, 0), 19: (0, 12),
}
#: how many types behind a candidate must be types as well. One that begins in the middle of another type is out of
#: step with those that follow, and soon meets a name that is none
_PROOF = 8
#: more candidates of the right kind than this for one name are no kernel's, and each takes time to refute
_CANDIDATES = 100
#: a structure whose first member has another one for its type tells that one's number: types have none of their own,
#: and counting from here spares half of the way to the functions of TCP
_OUTER, _MEMBER, _INNER = "tcp_timewait_sock", "tw_sk", "inet_timewait_sock"


class Struct(NamedTuple):
    """One structure: its bytes and the names of its members, "" for the anonymous ones."""

    size: int
    members: Tuple[str, ...]


class _Type(NamedTuple):
    """``struct btf_type`` at ``at``; ``end`` is where the next one begins, None for a kind of the future."""

    at: int
    name: int
    kind: int
    vlen: int
    value: int
    end: Optional[int]


class Btf:
    """The type information of a kernel.

    :param data: all of /sys/kernel/btf/vmlinux.
    :raises KernelReadError: when it is not BTF.
    """

    def __init__(self, data: bytes) -> None:
        self._data = data
        if len(data) < _HEADER_BYTES:
            raise _malformed("%d bytes, shorter than a header" % len(data))
        for order in ("<", ">"):
            if struct.unpack_from(order + "H", data)[0] == _MAGIC:
                self._order = order
                break
        else:
            raise _malformed("it does not begin with the magic number of BTF")
        header = struct.unpack_from(self._order + "HBBIIIII", data)
        version, length, type_at, type_bytes, string_at, string_bytes = header[1], header[3], *header[4:]
        if version != _VERSION or length < _HEADER_BYTES:
            raise _malformed("version %d with a header of %d bytes" % (version, length))
        self._types = length + type_at
        self._types_end = self._types + type_bytes
        self._strings = length + string_at
        self._strings_end = self._strings + string_bytes
        if max(self._types_end, self._strings_end) > len(data):
            raise _malformed("its sections end beyond its %d bytes" % len(data))
        if type_at % 4 or length % 4:
            raise _malformed("its types are not aligned")
        if not string_bytes or data[self._strings] or data[self._strings_end - 1]:
            raise _malformed("its strings do not begin and end as they must")
        self._word = struct.Struct(self._order + "I")
        self._three = struct.Struct(self._order + "III")
        self._structures: Dict[str, Optional[_Type]] = {}

    def structure(self, name: str) -> Optional[Struct]:
        """The structure of this name, None when there is none.

        :raises KernelReadError: when the types contradict each other.
        """
        found = self._structure(name)
        return Struct(found.value, tuple(self._part_names(found, _MEMBER_BYTES))) if found else None

    def parameters(self, name: str) -> Optional[Tuple[str, ...]]:
        """Names of the parameters of a function, None when there is no such function.

        A function that the compiler took into all its callers is not in BTF.

        :raises KernelReadError: when the types contradict each other.
        """
        for function in self._named(name, _FUNC):
            for first in (self._nearest(function.value), (1, self._types)):
                prototype = self._nth(function.value, first)
                if prototype and prototype.kind == _FUNC_PROTO:
                    return tuple(self._part_names(prototype, _PARAMETER_BYTES))
            raise _malformed("function %s has no prototype" % name)
        return None

    def has_function(self, name: str) -> bool:
        """Whether there is a function of this name."""
        return any(True for _found in self._named(name, _FUNC))

    def _structure(self, name: str) -> Optional[_Type]:
        if name not in self._structures:
            self._structures[name] = next(self._named(name, _STRUCT), None)
        return self._structures[name]

    def _named(self, name: str, kind: int) -> Iterator[_Type]:
        """Types of a kind and a name, those first whose name is a string of its own and not the tail of another."""
        candidates = 0
        for offset in self._offsets(name):
            for at in self._places(offset):
                found = self._type(at)
                if found is None or found.kind != kind:
                    continue
                candidates += 1
                if candidates > _CANDIDATES:
                    raise _malformed("too many types seem to be called %s" % name)
                if self._is_proved(found):
                    yield found

    def _offsets(self, name: str) -> List[int]:
        """Where a name stands in the strings, each of which a NUL ends."""
        text = name.encode("ascii") + b"\0"
        own: List[int] = []
        tails: List[int] = []
        at = self._data.find(text, self._strings, self._strings_end)
        while at >= 0:
            (tails if self._data[at - 1] else own).append(at - self._strings)
            at = self._data.find(text, at + 1, self._strings_end)
        return own + tails

    def _places(self, offset: int) -> Iterator[int]:
        """Where the words of the types have this value."""
        wanted = self._word.pack(offset)
        at = self._data.find(wanted, self._types, self._types_end)
        while at >= 0:
            if (at - self._types) % 4 == 0:
                yield at
            at = self._data.find(wanted, at + 1, self._types_end)

    def _type(self, at: int) -> Optional[_Type]:
        """The type that begins here, None when none can."""
        if at + _TYPE_BYTES > self._types_end:
            return None
        name, info, value = self._three.unpack_from(self._data, at)
        kind, vlen = info >> 24 & 0x1F, info & 0xFFFF
        # bits that no kind has (``BTF_INFO_MASK``); a name lies in the strings
        if info & 0x60FF0000 or not kind or name >= self._strings_end - self._strings:
            return None
        tail = _TAILS.get(kind)
        if tail is None:
            return _Type(at, name, kind, vlen, value, None)
        end = at + _TYPE_BYTES + tail[0] + tail[1] * vlen
        return _Type(at, name, kind, vlen, value, end) if end <= self._types_end else None

    def _is_proved(self, first: _Type) -> bool:
        """Whether a candidate and the types behind it are what they seem."""
        if first.kind == _STRUCT and not self._has_sound_members(first):
            return False
        # vlen is the linkage, ``enum btf_func_linkage``
        if first.kind == _FUNC and (first.vlen > 2 or not first.value):
            return False
        one: Optional[_Type] = first
        for _number in range(_PROOF):
            if one is None:
                return False
            if one.end is None or one.end == self._types_end:
                return True
            one = self._type(one.end)
        return one is not None

    def _has_sound_members(self, found: _Type) -> bool:
        size_bits = found.value * 8
        is_bitfield = self._word.unpack_from(self._data, found.at + 4)[0] >> 31
        for name, type_id, offset in self._three.iter_unpack(self._data[found.at + _TYPE_BYTES : found.end]):
            if name >= self._strings_end - self._strings or not type_id:
                return False
            # with kind_flag the upper byte is the width of a bit field
            if (offset & 0xFFFFFF if is_bitfield else offset) > size_bits:
                return False
        return True

    def _part_names(self, found: _Type, width: int) -> Iterator[str]:
        start = found.at + _TYPE_BYTES
        for at in range(start, start + found.vlen * width, width):
            yield self._string(self._word.unpack_from(self._data, at)[0])

    def _string(self, offset: int) -> str:
        start = self._strings + offset
        if start >= self._strings_end:
            raise _malformed("a name beyond its strings")
        return self._data[start : self._data.index(b"\0", start)].decode("ascii", "replace")

    def _nth(self, number: int, first: Tuple[int, int]) -> Optional[_Type]:
        """A type by its number, counted from another one of known number and place: only a walk finds it."""
        data, unpack, end = self._data, self._word.unpack_from, self._types_end
        start, at = first
        for _number in range(start, number):
            if at + _TYPE_BYTES > end:
                return None
            info = unpack(data, at + 4)[0]
            tail = _TAILS.get(info >> 24 & 0x1F)
            if tail is None:
                raise _malformed("a type of unknown kind %d" % (info >> 24 & 0x1F))
            at += _TYPE_BYTES + tail[0] + tail[1] * (info & 0xFFFF)
        return self._type(at)

    def _nearest(self, number: int) -> Tuple[int, int]:
        """A type to count from that is not behind this one: its number and its place."""
        outer, inner = self._structure(_OUTER), self._structure(_INNER)
        if outer and inner and outer.vlen:
            name, inner_number, _offset = self._three.unpack_from(self._data, outer.at + _TYPE_BYTES)
            if self._string(name) == _MEMBER and inner_number <= number:
                return inner_number, inner.at
        return 1, self._types


def _malformed(reason: str) -> KernelReadError:
    return KernelReadError(PATH, "not the BTF of a kernel: %s" % reason)
