# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Guests are ended by the process that their file names, and only when it is theirs."""

import os
import subprocess
import sys

import guest
import pytest


@pytest.fixture
def process(tmp_path):
    """Looks like a guest of ``tmp_path/sid``, in all that is looked at."""
    folder = tmp_path / "sid"
    folder.mkdir()
    script = "import time; print(flush=True); time.sleep(300)"
    command = [sys.executable, "-c", script, "-pidfile", str(folder / "pid")]
    running = subprocess.Popen(command, stdout=subprocess.PIPE)
    running.stdout.readline()  # it runs, and /proc shows its arguments
    (folder / "pid").write_text(f"{running.pid}\n")
    yield running
    running.kill()
    running.communicate()


def test_a_guest_is_ended(process, tmp_path):
    assert guest.stop(tmp_path / "sid" / "pid")
    assert process.wait(10) < 0


def test_another_guest_that_got_the_number_is_left_alone(process, tmp_path):
    other = tmp_path / "trixie"
    other.mkdir()
    (other / "pid").write_text(f"{process.pid}\n")
    assert not guest.stop(other / "pid")
    assert process.poll() is None


def test_a_number_that_nobody_has_is_nothing_to_end(process, tmp_path):
    process.kill()
    process.wait()
    assert not guest.stop(tmp_path / "sid" / "pid")


def test_a_guest_reaches_nothing_and_writes_nothing(tmp_path):
    line = " ".join(guest.command(tmp_path, tmp_path, "AAAA", 40000, "tcg"))
    assert "user,id=lab,restrict=on,hostfwd=tcp:127.0.0.1:40000-:22" in line
    assert "disk.raw,if=virtio,format=raw,snapshot=on" in line
    assert line.count("-netdev") == 1


def test_its_port_is_free_and_on_loopback():
    with guest.socket.socket() as listener:
        listener.bind(("127.0.0.1", guest.free_port()))


def test_all_are_ended_by_the_folder_they_are_in(process, tmp_path):
    done = subprocess.run(
        [sys.executable, os.path.abspath(guest.__file__), "stop", str(tmp_path)],
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "stopped sid\n")
    assert process.wait(10) < 0
