# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a file is: read without following links, and compared in one place."""

import errno
import os
import stat
from typing import NamedTuple, Tuple

from .errors import TransactionError, why

#: Beyond it, something is no configuration file, and a journal is no place for it.
_MOST_BYTES = 16 << 20

#: Made by the kernel out of the content: copied to other content they would bar the file.
_OF_THE_CONTENT = ("security.evm", "security.ima")


class FileState(NamedTuple):
    """``kind``: absent, file, link (``content`` is its target) or other (a folder, a device …). ``links``: names."""

    kind: str
    content: bytes = b""
    mode: int = 0
    uid: int = 0
    gid: int = 0
    xattrs: Tuple[Tuple[str, bytes], ...] = ()
    links: int = 1


ABSENT = FileState("absent")


def read_state(path: str) -> FileState:
    """State of what stands at a path; a link is read, not followed.

    :raises TransactionError: when it cannot be read.
    """
    try:
        return _read(path)
    except OSError as error:
        if error.errno == errno.ENOENT:
            return ABSENT
        raise TransactionError("%s cannot be read: %s" % (path, why(error))) from None


def _read(path: str) -> FileState:
    found = os.lstat(path)
    if stat.S_ISLNK(found.st_mode):
        return FileState("link", os.fsencode(os.readlink(path)), 0o777, found.st_uid, found.st_gid)
    if not stat.S_ISREG(found.st_mode):
        return FileState("other")
    with open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK), "rb") as stream:
        found = os.fstat(stream.fileno())
        if not stat.S_ISREG(found.st_mode):
            return FileState("other")
        content = stream.read(_MOST_BYTES + 1)
        if len(content) > _MOST_BYTES:
            raise TransactionError("%s is larger than %d MiB: no configuration file" % (path, _MOST_BYTES >> 20))
        xattrs = _read_xattrs(stream.fileno())
    mode = stat.S_IMODE(found.st_mode)
    return FileState("file", content, mode, found.st_uid, found.st_gid, xattrs, found.st_nlink)


def _read_xattrs(descriptor: int) -> Tuple[Tuple[str, bytes], ...]:
    """ACLs (``system.posix_acl_access``), SELinux context (``security.selinux``) and the others: xattr(7)."""
    try:
        names = sorted(os.listxattr(descriptor))
    except OSError as error:
        if error.errno in (errno.ENOTSUP, errno.ENOSYS):
            return ()
        raise
    return tuple((name, os.getxattr(descriptor, name)) for name in names if name not in _OF_THE_CONTENT)


def same(one: FileState, other: FileState) -> bool:
    """Whether two states are the same content.

    Owner, mode and the like do not count: no step changes those of a file that exists, and one that somebody
    changes afterwards is kept when the content is put back.
    """
    return one.kind == other.kind and one.content == other.content


def metadata(state: FileState) -> Tuple[object, ...]:
    """What a file has besides its content."""
    return state.mode, state.uid, state.gid, state.xattrs


def torn(found: FileState, one: FileState, other: FileState) -> bool:
    """Whether a file is on its way between two contents, as writing in place leaves it when it is interrupted.

    Every byte is then that of one content or of the other; only files with several names are written in place.
    """
    if not (found.kind == one.kind == other.kind == "file" and found.links > 1):
        return False
    shorter, longer = sorted((one.content, other.content), key=len)
    if not len(shorter) <= len(found.content) <= len(longer):
        return False
    return all(
        byte == longer[place] or (place < len(shorter) and byte == shorter[place])
        for place, byte in enumerate(found.content)
    )


def resolve(path: str) -> str:
    """Where the content of a path stands: behind its links.

    :raises TransactionError: when the links lead nowhere or round in a circle.
    """
    if not os.path.isabs(path) or "\0" in path:
        raise TransactionError("%r is no absolute path" % path)
    if os.path.islink(path):
        try:
            os.stat(path)
        except OSError as error:
            reason = "there is no such file" if error.errno == errno.ENOENT else why(error)
            raise TransactionError("%s is a symbolic link to %s: %s" % (path, os.readlink(path), reason)) from None
        return os.path.realpath(path)
    return own_name(path)


def own_name(path: str) -> str:
    """The path with the links of its folder resolved, not its own: one name for one file."""
    folder, name = os.path.split(os.path.normpath(path))
    if not os.path.isabs(path) or "\0" in path or not name:
        raise TransactionError("%r is no absolute path of a file" % path)
    return os.path.join(os.path.realpath(folder), name)
