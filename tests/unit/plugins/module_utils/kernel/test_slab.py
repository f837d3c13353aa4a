# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What one entry costs."""

import pytest
from ansible_collections.tcpops.timewait.plugins.module_utils._kernel import slab
from ansible_collections.tcpops.timewait.plugins.module_utils._kernel.errors import KernelReadError
from ansible_collections.tcpops.timewait.plugins.module_utils._kernel.symbols import Symbols
from support.btf_builder import build_btf
from support.captured_kernel import CapturedKernel


def read(kernel):
    return slab.read_entry_size(kernel, Symbols(kernel))


def _folder(cache, order, objects):
    return {f"/sys/kernel/slab/{cache}/order": f"{order}\n", f"/sys/kernel/slab/{cache}/objs_per_slab": f"{objects}\n"}


def test_slub_folders_are_read_with_the_waste_of_a_slab():
    files = {**_folder("tw_sock_TCP", 0, 15), **_folder("tcp_bind_bucket", 0, 32), **_folder("tcp_bind2_bucket", 0, 32)}
    size, problem = read(CapturedKernel("linux-6.12.107", files=files))
    assert (size, problem) == (slab.EntrySize(4096 // 15, 4096 // 15 + 256, "slab"), None)


def test_a_kernel_without_the_second_bucket_has_no_cost_for_it():
    files = {**_folder("tw_sock_TCP", 0, 16), **_folder("tcp_bind_bucket", 0, 32)}
    size, _problem = read(CapturedKernel("linux-5.10.0-32", files=files))
    assert size.outbound == 256 + 128


def test_slabinfo_serves_where_there_are_no_folders():
    size, problem = read(CapturedKernel("linux-3.16.6"))
    assert (size, problem) == (slab.EntrySize(4096 // 21, 4096 // 21 + 4096 // 63, "slab"), None)


@pytest.mark.parametrize(
    "files", [{"/proc/slabinfo": None}, _folder("tw_sock_TCP", 0, 0), {"/proc/slabinfo": "tw_sock_TCP 1 x\n"}]
)
def test_what_cannot_be_read_becomes_an_estimate_that_says_so(files):
    size, problem = read(CapturedKernel("linux-3.16.6", files=files))
    assert size == slab.EntrySize(256, 512, "estimate")
    assert isinstance(problem, KernelReadError)


@pytest.mark.parametrize(
    "structures, outbound",
    [
        ({"tcp_timewait_sock": 248, "inet_bind_bucket": 88, "inet_bind2_bucket": 80}, 512),
        ({"tcp_timewait_sock": 248, "inet_bind_bucket": 64}, 320),  # before 6.1
    ],
)
def test_structures_tell_where_the_slab_does_not(structures, outbound):
    data = build_btf(structures={name: (size, ()) for name, size in structures.items()})
    kernel = CapturedKernel("linux-6.12.107", files={"/proc/slabinfo": None, "/sys/kernel/btf/vmlinux": data})
    assert read(kernel) == (slab.EntrySize(256, outbound, "btf"), None)


@pytest.mark.parametrize("sizes", [{"inet_bind_bucket": 88}, {"tcp_timewait_sock": 10**6, "inet_bind_bucket": 88}])
def test_structures_that_make_no_sense_leave_the_estimate(sizes):
    data = build_btf(structures={name: (size, ()) for name, size in sizes.items()})
    kernel = CapturedKernel("linux-6.12.107", files={"/proc/slabinfo": None, "/sys/kernel/btf/vmlinux": data})
    assert read(kernel)[0].source == "estimate"
