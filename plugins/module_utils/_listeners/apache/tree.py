# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The statements of Apache that listen or serve by port, through all includes, in the order in which they are read.

Source: ``ap_process_resource_config``, ``ap_process_fnmatch_configs``, the EXEC_ON_READ directives.
"""

import posixpath
import re
from typing import Dict, List, NamedTuple, Optional, Set, Tuple

from ..._files import FileError, Files, MissingFileError
from .. import text
from ..errors import ConfigurationRefusedError
from . import address
from .layout import Layout
from .syntax import Statement, Word, statements

_MOST_INCLUDES = 128
_MOST_FILES = 5000
_WILD = re.compile(r"[*?\[]")
#: whose content is a program
_RAW = ("<perl",)
_USES_PORT = re.compile(r"%\{\s*SERVER_PORT\s*\}", re.IGNORECASE)


class Named(NamedTuple):
    """One address that a statement names."""

    word: Word
    endpoint: address.Endpoint


class Found(NamedTuple):
    """A Listen, a NameVirtualHost or the tag of a VirtualHost. ``blocks``: the conditional sections that it is in."""

    path: str
    statement: Statement
    named: Tuple[Named, ...]
    blocks: Tuple[Tuple[str, int], ...]


class Tree(NamedTuple):
    """``files``: lines by path, of the files themselves. ``found``: each once, however often it is included.

    ``uses``: path and line of what tells ports apart.
    """

    files: Dict[str, List[text.Line]]
    found: List[Found]
    uses: List[Tuple[str, int]]


def read(files: Files, layout: Layout) -> Tree:
    """All that Apache would read.

    :raises ConfigurationRefusedError: when that cannot be known.
    """
    reader = _Reader(files, layout)
    reader.include(layout.main, 0)
    return reader.tree


def read_alone(files: Files, layout: Layout, path: str, tree: Tree) -> List[Found]:
    """What a file has that nothing includes; nothing when it is not understood. Its lines go to the others."""
    reader = _Reader(files, layout)
    try:
        reader.include(path, 0)
    except ConfigurationRefusedError:
        return []
    for one, lines in reader.tree.files.items():
        tree.files.setdefault(one, lines)
    return [one for one in reader.tree.found if one.path == files.real_path(path)]


class _Reader:
    """What reading one file leaves for the next one: variables, root and port of the main server."""

    def __init__(self, files: Files, layout: Layout) -> None:
        self._files = files
        self._root = layout.server_root
        self._variables: Dict[str, str] = {}
        self._sections: List[Tuple[str, str, int, Statement]] = []
        self._main_port: Optional[int] = None
        self._seen: Set[Tuple[str, int]] = set()
        self.tree = Tree({}, [], [])

    def include(self, path: str, depth: int) -> None:
        """One file.

        :raises ConfigurationRefusedError: see ``read``.
        """
        try:
            real = self._files.real_path(path)
            if real not in self.tree.files:
                self.tree.files[real] = text.split(self._files.read_bytes(path))
        except FileError as error:
            raise ConfigurationRefusedError(error.what, 0, error.reason) from None
        if depth > _MOST_INCLUDES or len(self.tree.files) > _MOST_FILES:
            raise ConfigurationRefusedError(path, 0, "includes go too deep, or in a circle")
        outer = len(self._sections)
        raw = ""
        for statement in statements(self.tree.files[real]):
            if raw:
                self._refuse_program(real, statement)
                raw = "" if statement.name == raw.replace("<", "</") else raw
                continue
            if statement.name in _RAW:
                raw = statement.name
                continue
            try:
                self._take(real, statement, outer, depth)
            except ValueError as error:
                raise ConfigurationRefusedError(real, statement.first + 1, str(error)) from None
        if raw or len(self._sections) > outer:
            line = self._sections[-1][2] + 1 if len(self._sections) > outer else len(self.tree.files[real])
            raise ConfigurationRefusedError(real, line, "a section is not closed in its file")

    def _take(self, path: str, statement: Statement, outer: int, depth: int) -> None:
        name = statement.name
        if name.startswith("</"):
            if len(self._sections) == outer or self._sections[-1][0] != name[2:]:
                raise ValueError("%s> closes a section that is not open" % name)
            self._sections.pop()
            return
        if name in ("listen", "namevirtualhost", "<virtualhost"):
            self._find(path, statement)
        elif name in ("include", "includeoptional"):
            self._expand(statement, name == "includeoptional", depth)
        elif name in ("define", "undefine"):
            self._define(name, [word.text for word in statement.words])
        elif name == "servername" and statement.words and not self._is_in("virtualhost"):
            port = statement.words[0].text.rpartition(":")[2]
            self._main_port = int(port) if port.isdigit() else None
        elif name == "serverroot" and statement.words:
            self._root = address.expand(statement.words[0].text, self._variables)
        if _USES_PORT.search(statement.text):
            self.tree.uses.append((path, statement.first + 1))
        if name.startswith("<"):
            self._sections.append((name[1:], path, statement.first, statement))

    def _find(self, path: str, statement: Statement) -> None:
        if self.tree.files[path][statement.last].text.endswith("\\"):
            raise ValueError("the last line of the file goes on behind its end")
        is_listen = statement.name == "listen"
        words = statement.words[:1] if is_listen else statement.words
        self._refuse_parameters(words)
        parse = address.listen if is_listen else address.virtual_host
        named = [Named(word, parse(word.text, self._variables)) for word in words]
        # without a port an address has that of the main server, as it is known by then (ap_init_virtual_host)
        named = [
            Named(word, one._replace(port=self._main_port) if one.head and one.port is None else one)
            for word, one in named
        ]
        if (path, statement.first) in self._seen:
            return
        self._seen.add((path, statement.first))
        blocks = tuple((where, line) for _name, where, line, _statement in self._sections)
        self.tree.found.append(Found(path, statement, tuple(named), blocks))

    def _refuse_parameters(self, words: Tuple[Word, ...]) -> None:
        """Of a macro: what they are is said where it is used."""
        for name, _path, _line, section in self._sections:
            if name == "macro":
                for parameter in section.words[1:]:
                    if any(parameter.text in word.text for word in words):
                        raise ValueError("%s is a parameter of a macro: what listens cannot be told from one line"
                                         % parameter.text)

    def _expand(self, statement: Statement, optional: bool, depth: int) -> None:
        for word in statement.words:
            pattern = address.expand(word.text, self._variables)
            path = posixpath.normpath(posixpath.join(self._root, pattern))
            for one in self._matching(path, optional):
                self.include(one, depth + 1)

    def _matching(self, path: str, optional: bool) -> List[str]:
        try:
            if _WILD.search(path):
                return [one for match in self._files.glob(path) for one in self._inside(match)]
            if self._files.is_dir(path):
                return self._inside(path)
            self._files.read_bytes(path)
        except MissingFileError as error:
            if optional:
                return []
            raise ValueError("%s cannot be included: %s" % (error.what, error.reason)) from None
        except FileError as error:
            raise ValueError("%s cannot be included: %s" % (error.what, error.reason)) from None
        return [path]

    def _inside(self, path: str) -> List[str]:
        """All files of a folder, those of folders in it too."""
        if not self._files.is_dir(path):
            return [path]
        names = self._files.list_names(path)
        return [one for name in names for one in self._inside(posixpath.join(path, name))]

    def _define(self, name: str, words: List[str]) -> None:
        if not words:
            return
        conditions = [(section, statement) for section, _path, _line, statement in self._sections
                      if section.startswith("if") or section == "macro"]
        unless = [statement.words[0].text for section, statement in conditions
                  if section == "ifdefine" and len(statement.words) == 1]
        known = words[0] in self._variables
        if len(conditions) == 1 and unless == ["!" + words[0]]:
            if known:
                return  # a default for what is defined
        elif conditions:
            self._variables.pop(words[0], None)
            return
        if name == "define" and len(words) > 1:
            try:
                self._variables[words[0]] = address.expand(words[1], self._variables)
                return
            except ValueError:
                pass  # it is as little known as what it is made of
        self._variables.pop(words[0], None)

    def _is_in(self, name: str) -> bool:
        return any(section[0] == name for section in self._sections)

    def _refuse_program(self, path: str, statement: Statement) -> None:
        if re.search(r"listen|virtualhost", statement.text, re.IGNORECASE):
            raise ConfigurationRefusedError(path, statement.first + 1, "a program in the configuration listens")
