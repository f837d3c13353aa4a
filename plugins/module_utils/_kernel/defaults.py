# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The kernel's own values of sysctls: what a network namespace shows that nobody has set anything in."""

from functools import partial
from typing import Dict, Iterable, Optional

from .errors import KernelReadError, MissingError
from .running import RunningKernel
from .sandbox import call_in_sandbox

_SECONDS = 10


def read_defaults(kernel: RunningKernel, paths: Iterable[str]) -> Dict[str, Optional[str]]:
    """Values by path below ``/proc/sys``, white space folded, as a new network namespace shows them (``tcp_sk_init``).

    None for a key that is not there: it is not the namespace's own, or the kernel lacks it.

    :raises KernelReadError: when no such namespace is to be had.
    """
    found: Dict[str, Optional[str]] = call_in_sandbox(partial(_read, kernel, sorted(paths)), _SECONDS)
    return found


def _read(kernel: RunningKernel, paths: Iterable[str]) -> Dict[str, Optional[str]]:
    values: Dict[str, Optional[str]] = {}
    for path in paths:
        try:
            values[path] = " ".join(kernel.read_text("/proc/sys/" + path).split())
        except MissingError:
            values[path] = None
        except KernelReadError as error:
            raise KernelReadError("the kernel's own value of %s" % path, error.reason) from None
    return values
