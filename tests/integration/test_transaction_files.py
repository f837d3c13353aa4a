# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a file has besides its content stays, and comes back: real attributes on a real file system."""

from __future__ import annotations

import os
import random
import struct
from pathlib import Path
from typing import Any

import pytest

from tests.lab.facts import COLLECTIONS
from tests.lab.host_tree import snapshot
from tests.lab.transactions import Tools

_ACL = "system.posix_acl_access"


def acl(*entries: tuple[int, int, int]) -> bytes:
    """POSIX ACL as the extended attribute has it: version 2, then (tag, permissions, id)."""
    return struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in entries)


NO_ID = 0xFFFFFFFF
#: owner rw-, user 1234 r--, group r--, mask rw-, others ---
_FILE_ACL = acl((1, 6, NO_ID), (2, 4, 1234), (4, 4, NO_ID), (0x10, 6, NO_ID), (0x20, 0, NO_ID))


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tools:
    if os.geteuid():
        pytest.skip("owners and security attributes need root")
    monkeypatch.syspath_prepend(str(COLLECTIONS))
    return Tools(tmp_path)


def dress(path: Path) -> None:
    """Everything that a file can wear."""
    os.chown(path, 1234, 5678)
    path.chmod(0o4640)
    os.setxattr(path, _ACL, _FILE_ACL)
    for name, value in (
        ("user.origin", b"by hand"),
        ("trusted.mark", b"\x00\xff"),
        ("security.selinux", b"system_u:object_r:system_conf_t:s0\x00"),
    ):
        os.setxattr(path, name, value)


@pytest.mark.parametrize("step", ["WriteFile", "RemoveFile"])
def test_owner_mode_acl_and_attributes(tools: Tools, step: str) -> None:
    path = tools.etc / "a.conf"
    path.write_bytes(b"old\n")
    dress(path)
    before = snapshot(tools.etc)
    content = () if step == "RemoveFile" else (b"new\n",)
    tools.run(getattr(tools.steps, step)(str(path), *content))
    if step == "WriteFile":
        assert snapshot(tools.etc)["a.conf"] == (b"new\n", *before["a.conf"][1:])
        assert os.getxattr(path, _ACL) == _FILE_ACL
        assert os.getxattr(path, "security.selinux") == b"system_u:object_r:system_conf_t:s0\x00"
    else:
        assert not path.exists()
    tools.back(all=True)
    assert snapshot(tools.etc) == before
    assert path.stat().st_mode & 0o7777 == 0o4660, "the group's bits are the mask of the ACL"


def test_no_acl_of_the_folder_is_inherited(tools: Tools) -> None:
    """A default ACL of the folder would reach the new file that takes the old one's place, and so its readers."""
    path = tools.etc / "secret.conf"
    path.write_bytes(b"old")
    path.chmod(0o600)
    default = acl((1, 6, NO_ID), (2, 6, 1234), (4, 4, NO_ID), (0x10, 6, NO_ID), (0x20, 4, NO_ID))
    os.setxattr(tools.etc, "system.posix_acl_default", default)
    before = snapshot(tools.etc)
    tools.run(tools.steps.WriteFile(str(path), b"new"))
    assert path.read_bytes() == b"new"
    assert _ACL not in os.listxattr(path)
    assert path.stat().st_mode & 0o777 == 0o600
    tools.back(all=True)
    assert snapshot(tools.etc) == before


def test_a_new_file_has_the_mode_that_was_asked_for(tools: Tools) -> None:
    path = tools.etc / "a" / "b" / "new.conf"
    old_umask = os.umask(0o077)
    try:
        tools.run(tools.steps.WriteFile(str(path), b"x", 0o664))
    finally:
        os.umask(old_umask)
    assert path.stat().st_mode & 0o7777 == 0o664
    assert path.parent.stat().st_mode & 0o7777 == 0o755
    tools.back(all=True)
    assert snapshot(tools.etc) == {}


def test_a_link_stays_and_its_target_is_written(tools: Tools) -> None:
    real = tools.etc / "real.conf"
    real.write_bytes(b"old")
    dress(real)
    (tools.etc / "middle").symlink_to("real.conf")
    link = tools.etc / "link.conf"
    link.symlink_to("middle")
    before = snapshot(tools.etc)
    tools.run(tools.steps.WriteFile(str(link), b"new"))
    assert os.readlink(link) == "middle"
    assert real.read_bytes() == b"new"
    assert snapshot(tools.etc).keys() == before.keys()
    tools.back(all=True)
    assert snapshot(tools.etc) == before


def test_a_removed_link_comes_back_and_its_target_was_never_touched(tools: Tools) -> None:
    link = tools.etc / "mask.conf"
    link.symlink_to("/dev/null")
    os.chown(link, 1234, 1234, follow_symlinks=False)
    before = snapshot(tools.etc)
    tools.run(tools.steps.RemoveFile(str(link)))
    assert not os.path.lexists(link)
    tools.back(all=True)
    assert snapshot(tools.etc) == before


