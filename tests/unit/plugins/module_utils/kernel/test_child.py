# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A function in a child process: real processes, one that answers, one that is late, one that dies."""

import ctypes
import os
import signal
import time

import pytest
from ansible_collections.tcpops.timewait.plugins.module_utils._kernel.child import call_in_child
from ansible_collections.tcpops.timewait.plugins.module_utils._kernel.errors import KernelReadError

_PR_GET_PDEATHSIG = 2


def nothing():
    pass


def test_the_answer_is_that_of_another_process():
    here = []
    answer = call_in_child("work", lambda: here.append(1), lambda: {"pid": os.getpid(), "prepared": len(here)}, 10)
    assert answer["pid"] != os.getpid()
    assert answer["prepared"] == 1
    assert here == []


def test_it_dies_with_its_parent_even_after_credentials_changed():
    def signal_on_death():
        number = ctypes.c_int()
        ctypes.CDLL(None).prctl(_PR_GET_PDEATHSIG, ctypes.byref(number), 0, 0, 0)
        return number.value

    def change_credentials():
        ctypes.CDLL(None).prctl(1, 0, 0, 0, 0)  # what commit_creds() does to it

    assert call_in_child("work", change_credentials, signal_on_death, 10) == signal.SIGKILL


@pytest.mark.parametrize("place", ["prepare", "function"])
def test_what_it_raises_is_raised_here(place):
    def refuse():
        raise KernelReadError("/proc/x", "not permitted")

    with pytest.raises(KernelReadError, match="work: /proc/x: not permitted"):
        call_in_child("work", refuse if place == "prepare" else nothing, refuse, 10)


def test_an_error_of_the_system_is_one_too():
    with pytest.raises(KernelReadError, match="work: No such file or directory"):
        call_in_child("work", nothing, lambda: os.stat("/nowhere"), 10)


def test_one_that_is_late_is_killed_whatever_signals_it_ignores(tmp_path):
    def sleep():
        signal.signal(signal.SIGALRM, signal.SIG_IGN)
        (tmp_path / "pid").write_text(str(os.getpid()))
        time.sleep(20)
        (tmp_path / "finished").touch()

    with pytest.raises(KernelReadError, match=r"work: no answer within 0\.5 s"):
        call_in_child("work", nothing, sleep, 0.5)
    pid = int((tmp_path / "pid").read_text())
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    assert not (tmp_path / "finished").exists()


def test_one_that_dies_gives_no_answer():
    with pytest.raises(KernelReadError, match="died before it answered"):
        call_in_child("work", nothing, lambda: os.kill(os.getpid(), signal.SIGKILL), 10)


def test_one_whose_parent_is_stopped_ends_by_itself():
    def left_seconds():
        return signal.getitimer(signal.ITIMER_REAL)[0]

    assert 2 < call_in_child("work", nothing, left_seconds, 2) <= 3
