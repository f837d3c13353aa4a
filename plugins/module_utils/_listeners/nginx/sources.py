# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files of a configuration: read once, with and without what was inserted."""

import os
import posixpath
import re
from typing import Dict, List, NamedTuple

from ..._files import FileError, Files
from ..errors import ConfigurationRefusedError
from . import marks, syntax
from .syntax import Directive

#: some hide a file of a package by a link to it
_NOTHING = "/dev/null"
_WILD = re.compile(r"[*?\[]")
# what glob(3) takes and the seam for files does not
_UNLIKE = re.compile(r"\\|\[\^|\[\[")


class Source(NamedTuple):
    """One file. Text is one character a byte, so that all of it can be written back as it was."""

    path: str
    text: str
    directives: List[Directive]


class Split(NamedTuple):
    """One file without what was inserted, and that."""

    whole: str
    source: Source
    insertions: List[marks.Insertion]


class Sources:
    """The files of a configuration, by the paths of the files themselves.

    :param edits: content that would be there instead.
    """

    def __init__(self, files: Files, edits: Dict[str, bytes]) -> None:
        self._files = files
        self._edits = edits
        self._read: Dict[str, Source] = {}

    def read(self, path: str, by: str, line: int) -> Source:
        """The file that a path leads to.

        :param by: the file, with its line, that wants it.
        :raises ConfigurationRefusedError: when it cannot be read or is not in the syntax of nginx.
        """
        try:
            real = self._files.real_path(path)
            if real not in self._read:
                content = b"" if real == _NOTHING else self._edits.get(real)
                text = (self._files.read_bytes(real) if content is None else content).decode("latin-1")
                self._read[real] = Source(real, text, syntax.parse(text, real))
            return self._read[real]
        except FileError as error:
            what = "it" if path == by else path
            raise ConfigurationRefusedError(by, line, "%s cannot be read: %s" % (what, error.reason)) from None

    def matching(self, folder: str, pattern: str, by: str, line: int) -> List[str]:
        """The paths that an include names. One that is no pattern need not be there."""
        path = posixpath.join(folder, os.fsdecode(pattern.encode("latin-1")))
        if not _WILD.search(path):
            return [path]
        if _UNLIKE.search(path):
            raise ConfigurationRefusedError(by, line, "the pattern %s is not understood: use *, ? and [a-z]" % path)
        try:
            return self._files.glob(path)
        except FileError as error:
            raise ConfigurationRefusedError(by, line, "%s cannot be read: %s" % (error.what, error.reason)) from None

    def every(self) -> List[Source]:
        """All that were read so far."""
        return list(self._read.values())


class BareSources(Sources):
    """The same without what was inserted."""

    def __init__(self, files: Files) -> None:
        super().__init__(files, {})
        self.splits: Dict[str, Split] = {}

    def read(self, path: str, by: str, line: int) -> Source:
        whole = super().read(path, by, line)
        if whole.path not in self.splits:
            text, insertions = marks.split(whole.text, whole.directives)
            absent = [(one.offset, one.text.count("\n")) for one in insertions]
            bare = Source(whole.path, text, syntax.parse(text, whole.path, absent)) if insertions else whole
            self.splits[whole.path] = Split(whole.text, bare, insertions)
        return self.splits[whole.path].source
