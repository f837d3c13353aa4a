# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Structures and functions that the running kernel has: out of its BTF, else the names in /proc/kallsyms.

kallsyms is larger than BTF and the kernel writes it line by line, a tenth of a second and more: it is only read where
there is no BTF, once, for all names of ``FUNCTIONS``. It has no structures and no parameters.
"""

from typing import Dict, FrozenSet, Optional, Tuple

from . import btf
from .errors import KernelReadError, MissingError
from .running import RunningKernel

KALLSYMS = "/proc/kallsyms"

#: what may be asked for in ``has_function``
FUNCTIONS = frozenset((
    "inet_bind2_bucket_destroy", "secure_tcp_seq_and_ts_off", "secure_tcp_seq_and_tsoff", "secure_tcp_sequence_number",
    "secure_tcp_ts_off", "tcp_abort", "tcp_diag_destroy", "tcp_diag_dump",
))


class Symbols:
    """Answers with the evidence. Nothing is read before the first question."""

    def __init__(self, kernel: RunningKernel) -> None:
        self._kernel = kernel
        self._btf: Optional[btf.Btf] = None
        self._btf_error: Optional[KernelReadError] = None
        self._names: Optional[FrozenSet[str]] = None
        self._structures: Dict[str, Optional[btf.Struct]] = {}

    def structure(self, name: str) -> Optional[btf.Struct]:
        """A structure, None when this kernel has none of the name.

        :raises KernelReadError: when that cannot be told.
        """
        if name not in self._structures:
            self._structures[name] = self._types().structure(name)
        return self._structures[name]

    def parameters(self, function: str) -> Optional[Tuple[str, ...]]:
        """Names of the parameters of a function, None when there is no such function to be seen.

        :raises KernelReadError: when that cannot be told.
        """
        return self._types().parameters(function)

    def has_function(self, name: str) -> Tuple[bool, str]:
        """``(whether there is such a function, evidence)``, the kernel's modules only by kallsyms.

        :raises KernelReadError: when neither BTF nor kallsyms can be read.
        """
        try:
            found, place = self._types().has_function(name), "BTF"
        except MissingError:
            found, place = name in self._symbols(), KALLSYMS
        return found, "%s %s in %s" % (name, "is" if found else "is not", place)

    def module_has_function(self, module: str, name: str) -> bool:
        """Whether a loaded module has a function.

        :raises MissingError: when the module is not loaded, or has no BTF.
        """
        # the names of a module that the kernel proper lacks are in the strings of its own BTF
        return b"\0" + name.encode("ascii") + b"\0" in self._kernel.read_bytes("/sys/kernel/btf/" + module)

    def _types(self) -> btf.Btf:
        if self._btf_error:
            raise self._btf_error
        if self._btf is None:
            try:
                self._btf = btf.Btf(self._kernel.read_bytes(btf.PATH))
            except KernelReadError as error:
                self._btf_error = error
                raise
        return self._btf

    def _symbols(self) -> FrozenSet[str]:
        if self._names is None:
            found = set()
            count = 0
            for line in self._kernel.read_lines(KALLSYMS):
                count += 1
                # address, letter, name, perhaps [module]; the compiler appends .isra.0 and the like
                name = line.rstrip("\n").partition("\t")[0].rpartition(" ")[2].partition(".")[0]
                if name in FUNCTIONS:
                    found.add(name)
            if not count:
                raise KernelReadError(KALLSYMS, "nothing in it")
            self._names = frozenset(found)
        return self._names
