# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""TuneD: the active profile's sysctls, and the system's files that it applies again after them."""

import re
from functools import partial
from typing import Dict, List, NamedTuple, Optional, Tuple

from . import dialects, folders, profiles, reading, units
from .errors import AbsentError, FileReadError
from .files import Files
from .statement import Skipped, Statement

NAME = "tuned"
#: name of a profile's file, in a folder of the profile's name
PROFILE_FILE = "tuned.conf"
_DAEMONS = ("/usr/sbin/tuned", "/usr/bin/tuned")
_ACTIVE = ("/etc/tuned/active_profile", "/etc/tuned/post_loaded_profile")
_MAIN = "/etc/tuned/tuned-main.conf"
#: SYSCTL_CONFIG_DIRS of its plugin: not /usr/lib, and /run before /etc, as no other loader has it
REAPPLIED = ("/run/sysctl.d", "/etc/sysctl.d")
_MAIN_FILE = "/etc/sysctl.conf"
_MOST_PROFILES = 64
_SAFE_NAME = re.compile(r"-?[A-Za-z0-9_.-]+\Z")
#: options of a section that are not the plugin's (``Unit``, tuned/profiles/unit.py)
_OF_THE_SECTION = frozenset((
    "priority", "type", "enabled", "replace", "prepend", "drop", "devices", "devices_udev_regex",
    "cpuinfo_regex", "uname_regex", "script_pre", "script_post",
))
_CONDITIONS = ("devices_udev_regex", "cpuinfo_regex", "uname_regex")
_YES = ("true", "1", "yes", "on", "y", "t")


class _Code(NamedTuple):
    """What the installed version does: ``swaps`` see ``dialects.parse_tuned``, ``old`` see ``profiles.parse``, and
    where it looks for profiles. The old one knows no include that may be missing."""

    swaps: bool
    old: bool
    folders: Tuple[str, ...]


class _Section(NamedTuple):
    """A section that sets sysctls, merged from the profile and those that it includes."""

    statements: "Dict[str, Statement]"
    enabled: bool
    conditional: bool


def read(files: Files) -> Optional[reading.Reading]:
    """What it would do when it starts or is told to apply its profile; None where it is absent or has no profile."""
    daemon = next((path for path in _DAEMONS if files.has_file(path)), None)
    if daemon is None:
        return None
    at_boot = units.starts_at_boot(files, "tuned.service", "multi-user.target")
    found = reading.start(NAME, daemon, at_boot, reading.IN_ORDER)
    names: List[str] = []
    for path in _ACTIVE:
        try:
            names += files.read(path).decode("utf-8", "surrogateescape").split()
        except AbsentError:
            continue
        except FileReadError as error:
            found.problems.append(error)
    if not names and not found.problems:
        return None
    main = _main_options(files, found)
    code = _code(files)
    searched = code.folders
    if "profile_dirs" in main:
        searched = tuple(part.strip() for part in re.split("[,;]", main["profile_dirs"].value) if part.strip())
    _Profiles(files, found, searched, code).apply(names)
    reapply = main["reapply_sysctl"].value.lower() if "reapply_sysctl" in main else "1"
    if reapply in _YES:
        _reapply(files, found, code.swaps, main.get("reapply_sysctl_exclude"))
    return found


def _main_options(files: Files, found: reading.Reading) -> Dict[str, profiles.Option]:
    try:
        return profiles.parse(files.read(_MAIN), "main")["main"]
    except AbsentError:
        return {}
    except FileReadError as error:
        found.problems.append(error)
    except profiles.Malformed as error:
        found.problems.append(FileReadError(_MAIN, "TuneD would not start with it: %s" % error))
    return {}


def _code(files: Files) -> _Code:
    """Asked of its own source: packages of one version differ, and the version stands in no file."""
    swaps, old, moved = False, False, False
    for parent in _python_folders(files):
        try:
            plugin = files.read(parent + "/tuned/plugins/plugin_sysctl.py")
            constants = files.read(parent + "/tuned/consts.py")
            loader = files.read(parent + "/tuned/profiles/loader.py")
        except FileReadError:
            continue
        swaps = b'"./", "/."' in plugin
        old = b"configobj" in loader
        moved = b"/etc/tuned/profiles" in constants
        break
    below = "/profiles" if moved else ""
    return _Code(swaps, old, ("/usr/lib/tuned" + below, "/etc/tuned" + below))


def _python_folders(files: Files) -> List[str]:
    found = ["/usr/lib/python3/dist-packages"]
    try:
        names = files.list_names("/usr/lib")
    except FileReadError:
        return found
    return found + ["/usr/lib/%s/site-packages" % name for name in names if re.match(r"python[23]\.\d+\Z", name)]


