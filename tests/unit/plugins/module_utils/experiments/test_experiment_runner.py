# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What becomes of experiments that cannot be run, with a sandbox that is made up: this kernel has everything."""

import pytest
from ansible_collections.tcpops.timewait.plugins.module_utils._experiments import runner, table
from ansible_collections.tcpops.timewait.plugins.module_utils._experiments.bench import NotPossibleError
from ansible_collections.tcpops.timewait.plugins.module_utils._experiments.experiment import Experiment, Judgement
from ansible_collections.tcpops.timewait.plugins.module_utils._kernel.errors import KernelReadError
from ansible_collections.tcpops.timewait.plugins.modules import timewait_experiment_info as module
from support.captured_kernel import CapturedKernel

KERNEL = CapturedKernel("linux-7.2.13", files={"/proc/sys/kernel/osrelease": "7.2.13\n"})


def measured_as(figures):
    return Experiment("one", "One", "It is so.", "kernel", lambda ready: figures, lambda found: SEEN)


SEEN = Judgement("agrees", "it was so", {"tw_reuse": True})


class Sandbox:
    """Answers as a sandbox would, and keeps what it was asked. An exception among the answers is raised."""

    def __init__(self, *answers):
        self._answers = [None, *answers]
        self.limits = []

    def __call__(self, _function, timeout_seconds):
        self.limits.append(timeout_seconds)
        answer = self._answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def one_of(*answers, experiment=None):
    result = runner.run(KERNEL, [experiment or measured_as({})], 7, Sandbox(*answers))
    (entry,) = result["experiments"]
    assert result["kernel"] == {"release": "7.2.13"}
    assert result["unavailable"] == []
    return entry


def test_figures_are_judged():
    entry = one_of({"figures": {"ports": 64}})
    assert entry.pop("seconds") >= 0
    assert entry == {
        "name": "one", "title": "One", "predicts": "It is so.", "predicted_by": "kernel", "verdict": "agrees",
        "told": "it was so", "figures": {"ports": 64}, "shows": {"tw_reuse": True}, "reason": None,
    }


def test_one_that_is_not_possible_is_skipped_with_what_that_shows():
    entry = one_of({"figures": {}, "reason": "no such option", "shows": {"bind_address_no_port": False}})
    assert (entry["verdict"], entry["reason"], entry["told"]) == ("skipped", "no such option", None)
    assert (entry["shows"], entry["figures"]) == ({"bind_address_no_port": False}, {})


def test_one_that_is_late_has_failed():
    entry = one_of(KernelReadError("sandbox", "no answer within 7 s"))
    assert (entry["verdict"], entry["reason"], entry["told"]) == ("failed", "no answer within 7 s", None)


def test_one_that_fails_does_not_stop_the_others():
    sandbox = Sandbox(KernelReadError("sandbox", "it died"), {"figures": {"ports": 1}})
    result = runner.run(KERNEL, [measured_as({})] * 2, 7, sandbox)
    assert [entry["verdict"] for entry in result["experiments"]] == ["failed", "agrees"]


def test_slow_ones_have_a_limit_of_their_own():
    sandbox = Sandbox({"figures": {"a": 1}}, {"figures": {"a": 1}})
    runner.run(KERNEL, [measured_as({}), measured_as({})._replace(own_limit_seconds=90)], 7, sandbox)
    assert sandbox.limits[1:] == [7, 90]


def test_without_namespaces_everything_is_skipped_and_said():
    def refuse(_function, _timeout_seconds):
        raise KernelReadError("sandbox", "unshare(CLONE_NEWNET): not permitted")

    result = runner.run(KERNEL, table.chosen([]), 5, refuse)
    assert result["unavailable"] == [
        {"what": "private network namespaces", "reason": "unshare(CLONE_NEWNET): not permitted"}
    ]
    assert len(result["experiments"]) > 15
    for entry in result["experiments"]:
        assert (entry["verdict"], entry["figures"], entry["shows"]) == ("skipped", {}, {})
        assert "unshare(CLONE_NEWNET): not permitted" in entry["reason"]


@pytest.mark.parametrize(
    "error, told",
    [
        (NotPossibleError("no such option", {"reuseport": False}),
         {"figures": {}, "reason": "no such option", "shows": {"reuseport": False}}),
        (ConnectionRefusedError(111, "Connection refused"), "sockets of the sandbox: ECONNREFUSED"),
    ],
)
def test_what_an_experiment_raises_goes_back_as_data(monkeypatch, error, told):
    def measure(_ready):
        raise error

    # made in a sandbox only: it sets addresses
    monkeypatch.setattr(runner, "Bench", lambda kernel, host: None)
    one = measured_as({})._replace(measure=measure)
    if isinstance(told, dict):
        assert runner._measure(KERNEL, {}, one) == told
    else:
        with pytest.raises(KernelReadError, match=told):
            runner._measure(KERNEL, {}, one)


def test_names_are_unique_and_documented():
    names = [one.name for one in table.EXPERIMENTS]
    assert len(names) == len(set(names))
    for name in names:
        assert "V(%s)" % name in module.DOCUMENTATION
    assert module.DOCUMENTATION.count("V(") >= len(names)


def test_each_says_what_theory_says():
    for one in table.EXPERIMENTS:
        assert one.predicts.endswith(".")
        assert one.predicted_by in ("article", "kernel")
        # a claim about the kernel names the function, or the table, that it was read in
        assert one.predicted_by == "article" or one.predicts.endswith(").")


def test_quick_ones_are_the_default_and_slow_ones_are_named():
    quick = [one.name for one in table.EXPERIMENTS if one.own_limit_seconds is None]
    assert [one.name for one in table.chosen([])] == [one.name for one in table.chosen(["all"])] == quick
    assert [one.name for one in table.chosen(["slow"])] == ["fin_timeout"]
    assert {one.name for one in table.chosen(["all", "slow"])} == {one.name for one in table.EXPERIMENTS}
    assert [one.name for one in table.chosen(["reuse_delay", "pool_capacity"])] == ["pool_capacity", "reuse_delay"]
    assert [one.name for one in table.chosen(["fin_timeout"])] == ["fin_timeout"]


def test_an_unknown_name_is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match=r"experiments has 'reuse': it takes all, slow, and the names .*reuse_delay"):
        table.chosen(["all", "reuse"])
