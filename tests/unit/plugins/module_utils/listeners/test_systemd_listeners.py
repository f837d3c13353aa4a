# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which socket units a request is about, what is refused, and how they start anew."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.tcpops.timewait.plugins.module_utils._files import Files
from ansible_collections.tcpops.timewait.plugins.module_utils._listeners.errors import ConfigurationRefusedError
from ansible_collections.tcpops.timewait.plugins.module_utils._listeners.request import Request
from ansible_collections.tcpops.timewait.plugins.module_utils._listeners.systemd_socket import edit

_ETC = "etc/systemd/system"
_OURS = "50-tcpops-timewait.conf"


def units(root: Path, **contents: str) -> Files:
    """Units by name, ``__`` for a dot; enabled unless the name begins with ``off``."""
    for key, content in contents.items():
        name = key.replace("__", ".")
        path = root / _ETC / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
        if name.endswith(".socket") and not name.startswith("off"):
            link = root / _ETC / "sockets.target.wants" / name
            link.parent.mkdir(exist_ok=True)
            link.symlink_to(f"../{name}")
    return Files(str(root))


def drop_in(root: Path, unit: str, name: str, content: str) -> None:
    path = root / _ETC / f"{unit}.d" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)


@pytest.mark.parametrize(
    ("contents", "reason"),
    [
        ({"a__socket": "[Socket]\nListenStream=90\n"}, "no socket unit"),
        ({"off__socket": "[Socket]\nListenStream=80\n"}, "nothing on disk starts it"),
        (
            {"a__socket": "[Socket]\nListenStream=80\n", "b__socket": "[Socket]\nListenStream=127.0.0.1:81\n"},
            "b.socket",
        ),
        ({"a__socket": "[Socket]\nListenStream=80\nSocketProtocol=sctp\n"}, "no socket unit"),
        ({"a__socket": "[Socket]\nListenDatagram=80\n"}, "no socket unit"),
    ],
)
def test_refusals(tmp_path: Path, contents: dict[str, str], reason: str) -> None:
    with pytest.raises(ConfigurationRefusedError, match=reason):
        edit.add(units(tmp_path, **contents), Request(80, (81,)))


def test_a_unit_that_is_named_need_not_be_enabled(tmp_path: Path) -> None:
    files = units(tmp_path, off__socket="[Socket]\nListenStream=80\n", a__socket="[Socket]\nListenStream=10.0.0.1:80\n")
    assert list(edit.add(files, Request(80, (81,)), ("off.socket",)).edits) == [f"/{_ETC}/off.socket.d/{_OURS}"]
    assert list(edit.add(files, Request(80, (81,))).edits) == [f"/{_ETC}/a.socket.d/{_OURS}"]


def test_a_drop_in_that_takes_ours_back_is_refused(tmp_path: Path) -> None:
    files = units(tmp_path, a__socket="[Socket]\nListenStream=90\n")
    drop_in(tmp_path, "a.socket", "99-last.conf", "[Socket]\nListenStream=\nListenStream=80\n")
    with pytest.raises(ConfigurationRefusedError, match="would not count"):
        edit.add(files, Request(80, (81,)))
    drop_in(tmp_path, "a.socket", "99-last.conf", "[Socket]\nListenStream=80\n")
    assert edit.add(files, Request(80, (81,))).edits


def test_a_drop_in_that_hides_ours_is_refused(tmp_path: Path) -> None:
    files = units(tmp_path, a__socket="[Socket]\nListenStream=80\n")
    hiding = tmp_path / "etc/systemd/system.control/a.socket.d"
    hiding.mkdir(parents=True)
    (hiding / _OURS).symlink_to("/dev/null")
    with pytest.raises(ConfigurationRefusedError, match="would not count"):
        edit.add(files, Request(80, (81,)))


