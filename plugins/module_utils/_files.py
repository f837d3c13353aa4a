# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The seam for files of the host: configuration, unit files, whatever an administrator writes.

Read only. A test gives another root; what absolute symbolic links point to is then looked for below it too.
"""

import errno
import fnmatch
import os
import re
import stat
from typing import List

_MOST_BYTES = 1 << 20
#: as many as the kernel follows (MAXSYMLINKS)
_MOST_LINKS = 40
_WILD = re.compile(r"[*?\[]")


class FileError(Exception):
    """A file or folder that cannot be read.

    :param what: its path.
    :param reason: why, and what would help.
    """

    def __init__(self, what: str, reason: str) -> None:
        super().__init__("%s: %s" % (what, reason))
        self.what = what
        self.reason = reason


class MissingFileError(FileError):
    """There is no such file or folder."""


class Files:
    """Files below ``root``. Paths are absolute, as the host names them, also in results and errors."""

    def __init__(self, root: str = "/", most_bytes: int = _MOST_BYTES) -> None:
        self._root = root.rstrip("/")
        self._most_bytes = most_bytes

    def read_text(self, path: str) -> str:
        """Text of a regular file, undecodable bytes replaced; errors as for ``read_bytes``."""
        return self.read_bytes(path).decode("utf-8", "replace")

    def read_bytes(self, path: str) -> bytes:
        """Content of a regular file.

        :raises MissingFileError: when there is none.
        :raises FileError: when it cannot be read, is no regular file or is too large for configuration.
        """
        try:
            # a named pipe would wait for its writer without O_NONBLOCK
            descriptor = os.open(self._real(path), os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
            try:
                if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                    raise FileError(path, "not a regular file")
                with open(descriptor, "rb", closefd=False) as stream:
                    data = stream.read(self._most_bytes + 1)
            finally:
                os.close(descriptor)
        except OSError as error:
            raise _unreadable(path, error) from None
        if len(data) > self._most_bytes:
            raise FileError(path, "larger than %d KiB, so that it is not read" % (self._most_bytes >> 10))
        return data

    def list_names(self, path: str) -> List[str]:
        """Names in a folder, sorted.

        :raises MissingFileError: when there is none.
        :raises FileError: when it cannot be read.
        """
        try:
            return sorted(os.listdir(self._real(path)))
        except OSError as error:
            raise _unreadable(path, error) from None

    def read_link(self, path: str) -> str:
        """Target of a symbolic link as it is written, empty for anything else that is there.

        :raises MissingFileError: when there is nothing.
        """
        try:
            folder, name = os.path.split(path)
            return os.readlink(os.path.join(self._real(folder), name))
        except OSError as error:
            if error.errno == errno.EINVAL:
                return ""
            raise _unreadable(path, error) from None

    def real_path(self, path: str) -> str:
        """Where a path leads: the path of the file itself, whether it is there or not.

        :raises FileError: for links in a circle.
        """
        try:
            return self._real(path)[len(self._root) :] if self._root else os.path.realpath(path)
        except OSError as error:
            raise _unreadable(path, error) from None

    def is_dir(self, path: str) -> bool:
        """Whether a path leads to a folder."""
        try:
            return os.path.isdir(self._real(path))
        except OSError:
            return False

    def glob(self, pattern: str) -> List[str]:
        """Paths that match, sorted. ``*`` stops at a slash and, at the start of a name, leaves out hidden ones.

        :raises FileError: when a folder on the way may not be read.
        """
        found = [""]
        for part in pattern.strip("/").split("/"):
            if _WILD.search(part):
                found = ["%s/%s" % (folder, name) for folder in found for name in self._matching(folder, part)]
            else:
                found = [folder + "/" + part for folder in found]
        return [path for path in found if self._is_there(path)]

    def _matching(self, folder: str, part: str) -> List[str]:
        if not self.is_dir(folder or "/"):
            return []
        names = fnmatch.filter(self.list_names(folder or "/"), part)
        return [name for name in names if part.startswith(".") or not name.startswith(".")]

    def _is_there(self, path: str) -> bool:
        try:
            self.read_link(path)
        except MissingFileError:
            return False
        return True

    def _real(self, path: str) -> str:
        """The path to open: with another root, links are followed here, or they would lead out of it."""
        if not self._root:
            return path
        left = path.strip("/").split("/")
        done: List[str] = []
        links = 0
        while left:
            part = left.pop(0)
            if part in ("", "."):
                continue
            if part == "..":
                del done[-1:]
                continue
            here = "/".join([self._root, *done, part])
            if not os.path.islink(here):
                done.append(part)
                continue
            links += 1
            if links > _MOST_LINKS:
                raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
            target = os.readlink(here)
            if target.startswith("/"):
                done = []
            left = target.split("/") + left
        return "/".join([self._root, *done])


def _unreadable(path: str, error: OSError) -> FileError:
    if error.errno in (errno.ENOENT, errno.ENOTDIR):
        return MissingFileError(path, "there is no such file")
    if error.errno in (errno.EACCES, errno.EPERM):
        return FileError(path, "not permitted: run as root")
    return FileError(path, error.strerror or str(error))
