# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What one TIME-WAIT entry costs, asked from the slab allocator.

An inbound entry is one ``tw_sock_TCP``; the bind buckets belong to the listening port. An outbound one has,
besides, a bind bucket for its local port and, where the kernel has them (6.1), one for (port, address).
A cache of the same size as another is merged into it and shows as a link to an alias (``sysfs_slab_alias``).
"""

from contextlib import suppress
from typing import NamedTuple, Optional, Tuple

from .errors import KernelReadError, MissingError
from .running import RunningKernel
from .symbols import Symbols

_PAGE_BYTES = 4096
_POINTER_BYTES = 8
_CACHE_LINE_BYTES = 64

#: Linux 6.18 x86-64, in whole cache objects: 248 B rounded up to 256, two buckets of 128 each
ESTIMATED_INBOUND_BYTES = 256
ESTIMATED_OUTBOUND_BYTES = 512


class EntrySize(NamedTuple):
    """Bytes of one TIME-WAIT entry by direction; ``source`` is ``slab``, ``btf`` or ``estimate``."""

    inbound: int
    outbound: int
    source: str


def read_entry_size(kernel: RunningKernel, symbols: Symbols) -> Tuple[EntrySize, Optional[KernelReadError]]:
    """``(EntrySize, problem)``: an estimate and the error that made it one, or the kernel's figures and None.

    The slab's own figures are for root; without them the sizes of the structures tell.
    """
    try:
        entry = _object_bytes(kernel, "tw_sock_TCP")
        buckets = _object_bytes(kernel, "tcp_bind_bucket")
        with suppress(MissingError):  # before 6.1
            buckets += _object_bytes(kernel, "tcp_bind2_bucket")
        return EntrySize(entry, entry + buckets, "slab"), None
    except KernelReadError as error:
        with suppress(KernelReadError):
            return _from_structures(symbols), None
        return EntrySize(ESTIMATED_INBOUND_BYTES, ESTIMATED_OUTBOUND_BYTES, "estimate"), error


def _from_structures(symbols: Symbols) -> EntrySize:
    """Structures rounded up as SLUB does it (``calculate_sizes``)."""
    sizes = []
    for name in ("tcp_timewait_sock", "inet_bind_bucket", "inet_bind2_bucket"):
        structure = symbols.structure(name)
        sizes.append(structure.size if structure else 0)
    entry, bucket, bucket2 = sizes
    if not entry or not bucket or max(sizes) > _PAGE_BYTES - _CACHE_LINE_BYTES:
        raise KernelReadError("BTF", "no structure of TIME-WAIT in it")
    # SLAB_TYPESAFE_BY_RCU keeps the pointer to the next free object outside of the object
    inbound = _share(_rounded(entry, _POINTER_BYTES) + _POINTER_BYTES)
    # SLAB_HWCACHE_ALIGN; before 6.1 there is no second bucket, whose size is 0 then
    buckets = sum(_share(_rounded(size, _CACHE_LINE_BYTES)) for size in (bucket, bucket2) if size)
    return EntrySize(inbound, inbound + buckets, "btf")


def _rounded(size: int, unit: int) -> int:
    return -(-size // unit) * unit


def _share(size: int) -> int:
    """Bytes of an object in a slab of one page, its share of the waste included."""
    return _PAGE_BYTES // (_PAGE_BYTES // size)


def _object_bytes(kernel: RunningKernel, cache: str) -> int:
    """Bytes that an object takes up, its share of the slab's waste included."""
    folder = "/sys/kernel/slab/" + cache
    try:
        objects = _number(kernel, folder + "/objs_per_slab")
        if objects > 0:
            return (_PAGE_BYTES << _number(kernel, folder + "/order")) // objects
        raise KernelReadError(folder, "no objects in a slab")
    except MissingError:
        # SLAB, the allocator before 6.8 in some distributions, has no folder: slabinfo lists every cache, unless merged
        return _from_slabinfo(kernel, cache)


def _number(kernel: RunningKernel, path: str) -> int:
    text = kernel.read_text(path).strip()
    if not text.isdigit():
        raise KernelReadError(path, "not a number: %.40r" % text)
    return int(text)


def _from_slabinfo(kernel: RunningKernel, cache: str) -> int:
    path = "/proc/slabinfo"
    for line in kernel.read_text(path).splitlines():
        fields = line.split()
        if fields and fields[0] == cache:
            # name, active, total, object size, objects per slab, pages per slab
            if len(fields) < 6 or not all(field.isdigit() for field in fields[1:6]) or not int(fields[4]):
                raise KernelReadError(path, "the line of %s is not one of the kernel's" % cache)
            return int(fields[5]) * _PAGE_BYTES // int(fields[4])
    raise MissingError(path, "no cache %s" % cache)