class _Profiles:
    """Loads profiles with all that they include, and merges them, the later over the earlier."""

    def __init__(self, files: Files, found: reading.Reading, searched: Tuple[str, ...], code: _Code) -> None:
        self._files = files
        self._found = found
        self._searched = searched
        self._code = code
        self._sections: Dict[str, _Section] = {}

    def apply(self, names: List[str]) -> None:
        """Add what the profiles set to the reading."""
        for name in names:
            self._load(name)
        for section in self._sections.values():
            if section.enabled:
                self._found.statements.extend(
                    one._replace(sure=one.sure and not section.conditional) for one in section.statements.values()
                )

    def _load(self, name: str) -> None:
        optional = name.startswith("-") and not self._code.old
        path = self._locate(name[1:] if optional else name)
        if path in self._found.files:
            return
        if path is None or not _SAFE_NAME.match(name) or len(self._found.files) >= _MOST_PROFILES:
            if not optional:
                self._problem(_ACTIVE[0], "cannot tell what profile %s sets: it is not in %s" % (
                    name[:60], " or ".join(self._searched)))
            return
        self._found.files.append(path)
        try:
            sections = profiles.parse(self._files.read(path), old=self._code.old)
        except FileReadError as error:
            self._found.problems.append(error)
            return
        except profiles.Malformed as error:
            self._problem(path, "TuneD would not load it: %s" % error)
            return
        included = sections.get("main", {}).get("include")
        if included:
            if "${" in included.value:
                self._problem(path, "line %d includes a profile by a variable: cannot tell which" % included.line)
            else:
                for other in re.split(r"\s*[,;]\s*", included.value):
                    self._load(other)
        for title, options in sections.items():
            self._merge(path, title, options)

    def _locate(self, name: str) -> Optional[str]:
        for folder in reversed(self._searched):
            path = "%s/%s/%s" % (folder, name.rpartition("/")[2], PROFILE_FILE)
            if path not in self._found.files and self._files.has_file(path):
                return path
        return next(
            (path for path in self._found.files if path.split("/")[-2:] == [name, PROFILE_FILE]), None
        )

    def _merge(self, path: str, title: str, options: Dict[str, profiles.Option]) -> None:
        kind = options["type"].value if "type" in options else title
        if kind != "sysctl":
            return
        section = self._sections.get(title)
        if section is None or _yes(options, "replace", False):
            section = _Section({}, True, False)
        kept = dict(section.statements)
        if "drop" in options:
            for dropped in re.split(r"\s*[,;]\s*", options["drop"].value):
                kept.pop(dropped, None)
        for name, option in options.items():
            if name in _OF_THE_SECTION:
                continue
            kept.pop(name, None)
            kept[name] = self._statement(path, option)
        self._sections[title] = _Section(
            kept,
            _yes(options, "enabled", True),
            section.conditional or any(condition in options for condition in _CONDITIONS),
        )

    def _statement(self, path: str, option: profiles.Option) -> Statement:
        value = re.sub(r'^"(.*)"$', r"\1", option.value)
        # <n and >n: only where it lowers or raises what runs
        modified = len(value) > 1 and value[0] in "<>"
        return Statement(
            path,
            option.line,
            dialects.tuned_target(option.name, self._code.swaps),
            value[1:] if modified else value,
            sure=not modified and "${" not in value and not option.continued,
            editable=not option.continued,
        )

    def _problem(self, path: str, reason: str) -> None:
        self._found.problems.append(FileReadError(path, reason))


def _yes(options: Dict[str, profiles.Option], name: str, default: bool) -> bool:
    return options[name].value in ("True", "true", "1") if name in options else default


def _reapply(files: Files, found: reading.Reading, swaps: bool, excluded: Optional[profiles.Option]) -> None:
    ordered = folders.drop_ins(files, REAPPLIED, hidden_too=True)
    found.hidden.extend(ordered.hidden)
    found.problems.extend(ordered.problems)
    first = len(found.statements)
    for path in [*ordered.paths, _MAIN_FILE]:
        if path != _MAIN_FILE or files.has_file(path):
            reading.add_file(files, found, path, partial(dialects.parse_tuned, swaps=swaps))
    if excluded:
        found.skipped.append(
            Skipped(_MAIN, excluded.line, "reapply_sysctl_exclude is set: what of the files TuneD applies is not sure")
        )
        found.statements[first:] = [one._replace(sure=False) for one in found.statements[first:]]
