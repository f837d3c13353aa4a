# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one exception of everything that reads the running kernel."""


class KernelReadError(Exception):
    """Something could not be read from the kernel.

    :param what: what was asked for, as people name it (``/proc/net/tcp``, ``sock_diag dump``).
    :param reason: why it could not be had, and what would help.
    """

    def __init__(self, what: str, reason: str) -> None:
        super().__init__("%s: %s" % (what, reason))
        self.what = what
        self.reason = reason


class MissingError(KernelReadError):
    """There is no such file: this kernel does not have the thing."""
