# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``/proc/net/tcp``: the same sockets as a dump."""

import pytest
from ansible_collections.tcpops.timewait.plugins.module_utils._kernel import (
    addresses,
    proc_net_tcp,
    sock_diag,
    tcp_states,
)
from ansible_collections.tcpops.timewait.plugins.module_utils._kernel.errors import KernelReadError
from hypothesis import given
from hypothesis import strategies as st
from support.captured_kernel import RELEASES, CapturedKernel

_HEADING = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
_ROW = "   0: 0100007F:1F90 0200007F:9C41 06 00000000:00000000 03:00000BB8 00000000     0        0 0 3 0000\n"


def _read(*lines):
    return list(proc_net_tcp.sockets(iter(lines), addresses.AF_INET, "/proc/net/tcp"))


def test_a_row_is_read():
    (found,) = _read(_HEADING, _ROW)
    assert (found.local_address, found.local_port) == (b"\x7f\0\0\1", 8080)
    assert (found.remote_address, found.remote_port) == (b"\x7f\0\0\2", 40001)
    assert (found.state, found.mini, found.left_ms) == (tcp_states.TIME_WAIT, True, 30000)


def test_an_ipv6_row_is_read():
    row = _ROW.replace("0100007F", "B80D0120000000000000000001000000")
    row = row.replace("0200007F", "0" * 16 + "FFFF00000200007F")
    (found,) = proc_net_tcp.sockets(iter([_HEADING, row]), addresses.AF_INET6, "/proc/net/tcp6")
    assert found.local_address.hex() == "20010db8000000000000000000000001"
    assert found.remote_address == b"\x7f\0\0\2"  # mapped


@pytest.mark.parametrize("release", RELEASES)
def test_both_sources_show_the_same_sockets(release):
    kernel = CapturedKernel(release)

    def quadruplets(found):
        return sorted((s.state, s.local_address, s.local_port, s.remote_address, s.remote_port) for s in found)

    from_files = []
    for path, family in proc_net_tcp.FILES:
        if release == "linux-3.16.6" and path.endswith("6"):
            continue
        from_files.extend(proc_net_tcp.sockets(kernel.read_lines(path), family, path))
    assert quadruplets(from_files) == quadruplets(sock_diag.sockets(kernel.dump(0xFFFF)))


@pytest.mark.parametrize(
    "row", ["nonsense\n", _ROW[:30] + "\n", _ROW.replace("1F90", "XXXX"), _ROW.replace("0100007F", "01")]
)
def test_a_row_that_is_not_the_kernels_is_refused_with_its_number(row):
    with pytest.raises(KernelReadError, match="line 2 is not one of the kernel's"):
        _read(_HEADING, row)


def test_a_file_that_is_something_else_is_refused():
    with pytest.raises(KernelReadError, match="heading"):
        _read("hello\n")


@given(st.text(alphabet=st.characters(codec="ascii"), max_size=200))
def test_random_text_never_does_more_than_raise_the_one_error(text):
    for lines in ([text], [_HEADING, text], [_HEADING, _ROW[: len(text)] + text]):
        try:
            _read(*lines)
        except KernelReadError as error:
            assert error.reason
