# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The seam for files: what it reads, what it refuses, and that another root is never left."""

import os

import pytest
from ansible_collections.tcpops.timewait.plugins.module_utils._files import FileError, Files, MissingFileError
from support.file_tree import make_tree


def test_absolute_links_stay_below_the_root(tmp_path):
    files = make_tree(tmp_path, {"/lib/x.conf": "inside", "/etc/x.conf": ("link", "/lib/x.conf")})
    assert files.read_text("/etc/x.conf") == "inside"
    assert files.read_link("/etc/x.conf") == "/lib/x.conf"
    assert files.read_link("/lib/x.conf") == ""


def test_links_upwards_do_not_leave_the_root(tmp_path):
    files = make_tree(tmp_path, {"/etc/passwd": "ours", "/a": ("link", "../../../../../etc/passwd")})
    assert files.read_text("/a") == "ours"


def test_a_circle_of_links_is_an_error(tmp_path):
    files = make_tree(tmp_path, {"/a": ("link", "/b"), "/b": ("link", "/a")})
    with pytest.raises(FileError, match=r"^/a: Too many levels"):
        files.read_text("/a")


def test_a_missing_file_is_told_from_an_unreadable_one(tmp_path):
    files = make_tree(tmp_path, {"/etc/x": "text"})
    with pytest.raises(MissingFileError, match=r"^/etc/y: there is no such file$"):
        files.read_text("/etc/y")
    with pytest.raises(MissingFileError):
        files.read_text("/etc/x/y")
    with pytest.raises(FileError, match="not a regular file") as caught:
        files.read_text("/etc")
    assert not isinstance(caught.value, MissingFileError)


def test_a_pipe_without_a_writer_does_not_hang(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(FileError, match="not a regular file"):
        Files(str(tmp_path)).read_text("/pipe")


def test_a_file_too_large_is_refused_and_not_cut(tmp_path):
    (tmp_path / "x").write_text("12345")
    assert Files(str(tmp_path), most_bytes=5).read_text("/x") == "12345"
    with pytest.raises(FileError, match=r"^/x: larger"):
        Files(str(tmp_path), most_bytes=4).read_text("/x")


def test_bytes_are_read_as_they_are(tmp_path):
    (tmp_path / "x").write_bytes(b"\xff\x00\r\n")
    files = Files(str(tmp_path))
    assert files.read_bytes("/x") == b"\xff\x00\r\n"
    assert files.read_text("/x") == "\ufffd\x00\r\n"
    with pytest.raises(MissingFileError, match=r"^/y: there is no such file$"):
        files.read_bytes("/y")


@pytest.mark.parametrize("whole_host", [False, True])
def test_where_a_path_leads(tmp_path, whole_host):
    """With another root, the paths are those that the host has; on the host, those of the host."""
    prefix = str(tmp_path) if whole_host else ""
    entries = {"/lib/x": "", "/etc/x": ("link", prefix + "/lib/x"), "/etc/up": ("link", "../lib"), "/a": ("link", "/a")}
    files = make_tree(tmp_path, entries)
    if whole_host:
        files = Files()
    for path in ("/lib/x", "/etc/x", "/etc/up/x", "/etc/../lib/./x"):
        assert files.real_path(prefix + path) == prefix + "/lib/x"
    assert files.real_path(prefix + "/etc/gone") == prefix + "/etc/gone"


def test_a_path_in_a_circle_leads_nowhere(tmp_path):
    with pytest.raises(FileError, match=r"^/a: Too many levels"):
        make_tree(tmp_path, {"/a": ("link", "/a")}).real_path("/a")


def test_glob(tmp_path):
    entries = dict.fromkeys(("/etc/a/x.conf", "/etc/b/y.conf", "/etc/b/.z.conf", "/etc/b/c/x.conf", "/etc/b/n"), "")
    files = make_tree(tmp_path, {**entries, "/etc/l.conf": ("link", "/gone")})
    assert files.glob("/etc/*/*.conf") == ["/etc/a/x.conf", "/etc/b/y.conf"]
    assert files.glob("/etc/b/n") == ["/etc/b/n"]
    assert files.glob("/etc/*.conf") == ["/etc/l.conf"], "a broken link is there, and reading it says so"
    assert files.glob("/srv/*/x") == files.glob("/etc/none") == []


def test_the_real_root():
    assert "proc" in Files().list_names("/")
    assert Files().is_dir("/proc")
    assert not Files().is_dir("/no/such")
