# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a host may have HAProxy or nginx, told by names of files alone.

Most hosts of a fleet have neither, and what reads their configuration would be compiled on each of them at each run.
"""

from ._files import Files

#: where configuration lies that is read without a unit that says another place
_MAINS = (
    "/etc/haproxy/haproxy.cfg",
    "/usr/local/etc/haproxy/haproxy.cfg",
    "/etc/nginx/nginx.conf",
    "/usr/local/nginx/conf/nginx.conf",
    "/usr/local/openresty/nginx/conf/nginx.conf",
)
_UNITS = ("haproxy.service", "nginx.service", "openresty.service")
_FOLDERS = (
    "/etc/systemd/system",
    "/run/systemd/system",
    "/run/systemd/generator",
    "/run/systemd/generator.late",
    "/usr/local/lib/systemd/system",
    "/usr/lib/systemd/system",
    "/lib/systemd/system",
)


def may_be_there(files: Files) -> bool:
    """False only where neither is configured as far as this collection can find it."""
    places = (*_MAINS, *("%s/%s" % (folder, unit) for folder in _FOLDERS for unit in _UNITS))
    return any(files.glob(place) for place in places)