def test_all_names_of_a_file_show_the_new_content(tools: Tools) -> None:
    path = tools.etc / "a.conf"
    path.write_bytes(b"a long old content\n")
    dress(path)
    os.link(path, tools.etc / "other.conf")
    inode = path.stat().st_ino
    before = snapshot(tools.etc)
    for content in (b"short", b"longer than it ever was before\n" * 5):
        tools.run(tools.steps.WriteFile(str(path), content))
        assert (tools.etc / "other.conf").read_bytes() == path.read_bytes() == content
        assert path.stat().st_ino == inode
    tools.back(all=True)
    assert snapshot(tools.etc) == before


def test_a_mode_that_was_changed_since_is_kept(tools: Tools) -> None:
    """It is no matter of the transaction, so neither in the way of the rollback nor lost by it."""
    path = tools.etc / "a.conf"
    path.write_bytes(b"old")
    tools.run(tools.steps.WriteFile(str(path), b"new"))
    path.chmod(0o600)
    tools.back(all=True)
    assert (path.read_bytes(), path.stat().st_mode & 0o777) == (b"old", 0o600)


def test_a_long_name_has_a_temporary_one(tools: Tools) -> None:
    path = tools.etc / ("x" * 250 + ".conf")
    path.write_bytes(b"old")
    before = snapshot(tools.etc)
    tools.run(tools.steps.WriteFile(str(path), b"new"))
    assert path.read_bytes() == b"new"
    tools.back(all=True)
    assert snapshot(tools.etc) == before


def test_a_name_that_is_not_utf8(tools: Tools) -> None:
    path = os.fsdecode(os.fsencode(tools.etc) + b"/caf\xe9.conf")
    tools.run(tools.steps.WriteFile(path, b"\xff\x00"))
    with open(path, "rb") as stream:
        assert stream.read() == b"\xff\x00"
    tools.back(all=True)
    assert snapshot(tools.etc) == {}


def test_a_folder_that_somebody_else_uses_stays(tools: Tools) -> None:
    path = tools.etc / "new" / "ours.conf"
    tools.run(tools.steps.WriteFile(str(path), b"x"))
    (tools.etc / "new" / "theirs.conf").write_bytes(b"y")
    tools.back(all=True)
    assert snapshot(tools.etc).keys() == {"new", "new/theirs.conf"}


SEED = 20261122
NAMES = ("a.conf", "b.conf", "link.conf", "both.one", "both.two", "d/new.conf", "d/e/deep.conf", "bin")


def random_steps(tools: Tools, chance: random.Random) -> list[Any]:
    """Some steps on things that are all different, files with two names counted once."""
    steps: list[Any] = []
    for name in chance.sample(NAMES, chance.randint(1, 4)):
        path = tools.etc / name
        if name == "both.two" and any(step.path.endswith("both.one") for step in steps):
            continue
        if name == "both.one" and any(step.path.endswith("both.two") for step in steps):
            continue
        if chance.random() < 0.3 and not name.startswith("both") and name != "link.conf":
            steps.append(tools.steps.RemoveFile(str(path)))
        else:
            steps.append(tools.steps.WriteFile(str(path), chance.randbytes(chance.choice((0, 3, 40000))), 0o640))
    if chance.random() < 0.2:
        steps.append(tools.steps.RunCommand(["false"], [], 9))
    return steps


@pytest.mark.parametrize("number", range(25))
def test_any_sequence_comes_back_byte_for_byte(tools: Tools, number: int) -> None:
    """A stack of what the host looked like before each transaction that is in force: rollbacks pop it."""
    seed = SEED + number
    chance = random.Random(seed)
    (tools.etc / "a.conf").write_bytes(b"a\n")
    dress(tools.etc / "a.conf")
    (tools.etc / "both.one").write_bytes(b"two names\n")
    os.link(tools.etc / "both.one", tools.etc / "both.two")
    (tools.etc / "real").write_bytes(b"behind\n")
    (tools.etc / "link.conf").symlink_to("real")
    stack = [snapshot(tools.etc)]
    for _step in range(15):
        if chance.random() < 0.65 or len(stack) == 1:
            before = snapshot(tools.etc)
            try:
                outcome = tools.run(*random_steps(tools, chance))
            except tools.transaction.TransactionError as error:
                assert "false failed" in str(error), f"seed {seed}"
                assert snapshot(tools.etc) == before, f"seed {seed}"
                continue
            now = snapshot(tools.etc)
            assert outcome.changed == (now != before), f"seed {seed}"
            if outcome.changed:
                stack.append(now)
        else:
            count = chance.randint(1, len(stack) - 1)
            assert len(tools.back(last=count).rolled_back) == count
            del stack[-count:]
            assert snapshot(tools.etc) == stack[-1], f"seed {seed}"
    tools.back(all=True)
    assert snapshot(tools.etc) == stack[0], f"seed {seed}"
