# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rollback: what is chosen, what is refused, what is kept; and the running values of namespaces that come and go."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.lab import facts, tracer
from tests.lab.facts import COLLECTIONS
from tests.lab.host_tree import snapshot
from tests.lab.namespaces import Lab, ip
from tests.lab.transactions import Tools

_FIN = "net/ipv4/tcp_fin_timeout"


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tools:
    if os.geteuid():
        pytest.skip("the journal is root's")
    monkeypatch.syspath_prepend(str(COLLECTIONS))
    made = Tools(tmp_path)
    (made.etc / "a.conf").write_bytes(b"0")
    return made


def content(tools: Tools) -> bytes:
    return (tools.etc / "a.conf").read_bytes()


def refusal(tools: Tools, **choice: Any) -> str:
    """The sentence of a rollback that is refused, in check mode too, with nothing changed."""
    before = snapshot(tools.etc), len(tools.listed())
    with pytest.raises(tools.transaction.TransactionError) as real:
        tools.back(**choice)
    with pytest.raises(tools.transaction.TransactionError) as previewed:
        tools.back_in_check_mode(**choice)
    assert (snapshot(tools.etc), len(tools.listed())) == before
    assert str(real.value) == str(previewed.value)
    return str(real.value)


def test_check_mode_tells_what_then_happens(tools: Tools) -> None:
    first, second = tools.write("a.conf", b"1"), tools.write("a.conf", b"2")
    before = snapshot(Path(tools.journal.path))
    foreseen = tools.back_in_check_mode(all=True)
    assert snapshot(Path(tools.journal.path)) == before
    assert content(tools) == b"2"
    done = tools.back(all=True)
    assert (foreseen.changed, foreseen.diff, foreseen.rolled_back) == (True, done.diff, done.rolled_back)
    assert done.rolled_back == (second, first)
    path = str(tools.etc / "a.conf")
    assert done.diff == [{"before_header": path, "after_header": path, "before": "2", "after": "0"}]
    assert content(tools) == b"0"
    again = tools.back(all=True)
    assert (again.changed, again.transaction_id, again.rolled_back) == (False, None, ())


def test_one_by_its_id(tools: Tools) -> None:
    first, other = tools.write("a.conf", b"1"), tools.write("b.conf", b"b")
    assert tools.back(transaction=first).rolled_back == (first,)
    assert content(tools) == b"0"
    assert (tools.etc / "b.conf").exists()
    assert not tools.back(transaction=first).changed, "already done"
    states = {entry["id"]: entry["state"] for entry in tools.listed()}
    assert (states[first], states[other]) == ("rolled_back", "committed")
    entry = json.loads(tools.entry_path(first).read_bytes())
    assert entry["state"] == "rolled_back", "the file itself says it too"
    assert entry["rolled_back_by"] == tools.listed()[0]["id"]


def test_an_older_one_under_a_newer_one_is_refused(tools: Tools) -> None:
    first, second = tools.write("a.conf", b"1"), tools.write("a.conf", b"2")
    told = refusal(tools, transaction=first)
    assert f"the newer transaction {second} changed {tools.etc}/a.conf after it" in told
    assert "newer" in refusal(tools, transaction=first, force=True), "that would lose the newer one silently"
    listed = {entry["id"]: entry for entry in tools.listed()}
    assert not listed[first]["can_roll_back"]
    assert second in listed[first]["reason"]
    assert listed[second]["can_roll_back"]
    tools.back(transaction=second)
    tools.back(transaction=first)
    assert content(tools) == b"0"


def test_an_id_that_there_is_not(tools: Tools) -> None:
    unknown = "20200101T000000.000000Z"
    told = f"there is no transaction {unknown} in the journal: transactions_info lists those that there are"
    with pytest.raises(tools.transaction.TransactionError, match=told):
        tools.back(transaction=unknown)
    assert not os.path.exists(tools.journal.path)
    tools.write("a.conf", b"1")
    assert refusal(tools, transaction=unknown) == told


def test_a_rollback_is_not_rolled_back(tools: Tools) -> None:
    tools.write("a.conf", b"1")
    identity = tools.back(last=1).transaction_id
    assert "is itself a rollback" in refusal(tools, transaction=identity)
    assert not tools.back(last=5).changed


