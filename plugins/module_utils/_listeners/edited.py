# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files as they would be after some edits, which nobody has made yet."""

import posixpath
from typing import Dict, List

from .._files import Files, MissingFileError


class EditedFiles(Files):
    """Files with new contents.

    :param edits: content by the path of the file itself; a file with none is not there any more.
    """

    def __init__(self, files: Files, edits: Dict[str, bytes]) -> None:
        super().__init__()
        self._before = files
        self._edits = edits

    def read_bytes(self, path: str) -> bytes:
        real = self.real_path(path)
        if real not in self._edits:
            return self._before.read_bytes(path)
        if not self._edits[real]:
            raise MissingFileError(path, "there is no such file")
        return self._edits[real]

    def list_names(self, path: str) -> List[str]:
        folder = self.real_path(path)
        below = folder.rstrip("/") + "/"
        new = {edited[len(below) :].partition("/")[0] for edited in self._edits if edited.startswith(below)}
        try:
            names = set(self._before.list_names(path)) | new
        except MissingFileError:
            if not new:
                raise
            names = new
        gone = {posixpath.basename(edited) for edited, content in self._edits.items()
                if not content and posixpath.dirname(edited) == folder}
        return sorted(names - gone)

    def read_link(self, path: str) -> str:
        return "" if path in self._edits else self._before.read_link(path)

    def real_path(self, path: str) -> str:
        return self._before.real_path(path)

    def is_dir(self, path: str) -> bool:
        below = self.real_path(path).rstrip("/") + "/"
        return self._before.is_dir(path) or any(edited.startswith(below) for edited in self._edits)
