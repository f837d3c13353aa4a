# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ports that service units name on their command lines, with the variables of their environment put in.

Conservative, see ``command_lines``; the claims say which words they rest on.
"""

import re
from typing import Dict, List, NamedTuple, Optional

from .._files import FileError, Files, MissingFileError
from .claim import Claim, Found, Problem
from .command_lines import ports_named, words_of
from .unit_files import Unit, UnitFiles, split_instance
from .unit_syntax import values_of

KIND = "service_unit"

_VARIABLE = re.compile(r"\$(?:\{(\w+)\}|(\w+))")
_ASSIGNMENT = re.compile(r"\s*(?:export\s+)?([A-Za-z_]\w*)=(.*)\Z")


def find(files: Files) -> Found:
    """The ports that ``ExecStart=`` lines of all service units on disk name."""
    units = UnitFiles(files, "service")
    claims: List[Claim] = []
    problems: List[Problem] = []
    for unit in units.units():
        commands = values_of(unit.settings, "Service", "ExecStart")
        if not commands:
            continue
        variables = _environment(files, unit, problems)
        for one in commands:
            line = _specified(one.value, unit)
            words = words_of(expand(line, variables))
            for (first, last), named in ports_named(words):
                what = "ExecStart of %s has %s" % (unit.name, named)
                claims.append(Claim(first, last, KIND, "%s:%d" % (one.path, one.line), what))
    return claims, units.problems + problems


class Start(NamedTuple):
    """How a service is started: the words of its last ``ExecStart=``, and the environment that its unit sets."""

    words: List[str]
    environment: Dict[str, str]


def start_of(files: Files, name: str) -> Optional[Start]:
    """How one service is started; None when no unit file says it."""
    for unit in UnitFiles(files, "service").units():
        commands = values_of(unit.settings, "Service", "ExecStart")
        if unit.name == name and commands:
            environment = _environment(files, unit, [])
            return Start(words_of(expand(_specified(commands[-1].value, unit), environment)), environment)
    return None


def expand(line: str, variables: Dict[str, str]) -> str:
    """A command line with ``$NAME`` and ``${NAME}`` put in; one that nothing sets is empty, as in systemd."""
    return _VARIABLE.sub(lambda match: variables.get(match.group(1) or match.group(2), ""), line)


def _specified(line: str, unit: Unit) -> str:
    prefix, instance = split_instance(unit.name)
    return line.replace("%i", instance).replace("%I", instance).replace("%p", prefix)


def _environment(files: Files, unit: Unit, problems: List[Problem]) -> Dict[str, str]:
    """Files win over ``Environment=``, as systemd.exec(5) says."""
    variables: Dict[str, str] = {}
    for one in values_of(unit.settings, "Service", "Environment"):
        for word in words_of(one.value):
            name, equals, value = word.partition("=")
            if equals:
                variables[name] = value
    for one in values_of(unit.settings, "Service", "EnvironmentFile"):
        for path in _paths(files, _specified(one.value.lstrip("-"), unit)):
            try:
                variables.update(variables_of(files.read_text(path)))
            except MissingFileError:
                continue  # systemd goes without it, or the service does not start
            except FileError as error:
                problems.append(Problem(error.what, error.reason))
    return variables


def _paths(files: Files, pattern: str) -> List[str]:
    try:
        return files.glob(pattern) if pattern.startswith("/") else []
    except FileError:
        return [pattern]  # reading it says why


def variables_of(text: str) -> Dict[str, str]:
    """``NAME=value`` lines of an environment file, the quotes around a value taken off."""
    variables: Dict[str, str] = {}
    for line in text.replace("\\\n", " ").splitlines():
        match = _ASSIGNMENT.match(line)
        if match:
            value = match.group(2).strip()
            quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "\"'"
            variables[match.group(1)] = value[1:-1] if quoted else value
    return variables
