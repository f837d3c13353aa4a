# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The seam to configuration files: the tree of a host, or another one, or one with changes that nobody has made yet."""

import errno
import os
import stat
from typing import Dict, List, Mapping, Optional

from .errors import AbsentError, FileReadError

#: no loader's file is as long; a longer one is told, not read
LONGEST_BYTES = 4 << 20
_MOST_LINKS = 40


class Files:
    """Files below a root, as a process sees them whose root that is: links, absolute ones too, stay inside.

    Paths given and returned begin with ``/``, which is that root.
    """

    def __init__(self, root: str = "/") -> None:
        self._root = root.rstrip("/")

    def real(self, path: str) -> str:
        """The path without symbolic links; its last part, and what it leads to, need not be there.

        :raises FileReadError: when links lead in a circle.
        """
        if not self._root:
            return self._real_here(path)
        links = 0
        done: List[str] = []
        left = _parts(path)[::-1]
        while left:
            part = left.pop()
            if part == "..":
                del done[-1:]
                continue
            try:
                target = os.readlink(self._root + "/" + "/".join([*done, part]))
            except OSError:
                # no link, or not there at all: whoever reads it is told
                done.append(part)
                continue
            links += 1
            if links > _MOST_LINKS:
                raise FileReadError(path, "its symbolic links lead in a circle")
            if target.startswith("/"):
                done = []
            left += _parts(target)[::-1]
        return "/" + "/".join(done)

    @staticmethod
    def _real_here(path: str) -> str:
        found = os.path.realpath(path)
        if os.path.islink(found):
            raise FileReadError(path, "its symbolic links lead in a circle")
        return found

    def list_names(self, path: str) -> List[str]:
        """Names in a folder, sorted by their bytes.

        :raises AbsentError: when there is none.
        :raises FileReadError: when it cannot be read.
        """
        try:
            return sorted(os.listdir(self._root + self.real(path)), key=os.fsencode)
        except OSError as error:
            raise _unreadable(path, error) from None

    def read(self, path: str, most: int = LONGEST_BYTES) -> bytes:
        """All of a regular file; nothing of ``/dev/null``.

        :param most: bytes; of a longer one nothing is read.
        :raises AbsentError: when there is none.
        :raises FileReadError: when it cannot be read, or is no regular file.
        """
        try:
            # a named pipe would block
            descriptor = os.open(self._root + self.real(path), os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
            with open(descriptor, "rb") as stream:
                found = os.fstat(stream.fileno())
                if stat.S_ISCHR(found.st_mode) and found.st_rdev == os.makedev(1, 3):
                    return b""
                if not stat.S_ISREG(found.st_mode):
                    raise FileReadError(path, "it is no regular file")
                if found.st_size > most:
                    raise FileReadError(path, "it has %d bytes, more than the %d looked at" % (found.st_size, most))
                return stream.read(most)
        except OSError as error:
            raise _unreadable(path, error) from None

    def read_link(self, path: str) -> Optional[str]:
        """What a symbolic link says; None for anything else."""
        folder, _slash, name = path.rpartition("/")
        try:
            return os.readlink(self._root + self.real(folder) + "/" + name)
        except OSError:
            return None

    def mode(self, path: str) -> Optional[int]:
        """Type and permissions of what a path leads to; None when there is nothing, or it may not be looked at."""
        try:
            return os.stat(self._root + self.real(path)).st_mode
        except (OSError, FileReadError):
            return None

    def has_file(self, path: str) -> bool:
        """Whether there is a regular file, or a link to one."""
        return stat.S_ISREG(self.mode(path) or 0)


class ChangedFiles(Files):
    """Files as they would be after some edits: for asking what wins before anything is touched.

    :param edits: new content by path, None for a file that is taken away. The paths may be links.
    """

    def __init__(self, files: Files, edits: Mapping[str, Optional[bytes]]) -> None:
        super().__init__()
        self._files = files
        self._edits: Dict[str, Optional[bytes]] = {files.real(path): content for path, content in edits.items()}

    def real(self, path: str) -> str:
        return self._files.real(path)

    def list_names(self, path: str) -> List[str]:
        folder = self.real(path)
        mine = {}
        for one, content in self._edits.items():
            if os.path.dirname(one) == folder:
                mine[os.path.basename(one)] = content
        try:
            names = set(self._files.list_names(path))
        except AbsentError:
            if not any(content is not None for content in mine.values()):
                raise
            names = set()
        for name, content in mine.items():
            (names.discard if content is None else names.add)(name)
        return sorted(names, key=os.fsencode)

    def read(self, path: str, most: int = LONGEST_BYTES) -> bytes:
        real = self.real(path)
        if real not in self._edits:
            return self._files.read(path, most)
        content = self._edits[real]
        if content is None:
            raise AbsentError(path, "there is no such file")
        return content

    def read_link(self, path: str) -> Optional[str]:
        return self._files.read_link(path)

    def mode(self, path: str) -> Optional[int]:
        real = self.real(path)
        if real not in self._edits:
            return self._files.mode(path)
        return None if self._edits[real] is None else self._files.mode(path) or stat.S_IFREG | 0o644


def _parts(path: str) -> List[str]:
    return [part for part in path.split("/") if part not in ("", ".")]


def _unreadable(path: str, error: OSError) -> FileReadError:
    if error.errno in (errno.ENOENT, errno.ENOTDIR):
        return AbsentError(path, "there is no such file")
    if error.errno in (errno.EACCES, errno.EPERM):
        return FileReadError(path, "not permitted: run as root")
    return FileReadError(path, error.strerror or str(error))
