# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where Apache has its configuration here, and how it is checked and reloaded.

Source: the unit where its command line says it, else what distributions and the project itself build in.
"""

from typing import NamedTuple, Optional, Tuple

from ..._files import Files
from ..._service_ports.service_units import start_of
from ..errors import ConfigurationRefusedError


class Layout(NamedTuple):
    """``main``: the first file. ``server_root``: what relative paths start from, until ServerRoot says otherwise."""

    main: str
    server_root: str
    unit: str
    control: str

    @property
    def check(self) -> Tuple[str, ...]:
        """The command with which Apache checks its configuration."""
        return (self.control, "configtest") if self._is_built_in else (*self._told, "-t")

    @property
    def reload(self) -> Tuple[str, ...]:
        """The command that tells a running Apache to read it again, where no service manager does. Children end what
        they do."""
        return (self.control, "graceful") if self._is_built_in else (*self._told, "-k", "graceful")

    @property
    def _is_built_in(self) -> bool:
        usual = next((one for one in LAYOUTS if one.unit == self.unit), None)
        return bool(usual and (usual.main, usual.server_root) == (self.main, self.server_root))

    @property
    def _told(self) -> Tuple[str, ...]:
        return (self.control, "-d", self.server_root, "-f", self.main)


DEBIAN = Layout("/etc/apache2/apache2.conf", "/etc/apache2", "apache2.service", "apachectl")
RED_HAT = Layout("/etc/httpd/conf/httpd.conf", "/etc/httpd", "httpd.service", "apachectl")
LAYOUTS = (
    DEBIAN,
    RED_HAT,
    Layout("/etc/apache2/httpd.conf", "/srv/www", "apache2.service", "apachectl"),
    Layout("/usr/local/apache2/conf/httpd.conf", "/usr/local/apache2", "httpd.service",
           "/usr/local/apache2/bin/apachectl"),
)  # fmt: skip


def find(files: Files) -> Layout:
    """The layout of this host.

    :raises ConfigurationRefusedError: when it has none that is known.
    """
    for layout in LAYOUTS:
        told = _told(files, layout)
        if told and files.glob(told.main):
            return told
    for layout in LAYOUTS:
        if files.glob(layout.main):
            return layout
    raise ConfigurationRefusedError(LAYOUTS[0].main, 0, "there is no main configuration of Apache in a usual place")


def _told(files: Files, layout: Layout) -> Optional[Layout]:
    """What the command line of the unit says; None when it says nothing of files."""
    start = start_of(files, layout.unit)
    words = start.words if start else []
    options = {word: words[at + 1] for at, word in enumerate(words[:-1]) if word in ("-f", "-d")}
    if not options:
        return None
    root = options.get("-d", layout.server_root)
    main = options.get("-f", layout.main[len(layout.server_root) + 1 :])
    return layout._replace(main=main if main.startswith("/") else "%s/%s" % (root, main), server_root=root)
