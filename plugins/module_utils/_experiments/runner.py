# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs experiments, each in a sandbox of its own, and says what came of them."""

import time
from functools import partial
from typing import Any, Callable, Dict, List, Optional

from .._kernel.errors import KernelReadError
from .._kernel.running import RunningKernel
from .._kernel import sandbox
from .bench import Bench, NotPossibleError, host_settings
from .experiment import FAILED, SKIPPED, Experiment, Judgement

Call = Callable[[Callable[[], Any], float], Any]
Host = Dict[str, Optional[str]]

#: for a namespace and nothing in it
_FIRST_SECONDS = 10


def run(
    kernel: RunningKernel,
    experiments: List[Experiment],
    timeout_seconds: int,
    call: Call = sandbox.call_in_sandbox,
) -> Dict[str, Any]:
    """The result of the module, as docs/schema.md describes it.

    :param timeout_seconds: for each experiment that has no limit of its own.
    :param call: calls a function in a sandbox.
    """
    result: Dict[str, Any] = {"kernel": {"release": _release(kernel)}, "experiments": [], "unavailable": []}
    try:
        call(_nothing, _FIRST_SECONDS)
    except KernelReadError as refusal:
        reason = str(refusal.reason)
        result["unavailable"].append({"what": sandbox.WHAT, "reason": reason})
        nothing = Judgement(SKIPPED, "", {}, "no private network namespace: %s" % reason)
        result["experiments"] = [_entry(one, nothing, {}, 0.0) for one in experiments]
        return result
    host = host_settings(kernel)
    for one in experiments:
        started = time.monotonic()
        figures: Dict[str, Any] = {}
        try:
            answer = call(partial(_measure, kernel, host, one), one.own_limit_seconds or timeout_seconds)
        except KernelReadError as error:
            judgement = Judgement(FAILED, "", {}, error.reason)
        else:
            figures = answer["figures"]
            judgement = one.judge(figures) if figures else Judgement(SKIPPED, "", answer["shows"], answer["reason"])
        result["experiments"].append(_entry(one, judgement, figures, time.monotonic() - started))
    return result


def _nothing() -> None:
    return None


def _measure(kernel: RunningKernel, host: Host, one: Experiment) -> Dict[str, Any]:
    """What goes back over the pipe: figures, or why there are none."""
    try:
        return {"figures": one.measure(Bench(kernel, host))}
    except NotPossibleError as error:
        return {"figures": {}, "reason": error.reason, "shows": error.shows}


def _entry(one: Experiment, judgement: Judgement, figures: Dict[str, Any], seconds: float) -> Dict[str, Any]:
    return {
        "name": one.name,
        "title": one.title,
        "predicts": one.predicts,
        "predicted_by": one.predicted_by,
        "verdict": judgement.verdict,
        "told": judgement.told or None,
        "figures": figures,
        "shows": judgement.shows,
        "seconds": round(seconds, 2),
        "reason": judgement.reason,
    }


def _release(kernel: RunningKernel) -> Optional[str]:
    try:
        return kernel.read_text("/proc/sys/kernel/osrelease").strip() or None
    except KernelReadError:
        return None  # it is for people only
