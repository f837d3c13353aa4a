# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How nginx is started here: which configuration it reads, and how it is checked and told to read it again.

Source: the unit as systemd reads it, else where distributions and the project itself have the file.
"""

import posixpath
from typing import Dict, List, NamedTuple, Tuple

from ..._files import Files
from ..._service_ports.service_units import start_of

UNITS = ("nginx.service", "openresty.service")
#: of systemd, before a program
_PREFIXES = "@-:+!|"
#: options that say what is read, each with a value (``ngx_get_options``)
_TOLD = ("-c", "-p", "-g", "-e")
#: main file -> program, by what packages and ``make install`` do
_USUAL = (
    ("/etc/nginx/nginx.conf", "nginx"),
    ("/usr/local/nginx/conf/nginx.conf", "/usr/local/nginx/sbin/nginx"),
    ("/usr/local/openresty/nginx/conf/nginx.conf", "/usr/local/openresty/nginx/sbin/nginx"),
)


class Invocation(NamedTuple):
    """``main``: the first file. ``words``: program and options with which it reads the same configuration again."""

    main: str
    words: Tuple[str, ...]
    unit: str

    @property
    def check(self) -> Tuple[str, ...]:
        """The command with which nginx checks its configuration.

        It binds every port as well, but takes one that is in use for its own (``ngx_open_listening_sockets``): whether
        a new port is free is for the caller to try.
        """
        return (*self.words, "-t")

    @property
    def reload(self) -> Tuple[str, ...]:
        """The command that tells a running nginx to read it again, where no service manager does.

        It succeeds once the signal is sent: a master that cannot bind a port says so in its log only, and goes on with
        the configuration that it has. So the ports have to be tried afterwards.
        """
        return (*self.words, "-s", "reload")


def find(files: Files) -> Invocation:
    """What a unit says; without one, the usual file."""
    for unit in UNITS:
        start = start_of(files, unit)
        if start and start.words:
            return _told(files, unit, start.words)
    main, program = next((one for one in _USUAL if files.glob(one[0])), _USUAL[0])
    return Invocation(main, (program,), UNITS[0])


def _told(files: Files, unit: str, words: List[str]) -> Invocation:
    program = words[0].lstrip(_PREFIXES)
    options: Dict[str, str] = {word: words[at + 1] for at, word in enumerate(words[:-1]) if word in _TOLD}
    usual = next((main for main, usual in _USUAL if usual == program), "")
    prefix = options.get("-p") or posixpath.dirname(posixpath.dirname(usual or _built_in(files)))
    main = posixpath.join(prefix, options["-c"]) if "-c" in options else usual or _built_in(files)
    if "-p" in options and "-c" not in options:
        main = posixpath.join(prefix, "conf/nginx.conf")
    return Invocation(main, (program, *(word for pair in options.items() for word in pair)), unit)


def _built_in(files: Files) -> str:
    return next((main for main, _program in _USUAL if files.glob(main)), _USUAL[0][0])
