# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""TCP services that ``/etc/services`` registers (services(5))."""

import re

from .._files import FileError, Files
from .claim import Claim, Found, Problem
from .endpoints import port_span

KIND = "services_file"

_PATH = "/etc/services"
_ENTRY = re.compile(r"([^\s#]+)\s+([0-9]+)/tcp(?:\s|#|\Z)", re.IGNORECASE)


def find(files: Files) -> Found:
    """One claim an entry."""
    try:
        text = files.read_text(_PATH)
    except FileError as error:
        return [], [Problem(error.what, error.reason)]
    claims = []
    for number, line in enumerate(text.splitlines(), 1):
        match = _ENTRY.match(line)
        if match:
            for first, last in port_span(match.group(2)):
                where = "%s:%d" % (_PATH, number)
                claims.append(Claim(first, last, KIND, where, "registered for %s" % match.group(1)))
    return claims, []
