# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What makes a run of the matrix of kernels fail, and what its page says."""

import copy
import json

import generate_kernel_matrix as page
import kernel_matrix as matrix
import pytest

HERE = {"client_closes": 4, "client_closes_ipv6": 2, "server_closes": 3, "established": 1}
THERE = {"client_closes": 5, "client_closes_ipv6": 0, "server_closes": 6, "established": 0}
NO_MODULE = {"what": "sock_diag dump", "reason": "the kernel has no tcp_diag; read from /proc/net/tcp instead"}


def pool(direction, port, used, time_wait, address="127.0.0.1"):
    """As the facts have it."""
    ports = {"remote_port": port, "local_port": None}
    if direction == "inbound":
        ports = {"remote_port": None, "local_port": port}
    return {"direction": direction, "remote_address": address, "used": used, "time_wait": time_wait, **ports}


def census(source, port):
    """Of a guest in which all is well."""
    here = [
        pool("outbound", port, 5, 4),
        pool("outbound", port, 2, 2, "::1"),
        pool("inbound", port + 1, 3, 3),
        pool("inbound", port, 1, 0),
        pool("inbound", 22, 1, 0, "10.0.2.2"),
    ]
    there = [pool("outbound", port, 5, 5), pool("inbound", port + 1, 6, 6)]
    facts = {
        "collected_at": "2026-11-23T13:47:18Z",
        "kernel": {
            "release": "6.1.0-50-cloud-amd64",
            "capabilities": {
                "tw_reuse_delay": {"available": False, "value": None, "evidence": "no file"},
                "tw_reuse": {"available": True, "value": {"setting": 2, "modes": [0, 1, 2]}, "evidence": "set"},
                "timestamp_offset": {"available": True, "value": "per_host_pair", "evidence": "BTF"},
                "sock_destroy": {"available": None, "value": None, "evidence": "cannot tell: no BTF"},
            },
            "structure_bytes": {"tcp_sock": 2216, "inet_bind2_bucket": None},
        },
        "memory": {"source": "slab", "per_inbound_bytes": 256, "per_outbound_bytes": 384, "ehash_entries": 1},
        "namespaces": [
            {"label": "host", "source": source, "pools": here},
            {"label": f"lab-{source}", "source": source, "pools": there},
        ],
        "unavailable": [NO_MODULE] if source == "procfs" else [],
    }
    return {"source": source, "port": port, "counted": [9, 11], "facts": facts}


def experiment(name="reuse_modes", verdict="agrees", **shows):
    """One that went well."""
    texts = {"title": "Modes", "predicts": "It takes a|b.", "predicted_by": "kernel", "told": "takes 2", "reason": None}
    return {"name": name, "verdict": verdict, "figures": {}, "seconds": 0.3, "shows": shows, **texts}


@pytest.fixture
def result():
    """Of one guest in which all is well."""
    return {
        "accelerator": "tcg",
        "packages": "iproute2\t6.1\nlinux-image-6.1.0-50-cloud-amd64\t6.1.192-1\n"
        "linux-image-cloud-amd64\t6.1\npython3\t3.11\n",
        "censuses": [census("procfs", 8080), census("sock_diag", 8090)],
        "made": [HERE, THERE],
        "experiments": {"unavailable": [], "experiments": [experiment(**{"tw_reuse.modes": [0, 1, 2]})]},
    }


def namespace_of(result, census_number=1, number=0):
    """Of a result, the facts of one namespace."""
    return result["censuses"][census_number]["facts"]["namespaces"][number]


def test_nothing_is_wrong_where_all_is_as_it_was_made(result):
    assert matrix.problems_of(result) == []


@pytest.mark.parametrize("number", [0, 1, 2, 3])
@pytest.mark.parametrize("census_number", [0, 1])
def test_a_pool_that_is_missing_is_named(result, census_number, number):
    namespace_of(result, census_number)["pools"].pop(number)
    assert any("not found" in problem for problem in matrix.problems_of(result))


@pytest.mark.parametrize("field", ["used", "time_wait", "remote_address", "direction"])
def test_a_pool_that_differs_is_found_and_missed(result, field):
    changed = namespace_of(result, 1, 1)["pools"][0]
    changed.update(pool("inbound", 8090, 5, 5) if field == "direction" else {field: 1})
    problems = "\n".join(matrix.problems_of(result))
    assert "not found ('outbound', '127.0.0.1', 8090, 5, 5)" in problems
    assert "found, and not made" in problems


def test_ss_is_believed_more_than_the_census(result):
    result["censuses"][0]["counted"] = [9, 12]
    assert matrix.problems_of(result) == ["census by procfs, namespace lab-procfs: 11 in TIME-WAIT, ss counts 12"]


def test_a_census_that_was_read_otherwise_proves_nothing(result):
    namespace_of(result, 0)["source"] = "sock_diag"
    assert matrix.problems_of(result) == ["census by procfs, namespace host: read by sock_diag"]


def test_a_namespace_that_is_missing_is_named(result):
    namespace_of(result, 0, 1)["label"] = "python3"
    assert matrix.problems_of(result) == ["census by procfs, namespace lab-procfs: not found, only host, python3"]


def test_what_could_not_be_read_is_a_problem(result):
    result["censuses"][1]["facts"]["unavailable"] = [NO_MODULE]
    assert matrix.problems_of(result) == [f"facts, census by sock_diag: sock_diag dump: {NO_MODULE['reason']}"]


