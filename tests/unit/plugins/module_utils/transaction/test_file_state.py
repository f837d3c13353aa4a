# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When two states of a file are the same, and when one is on its way between two others."""

from __future__ import annotations

import os

import pytest
from ansible_collections.tcpops.timewait.plugins.module_utils._transaction.errors import TransactionError
from ansible_collections.tcpops.timewait.plugins.module_utils._transaction.file_state import (
    ABSENT,
    FileState,
    own_name,
    read_state,
    resolve,
    same,
    torn,
)
from ansible_collections.tcpops.timewait.plugins.module_utils._transaction.file_write import temporary_path
from hypothesis import given
from hypothesis import strategies as st


def shared(content: bytes) -> FileState:
    return FileState("file", content, links=2)


@given(st.binary(max_size=9), st.binary(max_size=9), st.data())
def test_every_interrupted_overwrite_is_recognised(old: bytes, new: bytes, data: st.DataObject) -> None:
    """A write that came so far, then a cut that was not made."""
    written = data.draw(st.integers(0, len(new)))
    found = shared(new[:written] + old[written:])
    assert torn(found, shared(old), shared(new))
    assert torn(found, shared(new), shared(old))


@pytest.mark.parametrize(
    ("found", "why"),
    [
        (shared(b"Xld content"), "a byte that is of neither"),
        (shared(b"old content and more than either"), "longer than both"),
        (shared(b""), "shorter than both"),
        (FileState("file", b"new content"), "a file with one name is never written in place"),
        (ABSENT, "nothing there"),
    ],
)
def test_what_somebody_else_wrote_is_not_torn(found: FileState, why: str) -> None:
    assert not torn(found, shared(b"old content"), shared(b"new content")), why


def test_only_kind_and_content_count() -> None:
    one = FileState("file", b"x", 0o644, 0, 0, (("user.a", b"b"),))
    assert same(one, FileState("file", b"x", 0o600, 5, 5, ()))
    assert not same(one, one._replace(content=b"y"))
    assert not same(FileState("link", b"x"), FileState("file", b"x"))
    assert not same(ABSENT, FileState("file", b""))


def test_reading(tmp_path) -> None:
    path = str(tmp_path / "file")
    assert read_state(path) == ABSENT
    with open(path, "wb") as stream:
        stream.write(b"content")
    os.chmod(path, 0o604)
    found = read_state(path)
    assert found[:4] == ("file", b"content", 0o604, os.getuid())
    assert found.links == 1
    os.symlink("file", tmp_path / "link")
    assert read_state(str(tmp_path / "link"))[:2] == ("link", b"file")
    assert read_state(str(tmp_path)).kind == "other"
    os.mkfifo(tmp_path / "pipe")
    assert read_state(str(tmp_path / "pipe")).kind == "other", "and does not wait for a writer"


def test_one_file_has_one_name(tmp_path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "file").write_bytes(b"")
    (tmp_path / "way").symlink_to("folder")
    (tmp_path / "folder" / "link").symlink_to("file")
    real = os.path.realpath(tmp_path)
    assert resolve(f"{tmp_path}/way/link") == f"{real}/folder/file"
    assert own_name(f"{tmp_path}/way/./link") == f"{real}/folder/link"
    assert resolve(f"{tmp_path}/new/file") == f"{real}/new/file"


@pytest.mark.parametrize("path", ["relative", "", "/", "/nul\0byte"])
def test_what_is_no_path(path: str) -> None:
    for function in (resolve, own_name):
        with pytest.raises(TransactionError, match="is no absolute path"):
            function(path)


@pytest.mark.parametrize("name", ["a.conf", "x" * 255, "é" * 127, os.fsdecode(b"\xff" * 255)])
def test_no_loader_reads_a_temporary_file(name: str) -> None:
    folder, temporary = os.path.split(temporary_path(f"/etc/sysctl.d/{name}"))
    assert folder == "/etc/sysctl.d"
    assert temporary.startswith(".")
    assert not temporary.endswith(".conf")
    assert len(os.fsencode(temporary)) <= 255
