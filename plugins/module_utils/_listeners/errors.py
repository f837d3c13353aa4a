# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why a configuration is left alone."""


class ConfigurationRefusedError(Exception):
    """A configuration that is not understood, or that the request does not fit: nothing of it is edited.

    :param path: the file.
    :param line: counted from 1; 0 when no line is to blame.
    :param reason: what is wrong, and what would help.
    """

    def __init__(self, path: str, line: int, reason: str) -> None:
        super().__init__("%s: %s" % ("%s:%d" % (path, line) if line else path, reason))
        self.path = path
        self.line = line
        self.reason = reason
