# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A kernel out of a captured tree: the same seam as ``RunningKernel``."""

from pathlib import Path

from ansible_collections.tcpops.timewait.plugins.module_utils._kernel import sock_diag
from ansible_collections.tcpops.timewait.plugins.module_utils._kernel.errors import KernelReadError
from ansible_collections.tcpops.timewait.plugins.module_utils._kernel.running import MissingError

KERNELS = Path(__file__).parents[1] / "fixtures" / "kernels"
RELEASES = sorted(folder.name for folder in KERNELS.iterdir())


class CapturedKernel:
    """What one kernel said.

    ``refuse``: errno that it answers a dump with. ``files``: text or bytes that stand for a file's, None where there is
    none. ``options``: the options that a socket takes; None where it cannot be made.
    """

    def __init__(self, release, refuse=0, files=None, options=()):
        self._root = KERNELS / release
        self._refuse = refuse
        self._files = files or {}
        self._options = options

    def read_text(self, path):
        if path in self._files:
            if self._files[path] is None:
                raise MissingError(path, "there is no such file")
            return self._files[path]
        try:
            return (self._root / path.lstrip("/")).read_text()
        except OSError:
            raise MissingError(path, "there is no such file") from None

    def read_bytes(self, path):
        if self._files.get(path) is None:
            raise MissingError(path, "there is no such file")
        return self._files[path]

    def read_lines(self, path):
        return iter(self.read_text(path).splitlines(True))

    def list_names(self, path):
        raise MissingError(path, "there is no such file")

    def read_link(self, path):
        raise MissingError(path, "there is no such file")

    def accepts_option(self, level, option, value):
        if self._options is None:
            raise KernelReadError("setsockopt(%d, %d)" % (level, option), "not permitted")
        return option in self._options

    def dump(self, states, bytecode=b""):
        if self._refuse:
            raise sock_diag.DumpRefusedError(self._refuse)
        for family in ("inet", "inet6"):
            capture = (self._root / "sock_diag" / f"{family}-all.bin").read_bytes()
            sequence = sock_diag.HEADER.unpack_from(capture, 0)[3]
            yield from sock_diag.until_done(_datagrams(capture, states, bytecode), sequence)


def _datagrams(capture, states, bytecode):
    """The capture as the kernel would have sent it for these states: sockets first, then the end by itself."""
    held = b""
    for offset, length, message_type in sock_diag.messages(capture):
        message = capture[offset : offset + length]
        if message_type != sock_diag.SOCK_DIAG_BY_FAMILY:
            if held:
                yield held
            yield message
        elif 1 << message[sock_diag.STATE_AT] & states and not bytecode:
            held += message