def test_what_somebody_else_changed_is_not_destroyed(tools: Tools) -> None:
    identity = tools.write("a.conf", b"1")
    (tools.etc / "a.conf").write_bytes(b"by hand")
    told = refusal(tools, last=1)
    assert f"somebody else has changed since: {tools.etc}/a.conf" in told
    assert "force: true" in told
    assert tools.listed()[0]["reason"] == told
    done = tools.back(last=1, force=True)
    assert done.rolled_back == (identity,)
    assert content(tools) == b"0"
    kept = json.loads(tools.entry_path(done.transaction_id).read_bytes())["steps"][0]["before"]["text"]
    assert kept == "by hand", "force overwrites what the journal keeps"


@pytest.mark.parametrize("what", ["removed", "a link", "a folder"])
def test_something_else_in_its_place(tools: Tools, what: str) -> None:
    tools.write("a.conf", b"1")
    path = tools.etc / "a.conf"
    path.unlink()
    if what == "a link":
        path.symlink_to("/dev/null")
    elif what == "a folder":
        path.mkdir()
    assert "somebody else has changed" in refusal(tools, last=1)
    if what == "a folder":
        with pytest.raises(tools.transaction.TransactionError, match="move away what stands there"):
            tools.back(last=1, force=True)
        assert path.is_dir()
    else:
        tools.back(last=1, force=True)
        assert path.read_bytes() == b"0"
        assert not path.is_symlink()


def test_back_to_where_it_was_by_hand(tools: Tools) -> None:
    """Nothing to do but to note it: the host is as before the transaction already."""
    identity = tools.write("a.conf", b"1")
    (tools.etc / "a.conf").write_bytes(b"0")
    done = tools.back(last=1)
    assert (done.changed, done.rolled_back) == (False, (identity,))
    assert [entry["state"] for entry in tools.listed()] == ["committed", "rolled_back"]


def leave_open(tools: Tools, namespace_path: str, *steps: Any) -> str:
    """Id of a transaction that was killed after its last step."""

    def killed() -> None:
        tools.transaction.run(tools.journal, "test", "killed", steps, verify=lambda: os._exit(9))

    assert tracer.inside(namespace_path, killed) == 9
    identity: str = tools.listed()[0]["id"]
    assert tools.listed()[0]["state"] == "open"
    return identity


def test_an_interrupted_one_counts_as_one_of_the_last(tools: Tools) -> None:
    """Who types ``last: 1`` after a run that died means that run, and not the good one before it."""
    good = tools.write("a.conf", b"1")
    killed = leave_open(tools, "/proc/self/ns/net", tools.steps.WriteFile(str(tools.etc / "a.conf"), b"2"))
    for outcome in (tools.back_in_check_mode(last=1), tools.back(last=1)):
        assert outcome.changed
        assert outcome.rolled_back == ()
        assert [(one.id, one.action, one.transactions) for one in outcome.recovered] == [(killed, "undone", (killed,))]
    assert content(tools) == b"1"
    assert tools.back(last=1).rolled_back == (good,)


def test_check_mode_plans_behind_the_recovery(tools: Tools) -> None:
    leave_open(tools, "/proc/self/ns/net", tools.steps.WriteFile(str(tools.etc / "a.conf"), b"2"))
    steps = [tools.steps.WriteFile(str(tools.etc / "a.conf"), b"2")]
    foreseen = tools.transaction.preview(steps, tools.journal)
    assert content(tools) == b"2"
    done = tools.run(*steps)
    assert foreseen.diff == done.diff
    assert done.diff[0]["before"] == "0", "the interrupted one is undone first"
    assert [one.action for one in foreseen.recovered] == [one.action for one in done.recovered] == ["undone"]


