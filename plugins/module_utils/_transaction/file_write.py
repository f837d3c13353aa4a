# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Brings a file into a state: at once by a rename, or in place where it has several names."""

import errno
import os
from contextlib import suppress
from typing import Tuple

from .errors import TransactionError, why
from .file_state import ABSENT, FileState

_SUFFIX = ".tcpops-timewait"
_NAME_MAX = 255
_FOLDER_MODE = 0o755
_ACL = "system.posix_acl_access"


def temporary_path(path: str) -> str:
    """Where a new content is written before it takes the place of the old: no loader of a folder reads such a name."""
    folder, name = os.path.split(path)
    return os.path.join(folder, os.fsdecode(b"." + os.fsencode(name)[: _NAME_MAX - 1 - len(_SUFFIX)]) + _SUFFIX)


def put(path: str, found: FileState, wanted: FileState, folders: Tuple[str, ...], whole: bool = False) -> None:
    """Bring ``path`` from the state that it was found in to the wanted one, on disk when this returns.

    An existing file keeps owner, mode and extended attributes, unless it is ``whole`` that it is to be as wanted; one
    that comes back gets those of ``wanted``.

    :param folders: made for the file: they are made where they are missing, and go with it when they are empty.
    :raises TransactionError: when it cannot be done; the path is then as it was found, or torn when in place.
    """
    try:
        if found.kind == "other":
            raise TransactionError("%s is no regular file any more: move away what stands there" % path)
        if wanted.kind == "absent":
            if found.kind != "absent":
                os.unlink(path)
                sync_folder(os.path.dirname(path))
            remove_folders(folders)
        elif wanted.kind == "file" and found.kind == "file" and found.links > 1 and not whole:
            _overwrite(path, wanted.content)
        else:
            _make_folders(os.path.dirname(path))
            _replace(path, wanted, wanted if whole or found.kind != "file" else found)
    except OSError as error:
        raise TransactionError("%s cannot be written: %s" % (path, why(error))) from None


def tidy(path: str, found: FileState, folders: Tuple[str, ...]) -> None:
    """Take away what an interrupted ``put`` may have left beside the file."""
    try:
        _forget(temporary_path(path))
        if found.kind == ABSENT.kind:
            remove_folders(folders)
    except OSError as error:
        raise TransactionError("%s cannot be removed: %s" % (temporary_path(path), why(error))) from None


def _forget(path: str) -> None:
    # asked first: a read-only file system refuses to remove even what is not there
    if os.path.lexists(path):
        os.unlink(path)


def missing_folders(path: str) -> Tuple[str, ...]:
    """Folders that have to be made before a file can be, outermost first."""
    missing = []
    folder = os.path.dirname(path)
    while not os.path.lexists(folder):
        missing.append(folder)
        folder = os.path.dirname(folder)
    return tuple(reversed(missing))


def _make_folders(folder: str) -> None:
    for one in missing_folders(os.path.join(folder, "x")):
        os.mkdir(one, _FOLDER_MODE)
        os.chmod(one, _FOLDER_MODE)  # whatever the umask of the caller
        sync_folder(os.path.dirname(one))


def remove_folders(folders: Tuple[str, ...]) -> None:
    """Remove those that are empty: one that somebody else uses now stays."""
    for folder in reversed(folders):
        if not os.path.lexists(folder):
            continue
        try:
            os.rmdir(folder)
        except OSError as error:
            if error.errno in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR):
                return
            raise
        sync_folder(os.path.dirname(folder))


def _replace(path: str, wanted: FileState, like: FileState) -> None:
    temporary = temporary_path(path)
    _forget(temporary)
    try:
        if wanted.kind == "link":
            os.symlink(os.fsdecode(wanted.content), temporary)
            os.chown(temporary, wanted.uid, wanted.gid, follow_symlinks=False)
        else:
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
            with open(os.open(temporary, flags, 0o600), "wb", buffering=0) as stream:
                write_all(stream.fileno(), wanted.content)
                _set_metadata(stream.fileno(), like)
                os.fsync(stream.fileno())
        os.rename(temporary, path)
    except OSError:
        with suppress(OSError):  # the reason of the failure is what is told
            _forget(temporary)
        raise
    sync_folder(os.path.dirname(path))


def _set_metadata(descriptor: int, wanted: FileState) -> None:
    """Owner first: chown(2) clears set-user-ID and capabilities. ACL last: an ACL is a mode too."""
    status = os.fstat(descriptor)
    if (status.st_uid, status.st_gid) != (wanted.uid, wanted.gid):
        os.fchown(descriptor, wanted.uid, wanted.gid)
    there = _xattrs_of(descriptor)
    names = {name for name, _value in wanted.xattrs}
    if _ACL in there and _ACL not in names:
        os.removexattr(descriptor, _ACL)  # the folder's default ACL, which the file did not have
    os.fchmod(descriptor, wanted.mode)
    for name, value in wanted.xattrs:
        if there.get(name) != value:
            os.setxattr(descriptor, name, value)


def _xattrs_of(descriptor: int) -> dict:
    try:
        return {name: os.getxattr(descriptor, name) for name in os.listxattr(descriptor)}
    except OSError as error:
        if error.errno in (errno.ENOTSUP, errno.ENOSYS):
            return {}
        raise


def _overwrite(path: str, content: bytes) -> None:
    """The preimage is in the journal: an interrupted write is recognised, and undone from there."""
    with open(os.open(path, os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC), "wb", buffering=0) as stream:
        write_all(stream.fileno(), content)
        os.ftruncate(stream.fileno(), len(content))
        os.fsync(stream.fileno())


def write_all(descriptor: int, content: bytes) -> None:
    """write(2) until everything is written: it may take less than it is given."""
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def sync_folder(path: str) -> None:
    """Names in a folder are on disk only after fsync(2) of the folder itself."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
