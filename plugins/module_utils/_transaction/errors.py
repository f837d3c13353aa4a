# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one exception of everything that changes a host."""

import errno


class TransactionError(Exception):
    """A change was refused or failed. The text is one sentence without its full stop: what, where, why, what to do."""


def why(error: OSError) -> str:
    """The reason of a system call's failure, with the remedy where there is one."""
    reason = error.strerror or str(error)
    if error.errno in (errno.EACCES, errno.EPERM):
        return "%s; run as root (become: true), unless the file is immutable or a security policy bars it" % reason
    if error.errno == errno.EROFS:
        return "%s; in a container this is the business of the host that runs it" % reason
    return reason