def test_an_interrupted_one_and_somebody_else(tools: Tools) -> None:
    """Neither before nor after: refused with the names, by every run, until a person says force."""
    path = tools.etc / "a.conf"
    other = tools.etc / "b.conf"
    steps = tools.steps
    killed = leave_open(
        tools, "/proc/self/ns/net", steps.WriteFile(str(path), b"2"), steps.WriteFile(str(other), b"b")
    )
    path.write_bytes(b"by hand")
    assert f"was interrupted, and somebody else has changed since: {path}; look at it" in refusal(tools)
    with pytest.raises(tools.transaction.TransactionError, match="was interrupted"):
        tools.write("c.conf", b"c")
    assert other.read_bytes() == b"b", "not half of it either"
    tools.back(force=True)
    assert snapshot(tools.etc).keys() == {"a.conf"}
    assert content(tools) == b"0"
    assert json.loads(tools.entry_path(killed).read_bytes())["steps"][0]["after"]["text"] == "by hand"


def test_a_damaged_entry_stops_nothing(tools: Tools) -> None:
    first, second = tools.write("a.conf", b"1"), tools.write("b.conf", b"b")
    tools.entry_path(first).write_text('{"format": 1, "id', encoding="ascii")
    (Path(tools.journal.path) / ".partial-20200101T000000.000000Z").mkdir()
    outcome = tools.back(last=1)
    assert outcome.rolled_back == (second,)
    assert first in outcome.warnings[0]
    assert "left alone" in outcome.warnings[0]
    assert [entry["id"] for entry in tools.listed()][1:] == [second]
    assert tools.survey.list_transactions(tools.journal)[1] == outcome.warnings[:1]
    assert not list(Path(tools.journal.path).glob(".partial-*"))


def test_an_entry_of_a_newer_version_is_left_untouched(tools: Tools) -> None:
    first = tools.write("a.conf", b"1")
    tools.edit_entry(first, format=2, colour="blue")
    before = snapshot(Path(tools.journal.path))["lock"], tools.entry_path(first).read_bytes()
    for action in (lambda: tools.back(all=True), lambda: tools.write("c.conf", b"c"), tools.listed):
        with pytest.raises(tools.transaction.TransactionError, match="has format 2, which a newer version"):
            action()
    assert (snapshot(Path(tools.journal.path))["lock"], tools.entry_path(first).read_bytes()) == before
    assert not (tools.etc / "c.conf").exists()


def age(tools: Tools, identity: str, year: int) -> str:
    """Make an entry older than it is."""
    old = f"{year}{identity[4:]}"
    tools.edit_entry(identity, id=old)
    tools.entry_path(identity).parent.rename(Path(tools.journal.path) / old)
    return old


def test_old_entries_go_but_never_the_newest_in_force(tools: Tools) -> None:
    first = age(tools, tools.write("a.conf", b"1"), 2001)
    second = age(tools, tools.write("a.conf", b"2"), 2002)
    third = tools.write("a.conf", b"3")
    assert [entry["id"] for entry in tools.listed()] == [third], f"{first} and {second} are gone"
    third = age(tools, third, 2003)
    killed = age(
        tools, leave_open(tools, "/proc/self/ns/net", tools.steps.WriteFile(str(tools.etc / "a.conf"), b"4")), 2004
    )
    tools.transaction.Journal(tools.journal.path).prune()
    assert [entry["id"] for entry in tools.listed()] == [killed, third]
    tools.back()
    tools.transaction.Journal(tools.journal.path).prune()
    assert [entry["id"] for entry in tools.listed()] == [third]
    assert content(tools) == b"3"


def test_a_clock_that_was_set_back_changes_no_order(tools: Tools) -> None:
    first = age(tools, tools.write("a.conf", b"1"), 2999)
    second = tools.write("a.conf", b"2")
    assert second > first
    assert tools.back(last=1).rolled_back == (second,)
    assert content(tools) == b"1"


def test_a_namespace_that_is_gone(tools: Tools, made: Lab) -> None:
    namespace = made.namespace(tcp_fin_timeout=60)
    file_step = tools.steps.WriteFile(str(tools.etc / "a.conf"), b"1")
    tools.run(file_step, tools.steps.SetSysctl(_FIN, "33", namespace.path))
    assert namespace.sysctl("ipv4/tcp_fin_timeout") == "33"
    made.remove(namespace)
    done = tools.back(last=1)
    assert content(tools) == b"0"
    assert ["the namespace is gone" in warning for warning in done.warnings] == [True]


