# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files: valid JSON from any facts, a page in which nothing of a host is markup, all or nothing on disk."""

from __future__ import annotations

import json
import os
import pathlib
import re
import sys
from html.parser import HTMLParser
from typing import Any

import pytest
from ansible_collections.tcpops.timewait.plugins.plugin_utils._report import audit, html
from ansible_collections.tcpops.timewait.plugins.plugin_utils._report.audit_json import encode
from ansible_collections.tcpops.timewait.plugins.plugin_utils._report.files import Files, ReportError
from report_factory import BOUNDS, collect, registered
from support.facts_factory import make_pool

EVIL = "</script><script>alert(1)</script><img src=x onerror=alert(1)>\u2028{{ 7*7 }}{% raw %}"


def write(tmp_path: pathlib.Path, results: dict[str, Any]) -> dict[str, str]:
    audit.write(iter(results.items()), BOUNDS, str(tmp_path / "report"))
    return {path.name: path.read_text(encoding="utf-8") for path in (tmp_path / "report").iterdir()}


def test_the_three_files_and_nothing_else(tmp_path: pathlib.Path) -> None:
    written = write(tmp_path, {"web1": registered(), "web2": {"unreachable": True, "msg": "down"}})
    assert sorted(written) == ["audit.json", "audit.txt", "index.html"]
    document = json.loads(written["audit.json"])
    assert document["schema"] == 1
    assert document["thresholds"] == BOUNDS
    assert [host["status"] for host in document["hosts"]] == ["audited", "unreachable"]
    assert document["hosts"][0]["facts"]["kernel"]["timewait_seconds"] == 60
    assert document["hosts"][1]["facts"] is None
    assert document["summary"]["audited"] == 1


def test_facts_travel_whole(tmp_path: pathlib.Path) -> None:
    result = registered(pools=[make_pool(used=28000)])
    host = json.loads(write(tmp_path, {"web1": result})["audit.json"])["hosts"][0]
    assert host["facts"] == result["ansible_facts"]["timewait"]
    assert host["findings"][0]["id"].startswith("TW-")
    assert host["findings"][0]["pool"]["used"] == 28000


class Page(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self._in_script = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._in_script = tag == "script"

    def handle_data(self, data: str) -> None:
        if self._in_script:
            self.scripts.append(data)
            self._in_script = False


def test_the_page_holds_no_markup_of_a_host(tmp_path: pathlib.Path) -> None:
    pool = make_pool(used=28000, remote_address=EVIL, local_address="javascript:alert(1)")
    page = Page(
        write(tmp_path, {EVIL: registered(pools=[pool]), "x" + EVIL: {"failed": True, "msg": EVIL}})[
            "index.html"
        ]
    )
    assert [attributes for tag, attributes in page.tags if tag == "script"] == [
        {"type": "application/json", "id": "data"},
        {},
    ]
    assert not [tag for tag, _attributes in page.tags if tag in ("img", "iframe", "object", "base", "form")]
    assert not [
        attributes for _tag, attributes in page.tags if any(name.startswith("on") for name in attributes)
    ]
    links = [
        attributes[name] for _tag, attributes in page.tags for name in ("href", "src") if attributes.get(name)
    ]
    assert all(str(link).startswith(("#", "data:,")) for link in links)
    assert not re.search("[<>&\u2028\u2029]", page.scripts[0])
    assert json.loads(page.scripts[0])["hosts"][0][2].startswith("</script><script>")


def test_the_policy_allows_only_what_is_in_the_page(tmp_path: pathlib.Path) -> None:
    page = Page(write(tmp_path, {"web1": registered()})["index.html"])
    policy = next(a["content"] for _tag, a in page.tags if a.get("http-equiv") == "Content-Security-Policy")
    assert policy == html.policy(
        (html.ASSETS / "page.css").read_text(), (html.ASSETS / "page.js").read_text()
    )
    assert "default-src 'none'" in str(policy)
    assert "unsafe" not in str(policy)
    assert not [attributes for _tag, attributes in page.tags if "style" in attributes]


def test_a_large_fleet_is_cut_and_the_page_says_so() -> None:
    report = collect({f"web{n}": registered(pools=[make_pool(used=28000)] * 20) for n in range(300)})
    data: Any = html.payload(report)
    assert len(data["pools"]) == 1000
    assert sum(len(group["items"]) for group in data["groups"]) <= html.FINDINGS_SHOWN + 20 * len(
        data["groups"]
    )
    told = " ".join(html.left_out(report))
    assert "1 000 pools with the highest utilisation of 6 000" in told
    assert "audit.json" in told


def nested(depth: int) -> object:
    value: object = 1
    for _level in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    "value",
    [
        float("nan"),
        {"a": float("-inf")},
        10**5000,
        nested(5000),
        {(1, 2): "key"},
        {"s": {1, 2}},
        "x" * 5_000_000,
        ["\ud800"],
        list(range(10**6)),
    ],
    ids=["nan", "inf", "digits", "depth", "key", "set", "giant", "surrogate", "long"],
)
def test_anything_becomes_json_that_every_parser_reads(value: object) -> None:
    limit = sys.getrecursionlimit()
    text = encode({"facts": value})
    assert sys.getrecursionlimit() == limit

    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    json.loads(text, parse_constant=refuse)
    assert text.isascii()
    assert len(text) < 5_000_000


def test_a_failure_leaves_the_former_report(tmp_path: pathlib.Path) -> None:
    (tmp_path / "audit.txt").write_text("former")
    with pytest.raises(ReportError, match="No space left on device"), Files(str(tmp_path)) as files:
        files.open("audit.txt").write("new")
        raise OSError(28, os.strerror(28))
    assert [path.name for path in tmp_path.iterdir()] == ["audit.txt"]
    assert (tmp_path / "audit.txt").read_text() == "former"


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="/dev/full makes a full disk")
def test_a_full_disk_is_one_sentence(tmp_path: pathlib.Path) -> None:
    os.symlink("/dev/full", tmp_path / f".audit.txt.{os.getpid()}.new")
    with pytest.raises(ReportError, match="timewait_report_dir"), Files(str(tmp_path)) as files:
        files.open("audit.txt").write("new")
    assert list(tmp_path.iterdir()) == []


def test_a_file_in_the_place_of_the_directory(tmp_path: pathlib.Path) -> None:
    (tmp_path / "report").write_text("")
    with pytest.raises(ReportError, match="cannot be written to"), Files(str(tmp_path / "report")):
        pass


def test_a_directory_is_made_and_a_mode_left_to_umask(tmp_path: pathlib.Path) -> None:
    before = os.umask(0o027)
    try:
        write(tmp_path / "deep" / "er", {"web1": registered()})
    finally:
        os.umask(before)
    mode = (tmp_path / "deep" / "er" / "report" / "index.html").stat().st_mode
    assert mode & 0o777 == 0o640
