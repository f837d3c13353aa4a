# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can go wrong with a file."""


class FileReadError(Exception):
    """A file or folder that is there, or may be, and cannot be read.

    :param path: which.
    :param reason: why, and what would help.
    """

    def __init__(self, path: str, reason: str) -> None:
        super().__init__("%s: %s" % (path, reason))
        self.path = path
        self.reason = reason


class AbsentError(FileReadError):
    """There is no such file."""


class RequestError(Exception):
    """What is asked for cannot be done, in one sentence without its full stop."""
