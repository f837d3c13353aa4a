# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Capabilities of the captured kernels, by their files and by types and names that are given to them."""

import errno
import re

import pytest
from ansible_collections.tcpops.timewait.plugins.module_utils import _facts
from ansible_collections.tcpops.timewait.plugins.module_utils._kernel import btf, capabilities, probes_socket
from ansible_collections.tcpops.timewait.plugins.module_utils._kernel.errors import KernelReadError, MissingError
from ansible_collections.tcpops.timewait.plugins.module_utils._kernel.symbols import KALLSYMS, Symbols
from support.btf_builder import build_btf
from support.captured_kernel import RELEASES, CapturedKernel

OLD, NEW = "linux-3.16.6", "linux-7.2.13"
NETSTAT = "/proc/net/netstat"
NAMES = {
    "autobind_reuse", "bind2_hash", "bind_address_no_port", "connect_bucket_recovery", "ehash_entries",
    "local_port_range_option", "max_tw_buckets", "port_range", "port_step_width", "rcu_port_search", "reserved_ports",
    "reuseport", "sock_destroy", "sock_diag", "time_wait_counters", "timestamp_offset", "tw_recycle", "tw_reuse",
    "tw_reuse_delay", "tw_timeout", "unprivileged_port_start",
}


def read(release=NEW, refuse=0, files=None, options=(), **types):
    """Of a captured kernel; ``types`` are its structures and functions."""
    files = dict(files or {})
    if types:
        files[btf.PATH] = build_btf(**types)
    kernel = CapturedKernel(release, refuse, files, options)
    return capabilities.read_capabilities(kernel, Symbols(kernel))


@pytest.mark.parametrize("release", RELEASES)
def test_each_is_told_in_three_words(release):
    found = read(release)
    assert set(found) == NAMES
    for one in found.values():
        assert set(one) == {"available", "value", "evidence"}
        assert one["available"] in (True, False, None)
        assert one["evidence"]
        assert (one["available"] is None) is one["evidence"].startswith("cannot tell: ")


@pytest.mark.parametrize(
    "name, in_old, in_new",
    [
        ("tw_recycle", True, False), ("autobind_reuse", False, True), ("tw_reuse_delay", False, True),
        ("unprivileged_port_start", False, True), ("port_step_width", False, True), ("ehash_entries", False, True),
        ("tw_timeout", False, False), ("reserved_ports", True, True), ("sock_diag", True, True),
    ],
)
def test_a_sysctl_that_is_there_is_a_capability(name, in_old, in_new):
    assert (read(OLD)[name]["available"], read(NEW)[name]["available"]) == (in_old, in_new)


def test_values_are_those_of_the_kernel():
    found = read(NEW)
    assert found["tw_reuse_delay"]["value"] == 1000
    assert found["port_range"]["value"] == [32768, 60999]
    assert found["tw_reuse"]["value"] == {"setting": 2, "modes": [0, 1, 2], "inert": False}
    assert found["max_tw_buckets"]["value"]["limit"] > 0
    assert read(OLD)["tw_recycle"]["value"] == {"setting": 0, "works": None}


def test_the_release_is_not_asked():
    def refuse(path):
        raise AssertionError(path)

    kernel = CapturedKernel(NEW)
    kernel.read_text = lambda path: (
        refuse(path) if re.search("osrelease|version", path) else CapturedKernel.read_text(kernel, path)
    )
    capabilities.read_capabilities(kernel, Symbols(kernel))


def test_counters_are_those_that_the_kernel_names():
    old, new = (read(release)["time_wait_counters"]["value"] for release in (OLD, NEW))
    assert "PAWSPassive" in old and "PAWSTimewait" not in old
    assert "PAWSTimewait" in new and "PAWSPassive" not in new
    assert read(files={NETSTAT: "garbage\n"})["time_wait_counters"]["available"] is None


def test_options_are_those_that_a_socket_takes():
    options = {
        "bind_address_no_port": probes_socket.IP_BIND_ADDRESS_NO_PORT,
        "local_port_range_option": probes_socket.IP_LOCAL_PORT_RANGE,
        "reuseport": probes_socket.SO_REUSEPORT,
    }
    for name, number in options.items():
        found = read(options=(number,))
        assert [one for one in options if found[one]["available"]] == [name]
    refused = read(options=None)
    assert {refused[name]["available"] for name in options} == {None}


