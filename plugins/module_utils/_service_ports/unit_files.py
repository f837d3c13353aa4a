# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Unit files on disk, of units that run, are stopped or disabled alike: precedence, masks, drop-ins, instances.

Source: systemd.unit(5), ``lookup_paths_init``, ``unit_find_paths``.
"""

import posixpath
from typing import Dict, Iterator, List, NamedTuple, Optional, Set, Tuple

from .._files import FileError, Files, MissingFileError
from .claim import Problem
from .unit_syntax import Assignment, assignments

#: first one wins
FOLDERS = tuple(
    folder + "/systemd/" + name
    for folder, name in (
        ("/etc", "system.control"), ("/run", "system.control"), ("/run", "transient"), ("/run", "generator.early"),
        ("/etc", "system"), ("/etc", "system.attached"), ("/run", "system"), ("/run", "system.attached"),
        ("/run", "generator"), ("/usr/local/lib", "system"), ("/usr/lib", "system"), ("/lib", "system"),
        ("/run", "generator.late"),
    )
)
_WANTS = (".wants", ".requires", ".upholds")


class Unit(NamedTuple):
    """A unit that can be started. ``name``: of the unit, an instance's for an instance of a template."""

    name: str
    settings: List[Assignment]


class UnitFiles:
    """All unit files of one type, ``socket`` or ``service``."""

    def __init__(self, files: Files, suffix: str) -> None:
        self._files = files
        self._suffix = "." + suffix
        self.problems: List[Problem] = []
        self._main: Dict[str, str] = {}  # name -> path of the file that wins
        self._aliases: Dict[str, Set[str]] = {}  # name -> other names of it
        self._drop_ins: Dict[str, Dict[str, str]] = {}  # folder's name -> file's name -> path that wins
        self.wanted: Set[str] = set()  #: what something on disk starts
        self._named: Set[str] = set()  # whatever a link or a drop-in names, instances for one
        for folder in FOLDERS:
            self._take_folder(folder)
        self._named |= self.wanted

    def units(self) -> Iterator[Unit]:
        """Every unit that is not masked: plain ones, templates, and the instances that something on disk names."""
        names = set(self._main)
        names.update(name for name in self._named if "@" in name and template_of(name) in self._main)
        for name in sorted(names):
            path = self._main.get(name) or self._main[template_of(name)]
            if path:
                unit = self._read(name, path)
                if unit:
                    yield unit

    def _list(self, folder: str) -> List[str]:
        try:
            return self._files.list_names(folder)
        except MissingFileError:
            return []
        except FileError as error:
            self.problems.append(Problem(error.what, error.reason))
            return []

    def _take_folder(self, folder: str) -> None:
        for entry in self._list(folder):
            path = posixpath.join(folder, entry)
            if entry.endswith(self._suffix):
                self._take_unit(entry, path)
            elif entry.endswith((self._suffix + ".d", "-.d")) or entry == self._suffix[1:] + ".d":
                drop_ins = self._drop_ins.setdefault(entry, {})
                for name in self._list(path):
                    if name.endswith(".conf"):
                        drop_ins.setdefault(name, posixpath.join(path, name))
                self._named.add(entry[:-2])
            elif entry.endswith(_WANTS):
                self.wanted.update(name for name in self._list(path) if name.endswith(self._suffix))

    def _take_unit(self, name: str, path: str) -> None:
        if name in self._main or any(name in others for others in self._aliases.values()):
            return
        try:
            target = self._files.read_link(path)
        except FileError as error:
            self.problems.append(Problem(error.what, error.reason))
            return
        other = posixpath.basename(target)
        if target == "/dev/null":
            self._main[name] = ""  # masked
        elif target and other != name and other.endswith(self._suffix):
            self._aliases.setdefault(other, set()).add(name)
            self._named.add(other)
        else:
            self._main[name] = path

    def _read(self, name: str, path: str) -> Optional[Unit]:
        try:
            text = self._files.read_text(path)
            if not text:
                return None  # an empty file masks as a link to /dev/null does
            settings = list(assignments(text, path))
        except MissingFileError:
            return None  # a link to a unit that was removed: systemd does not find it either
        except FileError as error:
            self.problems.append(Problem(error.what, error.reason))
            return None
        for drop_in in self._drop_ins_of(name):
            try:
                settings += assignments(self._files.read_text(drop_in), drop_in)
            except MissingFileError:
                continue
            except FileError as error:
                # a link to /dev/null masks the drop-in of that name in the folders behind it
                if self._link(drop_in) != "/dev/null":
                    self.problems.append(Problem(error.what, error.reason))
        return Unit(name, settings)

    def _link(self, path: str) -> str:
        try:
            return self._files.read_link(path)
        except FileError:
            return ""

    def _drop_ins_of(self, name: str) -> List[str]:
        """Paths in the order in which they are read: by file name, whatever folder they are in."""
        chosen: Dict[str, str] = {}
        for folder in drop_in_folders([name, *sorted(self._aliases.get(name, ()))]):
            for entry, path in self._drop_ins.get(folder, {}).items():
                chosen.setdefault(entry, path)
        return [chosen[entry] for entry in sorted(chosen)]


def template_of(name: str) -> str:
    """``a@.socket`` for ``a@b.socket``; a name without instance stays."""
    prefix, at, rest = name.partition("@")
    return prefix + "@." + rest.rpartition(".")[2] if at else name


def split_instance(name: str) -> Tuple[str, str]:
    """``(prefix, instance)``, the instance empty where there is none."""
    prefix, _at, instance = name.rpartition(".")[0].partition("@")
    return prefix, instance


def drop_in_folders(names: List[str]) -> List[str]:
    """Names of the folders with drop-ins of a unit that has these names, the most specific first."""
    folders: List[str] = []
    for name in names:
        stem, _dot, suffix = name.rpartition(".")
        folders += [name + ".d"] + ([template_of(name) + ".d"] if "@" in name else [])
        prefix = stem.partition("@")[0]
        while "-" in prefix.rstrip("-"):
            prefix = prefix.rstrip("-").rpartition("-")[0] + "-"
            folders.append("%s.%s.d" % (prefix, suffix))
    folders.append(names[0].rpartition(".")[2] + ".d")
    return folders
