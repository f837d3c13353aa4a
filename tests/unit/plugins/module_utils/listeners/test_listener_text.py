# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lines that keep their bytes, and files as they would be after edits."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.tcpops.timewait.plugins.module_utils._files import Files, MissingFileError
from ansible_collections.tcpops.timewait.plugins.module_utils._listeners import text
from ansible_collections.tcpops.timewait.plugins.module_utils._listeners.edited import EditedFiles

_CONTENTS = (
    b"", b"\n", b"a", b"a\n", b"a\nb", b"a\r\nb\r\n", b"a\r\nb", b"a\r\nb\nc\r",
    b"\xff\x00\x85a\n\x0b\x0cb\n\n",
)  # fmt: skip


@pytest.mark.parametrize("content", _CONTENTS)
def test_lines_come_back_byte_for_byte(content: bytes) -> None:
    lines = text.split(content)
    assert text.join(lines) == content
    for at in range(len(lines) + 1):
        changed = list(lines)
        text.insert(changed, at, "new")
        assert len(text.split(text.join(changed))) == len(lines) + 1
        assert text.join(changed).endswith(b"\n") == content.endswith(b"\n") or not content
        text.delete(changed, at)
        assert text.join(changed) == content


def test_a_line_ends_as_its_neighbours_do() -> None:
    lines = text.split(b"a\r\nb")
    text.insert(lines, 2, "c")
    assert text.join(lines) == b"a\r\nb\r\nc"


def test_files_as_they_would_be(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/a").write_text("old")
    (tmp_path / "etc/b").write_text("kept")
    (tmp_path / "etc/link").symlink_to("a")
    files = EditedFiles(Files(str(tmp_path)), {"/etc/a": b"new", "/etc/d/c": b"made", "/etc/b": b""})
    assert [files.read_text(path) for path in ("/etc/a", "/etc/link", "/etc/d/c")] == ["new", "new", "made"]
    assert files.list_names("/etc") == ["a", "d", "link"]
    assert files.list_names("/etc/d") == ["c"]
    assert (files.is_dir("/etc/d"), files.is_dir("/etc/e"), files.is_dir("/etc/a")) == (True, False, False)
    assert (files.read_link("/etc/link"), files.read_link("/etc/d/c")) == ("a", "")
    for path in ("/etc/b", "/etc/e"):
        with pytest.raises(MissingFileError):
            files.read_bytes(path)
    with pytest.raises(MissingFileError):
        files.list_names("/etc/e")