@pytest.mark.parametrize(
    "number, available", [(errno.ENOENT, False), (errno.EPROTONOSUPPORT, False), (errno.EPERM, None)]
)
def test_a_refused_dump_is_told_from_one_that_there_is_not(number, available):
    assert read(refuse=number)["sock_diag"]["available"] is available


@pytest.mark.parametrize(
    "setting, timestamps, delay, value",
    [
        (2, "1", None, {"setting": 2, "modes": [0, 1, 2], "inert": False}),
        (1, "0", "1000", {"setting": 1, "modes": [0, 1, 2], "inert": True}),
        (1, "1", None, {"setting": 1, "modes": None, "inert": False}),
        (0, None, None, {"setting": 0, "modes": None, "inert": None}),
    ],
)
def test_reuse_tells_its_modes_without_trying_them(setting, timestamps, delay, value):
    folder = "/proc/sys/net/ipv4/"
    files = {
        folder + "tcp_tw_reuse": str(setting), folder + "tcp_timestamps": timestamps,
        folder + "tcp_tw_reuse_delay": delay,
    }
    assert read(files=files)["tw_reuse"]["value"] == value


@pytest.mark.parametrize("shown, entries", [("262144", 262144), ("-262144", 262144)])
def test_a_shared_table_has_the_size_of_the_first_one(shown, entries):
    found = read(files={"/proc/sys/net/ipv4/tcp_ehash_entries": shown})["ehash_entries"]
    assert found["value"] == entries
    assert ("first namespace" in found["evidence"]) is (shown[0] == "-")


def functions(*names):
    return {"functions": dict.fromkeys(names, ())}


@pytest.mark.parametrize(
    "types, available, value",
    [
        (functions("secure_tcp_ts_off"), True, "per_host_pair"),
        (functions("secure_tcp_seq_and_ts_off"), True, "per_4_tuple"),
        (functions("secure_tcp_seq_and_ts_off", "secure_tcp_ts_off"), True, "per_host_pair"),
        (functions("secure_tcp_seq_and_tsoff"), True, "per_host_pair"),
        ({"functions": {"secure_tcp_sequence_number": ("saddr", "dport", "tsoff")}}, True, "per_connection"),
        ({"functions": {"secure_tcp_sequence_number": ("saddr", "dport")}}, False, "none"),
        (functions("tcp_abort"), None, None),
        ({}, None, None),
    ],
    ids=str,
)
def test_the_timestamp_offset_is_told_by_the_function_that_makes_it(types, available, value):
    found = read(**types)["timestamp_offset"]
    assert (found["available"], found["value"]) == (available, value)


@pytest.mark.parametrize(
    "members, bucket, available",
    [
        (("tw_tb2", "tw_connect_bind"), ("fastreuse",), True),
        (("tw_tb2", "tw_connect_bind"), ("l3mdev",), False),
        (("tw_tb2",), ("fastreuse",), False),
    ],
)
def test_recovery_of_buckets_takes_both_members(members, bucket, available):
    structures = {"inet_timewait_sock": (216, members), "inet_bind2_bucket": (80, bucket)}
    found = read(structures=structures)
    assert found["connect_bucket_recovery"]["available"] is available
    assert found["bind2_hash"]["available"] is True


def test_types_without_time_wait_do_not_tell_of_recovery():
    assert read(structures={"other": (8, ())})["connect_bucket_recovery"]["available"] is None


@pytest.mark.parametrize(
    "check, connect, available",
    [
        (("lport", "rcu_lookup"), ("sk", "hash_port0"), True),
        (("lport",), ("sk", "hash_port0"), False),
        (("lport", "rcu_lookup"), ("sk",), False),
        (("lport", "rcu_lookup"), None, None),
    ],
)
def test_the_search_without_a_lock_shows_by_its_parameters(check, connect, available):
    given = {"__inet_check_established": check, "__inet_hash_connect": connect}
    found = read(functions={name: parameters for name, parameters in given.items() if parameters is not None})
    assert found["rcu_port_search"]["available"] is available


@pytest.mark.parametrize(
    "names, module, available",
    [
        (["tcp_abort", "tcp_diag_dump", "tcp_diag_destroy"], None, True),
        (["tcp_abort", "tcp_diag_dump"], None, False),
        ([], None, False),
        (["tcp_abort"], None, None),
        (["tcp_abort"], b"\0tcp_diag_dump\0tcp_diag_destroy\0", True),
        (["tcp_abort"], b"\0tcp_diag_dump\0", False),
    ],
)
def test_destroy_is_told_by_the_function_that_would_do_it(names, module, available):
    files = {"/sys/kernel/btf/tcp_diag": module}
    assert read(files=files, functions={"other": (), **functions(*names)["functions"]})["sock_destroy"][
        "available"
    ] is available