def test_a_namespace_that_was_made_anew(tools: Tools, made: Lab) -> None:
    """Its values are its own: neither in the way, nor overwritten."""
    namespace = made.namespace(tcp_fin_timeout=60)
    tools.run(tools.steps.SetSysctl(_FIN, "33", namespace.path))
    ip("netns", "del", namespace.name)
    keeper = made.namespace()  # takes the number that came free
    ip("netns", "add", namespace.name)
    namespace.set_sysctls({"ipv4/tcp_fin_timeout": 44})
    done = tools.back(last=1)
    assert namespace.sysctl("ipv4/tcp_fin_timeout") == "44"
    assert "began anew" in done.warnings[0]
    assert keeper.inode != namespace.inode


def test_after_a_restart(tools: Tools, made: Lab) -> None:
    """A restart cannot be had here, so the entry is given the identifier of another boot."""
    namespace = made.namespace(tcp_fin_timeout=60)
    for running, wanted in (("33", "60"), ("60", "60"), ("44", "44")):
        namespace.set_sysctls({"ipv4/tcp_fin_timeout": 60})
        identity = tools.run(tools.steps.SetSysctl(_FIN, "33", namespace.path)).transaction_id
        steps = json.loads(tools.entry_path(identity).read_bytes())["steps"]
        for state in ("before", "after"):
            steps[0][state]["epoch"] = steps[0][state]["epoch"].replace("-", "x")
        tools.edit_entry(identity, steps=steps)
        namespace.set_sysctls({"ipv4/tcp_fin_timeout": running})
        done = tools.back(last=1)
        assert namespace.sysctl("ipv4/tcp_fin_timeout") == wanted
        assert len(done.warnings) == (running == "44")


def test_a_running_value_that_somebody_else_set(tools: Tools, made: Lab) -> None:
    namespace = made.namespace(tcp_fin_timeout=60)
    tools.run(tools.steps.SetSysctl(_FIN, "33", namespace.path))
    namespace.set_sysctls({"ipv4/tcp_fin_timeout": 44})
    name = f"net.ipv4.tcp_fin_timeout in network namespace {namespace.path}"
    assert f"somebody else has changed since: {name}" in refusal(tools, last=1)
    tools.back(last=1, force=True)
    assert namespace.sysctl("ipv4/tcp_fin_timeout") == "60"


def test_white_space_is_no_difference(tools: Tools, made: Lab) -> None:
    namespace = made.namespace(ip_local_port_range="32768 60999")
    key = "net/ipv4/ip_local_port_range"
    assert not tools.run(tools.steps.SetSysctl(key, " 32768\t 60999\n", namespace.path)).changed
    assert not os.path.exists(tools.journal.path), "nothing is written, not even a journal"
    reserved = "net/ipv4/ip_local_reserved_ports"
    assert tools.run(tools.steps.SetSysctl(reserved, "8080-8090,9000", namespace.path)).changed
    assert tools.back(last=1).changed
    assert namespace.sysctl("ipv4/ip_local_reserved_ports") == "", "an empty value is written as well"


# The module and the playbook, over the real path of the journal, in a mount namespace of their own.


def sandboxed(made_namespace: Any, folder: Path, *argv: str, text_in: str = "") -> subprocess.CompletedProcess[str]:
    script = f"mount --bind {folder} /var/lib && exec \"$@\""
    return subprocess.run(
        ["unshare", "--mount", "--propagation=private", *made_namespace.argv("sh", "-c", script, "sh", *argv)],
        input=text_in,
        capture_output=True,
        text=True,
        env=facts.environment(),
        timeout=120,
        cwd="/",
    )


