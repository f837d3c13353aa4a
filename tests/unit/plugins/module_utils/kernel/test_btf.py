# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Types out of BTF: found by search, and the same that a walk over all of them finds."""

import os
import struct
import time

import pytest
from ansible_collections.tcpops.timewait.plugins.module_utils._kernel import btf
from ansible_collections.tcpops.timewait.plugins.module_utils._kernel.errors import KernelReadError
from hypothesis import example, given
from hypothesis import strategies as st
from support.btf_builder import build_btf, walk

STRUCTURES = {
    "inet_timewait_sock": (216, ("__tw_common", "tw_connect_bind")),
    "tcp_timewait_sock": (248, ("tw_sk", "tw_rcv_wnd")),  # of which the first is an int: a false mark to count from
    "empty": (0, ()),
}
FUNCTIONS = {"tcp_abort": ("sk", "err"), "no_parameters": (), "__inet_hash_connect": ("sk", "", "hash_port0")}


@pytest.mark.parametrize("order", ["<", ">"], ids=["little endian", "big endian"])
def test_what_is_there_is_found(order):
    types = btf.Btf(build_btf(STRUCTURES, FUNCTIONS, order))
    assert {name: types.structure(name) for name in STRUCTURES} == STRUCTURES
    assert {name: types.parameters(name) for name in FUNCTIONS} == FUNCTIONS
    assert all(types.has_function(name) for name in FUNCTIONS)


def test_prototypes_are_counted_from_the_structure_of_a_known_number():
    data = bytearray(build_btf(STRUCTURES, FUNCTIONS))
    at = data.index(struct.pack("<II", 4 << 24 | 2, 248)) + 8
    struct.pack_into("<I", data, at + 4, 2)  # inet_timewait_sock is the second type
    types = btf.Btf(bytes(data))
    assert {name: types.parameters(name) for name in FUNCTIONS} == FUNCTIONS
    assert {name: types.parameters(name) for name in reversed(FUNCTIONS)} == FUNCTIONS


@pytest.mark.parametrize("name", ["", "tcp", "tcp_abor", "cp_abort", "sk", "int", "tcp_abort"])
def test_what_is_no_structure_is_not_found(name):
    assert btf.Btf(build_btf(STRUCTURES, FUNCTIONS)).structure(name) is None


@pytest.mark.parametrize("name", ["", "abort", "inet_timewait_sock", "sk", "int", "absent"])
def test_what_is_no_function_is_not_found(name):
    types = btf.Btf(build_btf(STRUCTURES, FUNCTIONS))
    assert types.parameters(name) is None
    assert not types.has_function(name)


def test_numbers_that_look_like_the_name_are_passed_over():
    """Index and length of an array, the type and width of a bit field, name and value of enumerators: all read like
    the head of the structure."""
    plain = build_btf({"wanted": (8, ("wanted",))})
    offset = plain[24 + struct.unpack_from("<I", plain, 12)[0] :].index(b"wanted")
    decoys = [
        (0, 3 << 24, 0, 1, offset, 4 << 24),
        (0, 3 << 24, 0, 1, offset, 4 << 24 | 1),
        (0, 1 << 31 | 4 << 24 | 1, 8, 0, offset, 4 << 24),
        (0, 6 << 24 | 2, 4, offset, 4 << 24, 0, 4 << 24 | 1),
        (0, 6 << 24 | 1, 4, offset, 12 << 24),
    ]
    types = btf.Btf(build_btf({"wanted": (8, ("wanted",))}, before=decoys))
    assert types.structure("wanted") == (8, ("wanted",))
    assert not types.has_function("wanted")


def test_a_name_that_is_the_tail_of_another_string_serves():
    data = build_btf({"xtail": (16, ())})
    offset = data.index(b"xtail") - (24 + struct.unpack_from("<I", data, 12)[0])
    head = struct.pack("<II", offset, 4 << 24)
    types = btf.Btf(data.replace(head, struct.pack("<II", offset + 1, 4 << 24)))
    assert types.structure("tail") == (16, ())
    assert types.structure("xtail") is None


def test_a_kind_of_the_future_behind_a_structure_does_not_hide_it():
    types = btf.Btf(build_btf(STRUCTURES, after=[(0, 25 << 24, 0, 7, 7)]))
    assert types.structure("tcp_timewait_sock") == STRUCTURES["tcp_timewait_sock"]