@pytest.mark.parametrize("members, own", [(("tcp_death_row",), True), (("other",), False)])
def test_buckets_per_namespace_show_in_its_structure(members, own):
    assert read(structures={"netns_ipv4": (1024, members)})["max_tw_buckets"]["value"]["per_namespace"] is own


SYMBOLS = """\
0000000000000000 T tcp_abort
0000000000000000 t secure_tcp_ts_off.isra.0
0000000000000000 t tcp_diag_destroy\t[tcp_diag]
0000000000000000 T inet_bind2_bucket_destroy
"""


def test_names_of_symbols_serve_where_there_are_no_types():
    found = read(files={KALLSYMS: SYMBOLS, btf.PATH: None})
    assert found["timestamp_offset"]["value"] == "per_host_pair"
    assert found["sock_destroy"]["available"] is True
    assert found["bind2_hash"]["available"] is True
    assert KALLSYMS in found["bind2_hash"]["evidence"]
    assert found["connect_bucket_recovery"]["available"] is None  # no structure in there


def test_a_kernel_with_recycle_and_one_clock_for_each_host_has_it_working():
    files = {KALLSYMS: SYMBOLS.replace("ts_off.isra.0", "seq_and_tsoff"), btf.PATH: None}
    assert read(OLD, files=files)["tw_recycle"]["value"] == {"setting": 0, "works": True}


@pytest.mark.parametrize("parameters, works", [(("saddr", "tsoff"), False), (("saddr",), True)])
def test_recycle_is_broken_by_an_offset_of_each_connection(parameters, works):
    found = read(OLD, functions={"secure_tcp_sequence_number": parameters})["tw_recycle"]
    assert found["value"] == {"setting": 0, "works": works}


def test_symbols_are_read_once_and_only_without_types():
    reads = []
    kernel = CapturedKernel(NEW, files={KALLSYMS: SYMBOLS})
    kernel.read_lines = lambda path: reads.append(path) or iter(SYMBOLS.splitlines(True))
    capabilities.read_capabilities(kernel, Symbols(kernel))
    assert reads == [KALLSYMS]
    kernel = CapturedKernel(NEW, files={btf.PATH: build_btf(functions={"other": ()})})
    kernel.read_lines = reads.append
    capabilities.read_capabilities(kernel, Symbols(kernel))
    assert reads == [KALLSYMS]


class Mute:
    """A kernel of which nothing is known."""

    def __init__(self, error):
        self._error = error

    def _refuse(self, *_arguments, **_options):
        raise self._error

    read_text = read_bytes = read_lines = list_names = read_link = accepts_option = dump = _refuse


@pytest.mark.parametrize("error", [MissingError("it", "there is no such file"), KernelReadError("it", "not permitted")])
def test_a_kernel_of_which_nothing_is_known_gives_facts_and_no_error(error):
    options = _facts.Options(frozenset({"kernel"}), 20, 28232, 5)
    facts = _facts.gather(Mute(error), options)
    found = facts["kernel"]["capabilities"]
    assert set(found) == NAMES
    # a sysctl that is missing is one that the kernel lacks
    told = {False, None} if isinstance(error, MissingError) else {None}
    assert {one["available"] for one in found.values()} == told
    assert "structure_bytes" not in facts["kernel"]
    assert any(problem["what"] == "structure sizes" for problem in facts["unavailable"])


def test_damaged_types_leave_the_rest_and_say_why():
    found = read(files={btf.PATH: b"\x9f\xeb\x01"})
    assert found["tw_reuse_delay"]["value"] == 1000
    assert found["timestamp_offset"]["available"] is None
    assert "shorter than a header" in found["timestamp_offset"]["evidence"]


def test_sizes_are_those_of_the_structures():
    kernel = CapturedKernel(NEW, files={btf.PATH: build_btf({"tcp_timewait_sock": (248, ()), "tcp_sock": (2304, ())})})
    assert capabilities.read_structure_bytes(Symbols(kernel)) == (
        {
            "tcp_timewait_sock": 248, "tcp_sock": 2304, "inet_timewait_sock": None, "inet_bind_bucket": None,
            "inet_bind2_bucket": None,
        },
        None,
    )