def module(made_namespace: Any, folder: Path, name: str, *prefix: str, **options: Any) -> dict[str, Any]:
    path = facts.ROOT / "plugins" / "modules" / f"{name}.py"
    text = json.dumps({"ANSIBLE_MODULE_ARGS": options})
    done = sandboxed(made_namespace, folder, *prefix, sys.executable, str(path), text_in=text)
    assert done.stdout.strip().startswith("{"), done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def prepare_default_journal(tools: Tools, made: Lab, var_lib: Path) -> tuple[Any, str]:
    namespace = made.namespace(tcp_fin_timeout=60)
    var_lib.mkdir()
    tools.journal = tools.transaction.Journal(str(var_lib / "tcpops-timewait"))

    def change() -> None:
        tools.run(tools.steps.WriteFile(str(tools.etc / "a.conf"), b"1\n"), tools.steps.SetSysctl(_FIN, "33"))

    assert tracer.inside(namespace.path, change) == 0
    return namespace, tools.listed()[0]["id"]


def test_the_modules(tools: Tools, made: Lab, tmp_path: Path) -> None:
    var_lib = tmp_path / "var_lib"
    namespace, identity = prepare_default_journal(tools, made, var_lib)
    listed = module(namespace, var_lib, "transactions_info")
    assert [(one["id"], one["can_roll_back"]) for one in listed["transactions"]] == [(identity, True)]
    assert {one["kind"] for one in listed["transactions"][0]["touched"]} == {"file", "sysctl"}
    previews = [module(namespace, var_lib, "rollback", last=1, _ansible_check_mode=True) for _twice in range(2)]
    done = module(namespace, var_lib, "rollback", last=1)
    again = module(namespace, var_lib, "rollback", last=1)
    for answer in (*previews, done):
        assert answer["changed"]
        assert answer["rolled_back"] == [identity]
        assert [(one["before"], one["after"]) for one in answer["diff"]] == [("33\n", "60\n"), ("1\n", "0")]
    assert (done["transaction"] is None, previews[0]["transaction"]) == (False, None)
    assert (again["changed"], again["rolled_back"], again["diff"]) == (False, [], [])
    assert namespace.sysctl("ipv4/tcp_fin_timeout") == "60"
    assert content(tools) == b"0"
    assert module(namespace, var_lib, "transactions_info")["transactions"][1]["state"] == "rolled_back"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"last": 1, "all": True}, "exclude each other"),
        ({"last": 0}, "last is 0: it takes a number from 1"),
        ({"journal_keep": -1}, "journal_keep is -1: it takes a number from 0"),
        ({"transaction": "x"}, "there is no transaction x in the journal"),
    ],
)
def test_bad_options(tools: Tools, made: Lab, tmp_path: Path, options: dict[str, Any], words: str) -> None:
    answer = module(made.namespace(), tmp_path, "rollback", **options)
    assert answer["failed"]
    assert words in answer["msg"]


def test_the_modules_without_privilege(tools: Tools, made: Lab, tmp_path: Path) -> None:
    for folder in (tmp_path, *tmp_path.parents[:2]):
        folder.chmod(0o755)
    var_lib = tmp_path / "var_lib"
    namespace, _identity = prepare_default_journal(tools, made, var_lib)
    nobody = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
    for name, options in (("rollback", {"last": 1}), ("transactions_info", {})):
        answer = module(namespace, var_lib, name, *nobody, **options)
        assert answer["failed"]
        assert "Permission denied; run as root (become: true)" in answer["msg"]
    assert content(tools) == b"1\n"


def test_the_playbook(tools: Tools, made: Lab, tmp_path: Path) -> None:
    var_lib = tmp_path / "var_lib"
    namespace, identity = prepare_default_journal(tools, made, var_lib)

    def play(*arguments: str) -> str:
        done = sandboxed(
            namespace,
            var_lib,
            *(sys.executable, "-m", "ansible", "playbook", "-i", "localhost,", "-c", "local"),
            *("-e", f"ansible_python_interpreter={sys.executable}", *arguments),
            str(facts.ROOT / "playbooks" / "rollback.yml"),
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    assert "Taken back: nothing." in play()
    foreseen = play("--check", "--diff", "-e", "timewait_rollback_last=1")
    assert f"Would be taken back: {identity}." in foreseen
    assert "-33" in foreseen
    assert "+60" in foreseen
    assert content(tools) == b"1\n"
    assert f"Taken back: {identity}." in play("-e", "timewait_rollback_all=true")
    assert content(tools) == b"0"
    assert "Taken back: nothing." in play("-e", f"timewait_rollback_transaction={identity}")