def test_a_kind_of_the_future_before_a_prototype_is_said():
    types = btf.Btf(build_btf(functions=FUNCTIONS, before=[(0, 25 << 24, 0)]))
    assert types.has_function("tcp_abort")
    with pytest.raises(KernelReadError, match="unknown kind 25"):
        types.parameters("tcp_abort")


SOUND = build_btf(STRUCTURES, FUNCTIONS)


def _patched(at, *words):
    return SOUND[:at] + struct.pack("<%dI" % len(words), *words) + SOUND[at + 4 * len(words) :]


@pytest.mark.parametrize(
    "data, words",
    [
        (b"", "0 bytes"), (SOUND[:23], "23 bytes"), (b"\x7fELF" + SOUND[4:], "magic"), (SOUND[:200], "beyond"),
        (b"\x9f\xeb\x07" + SOUND[3:], "version 7"), (_patched(4, 8), "header of 8"),
        (_patched(8, 2, 100), "not aligned"),
        (_patched(12, 2**32 - 1), "beyond"), (_patched(16, 2**32 - 1), "beyond"),
        (_patched(20, 0), "strings"), (SOUND[:-1] + b"x", "strings"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_not_btf_is_refused_with_the_reason(data, words):
    with pytest.raises(KernelReadError, match=words):
        btf.Btf(data)


def test_a_function_without_a_prototype_is_refused():
    place = SOUND.index(struct.pack("<I", 12 << 24 | 1)) + 4
    for number in (1, 2**32 - 1):
        with pytest.raises(KernelReadError, match="no prototype"):
            btf.Btf(_patched(place, number)).parameters("tcp_abort")


def _ask_all(data):
    try:
        types = btf.Btf(data)
    except KernelReadError:
        return
    for name in [*STRUCTURES, *FUNCTIONS, "absent"]:
        for ask in (types.structure, types.parameters, types.has_function):
            try:
                ask(name)
            except KernelReadError as error:
                assert error.reason


@given(st.lists(st.tuples(st.integers(0, len(SOUND) - 1), st.integers(0, 255)), min_size=1, max_size=8))
@example([(19, 255)])
@example([(0, 0xEB), (1, 0x9F)])
def test_damage_gives_an_answer_or_a_reason(changes):
    data = bytearray(SOUND)
    for at, value in changes:
        data[at] = value
    _ask_all(bytes(data))


@given(st.binary(max_size=400), st.integers(0, 400))
@example(b"", 0)
@example(struct.pack("<III", 1, 4 << 24 | 0xFFFF, 8), 12)
def test_any_bytes_give_an_answer_or_a_reason(content, split):
    split = min(split, len(content)) & ~3
    strings = b"\0" + b"\0".join(name.encode() for name in STRUCTURES) + content[split:] + b"\0"
    types = content[:split]
    header = struct.pack("<HBBIIIII", 0xEB9F, 1, 0, 24, 0, len(types), len(types), len(strings))
    _ask_all(header + types + strings)


@pytest.mark.parametrize("vlen", [0, 1, 0xFFFF])
def test_millions_of_false_candidates_take_no_time_to_speak_of(vlen):
    name = b"\0tcp_timewait_sock\0"
    types = struct.pack("<III", 1, 4 << 24 | vlen, 8) * 200000 + struct.pack("<III", 1, 0, 0)
    header = struct.pack("<HBBIIIII", 0xEB9F, 1, 0, 24, 0, len(types), len(types), len(name))
    started = time.monotonic()
    _ask_all(header + types + name)
    assert time.monotonic() - started < 5


@pytest.mark.skipif(not os.path.exists(btf.PATH), reason="this kernel has no BTF")
def test_the_search_finds_in_the_running_kernel_what_a_walk_finds():
    with open(btf.PATH, "rb") as stream:
        data = stream.read()
    structures, functions = walk(data)
    types = btf.Btf(data)
    wanted = ["tcp_timewait_sock", "inet_timewait_sock", "tcp_sock", "inet_bind_bucket", "inet_bind2_bucket"]
    wanted += ["netns_ipv4", "sock", "sk_buff", "task_struct", "list_head"]
    for name in wanted:
        assert types.structure(name) == structures.get(name), name
    asked = ["tcp_abort", "__inet_check_established", "__inet_hash_connect", "secure_tcp_ts_off", "tcp_v4_connect"]
    for name in [*asked, "secure_tcp_seq_and_ts_off", "tcp_diag_destroy", *sorted(functions)[::4000]]:
        assert types.has_function(name) is (name in functions), name
        assert types.parameters(name) == functions.get(name), name
