# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The file of a zone of firewalld: in /etc where somebody has changed it, else the package's."""

from typing import Dict, List, NamedTuple, Optional, Sequence

from .._files import FileError, Files, MissingFileError
from .._transaction.steps import RemoveFile, Step, WriteFile
from . import firewalld_state, firewalld_zone
from .firewalld_state import Shown

_ETC, _USR = "/etc/firewalld/zones", "/usr/lib/firewalld/zones"


class Permanent(NamedTuple):
    """``vendor``: content of the package's, which counts where /etc has none."""

    zone: str
    content: Optional[bytes]
    vendor: Optional[bytes]

    @property
    def path(self) -> str:
        return _path(_ETC, self.zone)

    @property
    def present(self) -> Optional[bytes]:
        return self.vendor if self.content is None else self.content


def read(files: Files, zone: str) -> Permanent:
    """:raises FileError: when a file is there and cannot be read."""
    found: List[Optional[bytes]] = []
    for folder in (_ETC, _USR):
        try:
            found.append(files.read_bytes(_path(folder, zone)))
        except MissingFileError:
            found.append(None)
    return Permanent(zone, found[0], found[1])


def missing(file: Permanent, services: Dict[str, Shown], existing_port: int, ports: Sequence[int]) -> List[int]:
    """Ports that the zone does not have, although it has the existing one; none for a zone without a file.

    :raises ZoneFileError: when the file is none of a zone.
    """
    if file.present is None:
        return []
    shown = firewalld_zone.parse(file.present).shown(file.zone)
    if not firewalld_state.opens(shown, services, existing_port):
        return []
    return [port for port in ports if not firewalld_state.opens(shown, services, port)]


def add(file: Permanent, ports: Sequence[int]) -> Step:
    """:raises ZoneFileError: when the file is none of a zone."""
    return WriteFile(file.path, firewalld_zone.add(file.present or b"", ports))


def remove(file: Permanent, ports: Sequence[int], made: bool) -> List[Step]:
    """A file that was ``made`` as a copy of the package's goes when it is one again.

    :raises ZoneFileError: when the file is none of a zone.
    """
    if file.content is None:
        return []
    content = firewalld_zone.remove(file.content, ports)
    if made and content == file.vendor:
        return [RemoveFile(file.path)]
    return [] if content == file.content else [WriteFile(file.path, content)]


def told(zone: str, error: Exception) -> str:
    """For a sentence: the file and what is wrong with it."""
    if isinstance(error, FileError):
        return str(error)
    return "%s: %s" % (_path(_ETC, zone), error)


def _path(folder: str, zone: str) -> str:
    return "%s/%s.xml" % (folder, zone)