@pytest.mark.parametrize(
    ("key", "shown", "outcome"),
    [
        ("tw_reuse_delay", False, "agree"),
        ("tw_reuse_delay", True, "contradict"),
        ("tw_reuse.modes", [0, 1, 2], "agree"),
        ("tw_reuse.modes", [0, 1], "contradict"),
        ("timestamp_offset.value", "per_host_pair", "agree"),
        ("timestamp_offset.value", "per_4_tuple", "contradict"),
        ("sock_destroy", True, "untold"),
        ("sock_destroy.value", 3, "untold"),
        ("sock_destroy.key", 3, "untold"),
        ("tw_reuse.no_such_key", 1, "contradict"),
        ("no_such_capability", True, "contradict"),
        ("timestamp_offset.key_of_a_text", True, "contradict"),
    ],
)
def test_probe_and_experiment_are_held_against_each_other(result, key, shown, outcome):
    result["experiments"]["experiments"] = [experiment(**{key: shown})]
    capabilities = matrix.facts_of(result)["kernel"]["capabilities"]
    assert [one.outcome for one in matrix.compare(result["experiments"]["experiments"], capabilities)] == [outcome]
    assert bool(matrix.problems_of(result)) == (outcome == "contradict")


def test_a_skipped_experiment_shows_something_too(result):
    result["experiments"]["experiments"] = [experiment(verdict="skipped", tw_reuse_delay=True)]
    assert matrix.problems_of(result) == ["tw_reuse_delay: experiment reuse_modes shows True, the probe says False"]


def test_to_differ_from_theory_is_a_result_and_to_fail_is_not(result):
    result["experiments"]["experiments"] = [experiment("one", "differs")]
    assert matrix.problems_of(result) == []
    result["experiments"]["experiments"] = [{**experiment("two", "failed"), "reason": "no end within 5 s"}]
    assert matrix.problems_of(result) == ["experiment two failed: no end within 5 s"]


def test_experiments_that_were_not_permitted_are_a_problem(result):
    result["experiments"]["unavailable"] = [{"what": "sandbox", "reason": "EPERM"}]
    assert matrix.problems_of(result) == ["experiments: sandbox: EPERM"]


def test_versions_are_those_of_the_kernel_itself_and_not_of_the_package_that_follows_it(result):
    assert matrix.versions(result["packages"]) == {
        "linux": "6.1.192-1", "python3": "3.11", "iproute2": "6.1",
    }  # fmt: skip


def two_kernels(result):
    """The document of two, the newer one given first."""
    newer = copy.deepcopy(result)
    matrix.facts_of(newer)["kernel"]["release"] = "6.12.107+deb13-cloud-amd64"
    newer["packages"] = newer["packages"].replace("6.1.192", "6.12.107")
    capabilities = matrix.facts_of(newer)["kernel"]["capabilities"]
    capabilities["tw_reuse_delay"] = {"available": True, "value": 1000, "evidence": "file"}
    newer["experiments"]["experiments"][0]["verdict"] = "differs"
    return matrix.document({"trixie": newer, "bookworm": result})


def test_kernels_stand_in_the_order_of_their_numbers(result):
    assert [kernel["suite"] for kernel in two_kernels(result)["kernels"]] == ["bookworm", "trixie"]


def test_the_page_is_made_out_of_what_is_kept(result):
    kept = json.loads(json.dumps(two_kernels(result)))
    text = page.render(kept, ["bookworm", "trixie"])
    for line in (
        "Run on 2026-11-23; the guests were emulated by software, so that times are those of a slow machine.",
        "| capability | 6.1.192 (bookworm) | 6.12.107 (trixie) |",
        "| `tw_reuse_delay` | no | yes: 1000 |",
        "| `sock_destroy` | cannot be told | cannot be told |",
        "* 6.1.192 (bookworm), `sock_destroy`: cannot tell: no BTF",
        "| `tw_reuse` | yes: modes 0 1 2, setting 2 | yes: modes 0 1 2, setting 2 |",
        "| `tcp_sock` | 2216 | 2216 |",
        "| `inet_bind2_bucket` |  |  |",
        "| 6.1.192 (bookworm) | `procfs` | 6 | 20 |",
        "| `tw_reuse.modes` | `reuse_modes` | agree: 0 1 2 | agree: 0 1 2 |",
        "| [`reuse_modes`](#reuse_modes) | agrees | differs |",
        "| 6.12.107 (trixie) | differs | takes 2 |",
        "| bookworm | 6.1.0-50-cloud-amd64 | 6.1.192-1 | 6.1 | 3.11 |",
    ):
        assert line in text.splitlines(), line
    assert "Not run" not in text


def test_a_kernel_that_was_not_run_is_named(result):
    assert "**Not run: sid.**" in page.render(two_kernels(result), ["bookworm", "trixie", "sid"])


def test_a_bar_does_not_end_a_cell():
    assert page.table(["a|b"], [["c|d\ne"]])[-1] == "| c\\|d e |"


def test_each_row_has_a_cell_for_each_kernel(result):
    kept = two_kernels(result)
    del kept["kernels"][0]["capabilities"]["tw_reuse"]
    del kept["kernels"][1]["experiments"]["reuse_modes"]
    kept["kernels"][1]["comparisons"] = []
    text = page.render(kept, [])
    assert "| `tw_reuse` |  | yes: modes 0 1 2, setting 2 |" in text
    assert "| [`reuse_modes`](#reuse_modes) | agrees |  |" in text
    assert "| `tw_reuse.modes` | `reuse_modes` | agree: 0 1 2 |  |" in text