def test_a_drop_in_of_ours_that_somebody_wrote_in_is_left_alone(tmp_path: Path) -> None:
    files = units(tmp_path, a__socket="[Socket]\nListenStream=80\n")
    content = edit.add(files, Request(80, (81,))).edits[f"/{_ETC}/a.socket.d/{_OURS}"].decode()
    drop_in(tmp_path, "a.socket", _OURS, content + "Backlog=9\n")
    for change in (edit.add, edit.remove):
        with pytest.raises(ConfigurationRefusedError, match="somebody else wrote"):
            change(files, Request(80, (81,)))


def test_ports_beside_several_ports_go_by_themselves(tmp_path: Path) -> None:
    files = units(tmp_path, a__socket="[Socket]\nListenStream=80\nListenStream=[::1]:443\n")
    path = f"/{_ETC}/a.socket.d/{_OURS}"
    drop_in(tmp_path, "a.socket", _OURS, edit.add(files, Request(80, (81,))).edits[path].decode())
    first = (tmp_path / path[1:]).read_bytes()
    drop_in(tmp_path, "a.socket", _OURS, edit.add(files, Request(443, (444, 445))).edits[path].decode())
    assert edit.remove(files, Request(80, (444,))).edits == {}
    with pytest.raises(ConfigurationRefusedError, match="has port 81"):
        edit.add(files, Request(443, (81,)))
    plan = edit.remove(files, Request(443, (444, 445)))
    assert plan.edits == {path: first}
    assert [(one.address, one.port) for one in plan.listeners] == [("::1", 444), ("::1", 445)]
    assert edit.remove(files, Request(80, (81,))).edits[path].count(b"ListenStream") == 2


def test_a_drop_in_goes_once_somebody_else_says_the_same(tmp_path: Path) -> None:
    files = units(tmp_path, a__socket="[Socket]\nListenStream=80\n")
    path = f"/{_ETC}/a.socket.d/{_OURS}"
    drop_in(tmp_path, "a.socket", _OURS, edit.add(files, Request(80, (81,))).edits[path].decode())
    drop_in(tmp_path, "a.socket", "local.conf", "[Socket]\nListenStream=81\n")
    plan = edit.add(files, Request(80, (81,)))
    assert (plan.edits, plan.listeners) == ({path: b""}, [])


def test_what_the_address_means_and_keeps(tmp_path: Path) -> None:
    files = units(
        tmp_path,
        a__socket="[Socket]\nListenStream=80\nListenStream=127.0.0.1:80%lo\nBindIPv6Only=ipv6-only\n",
        b__socket="[Socket]\nListenStream=0.0.0.0:80\n",
    )
    plan = edit.add(files, Request(80, (81,)))
    assert [(one.address, one.port) for one in plan.listeners] == [("::", 81), ("127.0.0.1", 81), ("*", 81)]
    assert b"ListenStream=127.0.0.1:81%lo\n" in plan.edits[f"/{_ETC}/a.socket.d/{_OURS}"]


def test_all_sockets_of_a_service_start_anew_with_it(tmp_path: Path) -> None:
    files = units(
        tmp_path,
        a__socket="[Socket]\nListenStream=80\nService=w.service\n",
        b__socket="[Socket]\nListenStream=/run/b.sock\nService=w.service\n",
        c__socket="[Socket]\nListenStream=10.0.0.1:80\nAccept=yes\n",
        d__socket="[Socket]\nListenStream=90\n",
    )
    chosen = edit.concerned(files, 80)
    assert [one.unit for one in chosen] == ["a.socket", "c.socket"]
    everything = ("a.socket", "b.socket", "c.socket", "d.socket", "w.service")
    reload, again = edit.restart_commands(files, chosen, everything)
    assert reload.argv == reload.undo_argv == ("systemctl", "daemon-reload")
    assert again.argv == again.undo_argv
    assert again.argv[4:] == ("a.socket", "b.socket", "c.socket", "w.service", "--", "w.service", "--", "80")
    assert edit.restart_commands(files, chosen, ("a.socket",))[1].argv[4:] == (
        "a.socket", "--", "w.service", "--", "80",
    )  # fmt: skip
    assert edit.restart_commands(files, chosen, ()) == (reload,)
    assert edit.check(chosen) == ("systemd-analyze", "verify", "a.socket", "c.socket")
