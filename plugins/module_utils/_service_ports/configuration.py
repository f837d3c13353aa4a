# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ports in the configuration of services that are known, running or stopped: see ``known_services``."""

import re
from typing import Iterable, List, Set, Tuple

from .._files import FileError, Files, MissingFileError
from .claim import Claim, Found, Problem
from .endpoints import Span, endpoint_spans
from .known_services import SERVICES, Service

KIND = "configuration"

#: files that one glob may bring
_MOST_FILES = 2000
_XML_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_TRAILING_COMMENT = re.compile(r"\s#.*")


def find(files: Files, services: Iterable[Service] = SERVICES) -> Found:
    """The ports of every service whose configuration is there."""
    claims: List[Claim] = []
    problems: List[Problem] = []
    for service in services:
        named: List[Claim] = []
        readable = []
        for path in _paths(files, service, problems):
            try:
                text = files.read_text(path)
            except MissingFileError:
                continue  # a link to a file that is gone
            except FileError as error:
                if not files.is_dir(path):
                    problems.append(Problem(error.what, error.reason))
                continue
            if not service.needs or re.search(service.needs, text):
                readable.append(path)
                named += ports_in(text, path, service)
        if readable and not named:
            what = "default of %s, whose configuration names no port" % service.what
            named = [Claim(first, last, KIND, readable[0], what) for first, last in service.defaults]
        claims += named
    return claims, _once(problems)


def ports_in(text: str, path: str, service: Service) -> List[Claim]:
    """The ports that the lines of one file name."""
    claims = []
    pattern = re.compile(service.pattern, re.IGNORECASE)
    for number, line in enumerate(_uncommented(text), 1):
        for match in pattern.finditer(line):
            for first, last in _shifted(endpoint_spans(match.group(1)), service.offset):
                what = "%s: %s" % (service.what, match.group().strip(" \t{;")[:120])
                claims.append(Claim(first, last, KIND, "%s:%d" % (path, number), what))
    return claims


def _paths(files: Files, service: Service, problems: List[Problem]) -> List[str]:
    paths: List[str] = []
    for pattern in service.globs:
        try:
            found = files.glob(pattern)
        except FileError as error:
            problems.append(Problem(error.what, error.reason))
            continue
        if len(found) > _MOST_FILES:
            reason = "%d files match: only the first %d are read" % (len(found), _MOST_FILES)
            problems.append(Problem(pattern, reason))
        paths += found[:_MOST_FILES]
    return paths


def _uncommented(text: str) -> Iterable[str]:
    """Lines, numbered as in the file, without what is a comment in all of the formats."""
    without = _XML_COMMENT.sub(lambda match: "\n" * match.group().count("\n"), text)
    for line in without.splitlines():
        yield "" if line.lstrip().startswith(("#", ";", "//", "%%")) else _TRAILING_COMMENT.sub("", line)


def _shifted(spans: List[Span], offset: int) -> List[Span]:
    return [(first + offset, last + offset) for first, last in spans if last + offset <= 65535]


def _once(problems: List[Problem]) -> List[Problem]:
    """Several services may look into one folder."""
    seen: Set[Tuple[str, str]] = set()
    return [one for one in problems if not (one in seen or seen.add(one))]  # type: ignore[func-returns-value]
