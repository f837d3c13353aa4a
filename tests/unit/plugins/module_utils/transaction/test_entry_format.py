# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever goes into the journal comes out as it went in."""

from __future__ import annotations

import json

import pytest
from ansible_collections.tcpops.timewait.plugins.module_utils._transaction import entry_format
from ansible_collections.tcpops.timewait.plugins.module_utils._transaction.address_target import (
    AddressState,
    AddressTarget,
)
from ansible_collections.tcpops.timewait.plugins.module_utils._transaction.changes import Change, Command, Entry
from ansible_collections.tcpops.timewait.plugins.module_utils._transaction.file_state import ABSENT, FileState
from ansible_collections.tcpops.timewait.plugins.module_utils._transaction.targets import (
    FileTarget,
    RunningValue,
    SysctlTarget,
)
from hypothesis import given
from hypothesis import strategies as st

_CONTENTS = st.one_of(st.binary(max_size=50), st.text(max_size=50).map(lambda text: text.encode()))
_FILES = st.one_of(
    st.just(ABSENT),
    st.builds(
        FileState,
        kind=st.sampled_from(["file", "link"]),
        content=st.one_of(_CONTENTS, st.just(b"long\n" * 20000)),
        mode=st.integers(0, 0o7777),
        uid=st.integers(0, 2**32 - 1),
        gid=st.integers(0, 2**32 - 1),
        xattrs=st.dictionaries(st.text(max_size=9), st.binary(max_size=9)).map(lambda d: tuple(sorted(d.items()))),
        links=st.integers(1, 9),
    ),
)
_NAMES = st.binary(min_size=1, max_size=20).map(lambda name: "/" + name.decode("utf-8", "surrogateescape"))
_FILE_TARGETS = st.builds(FileTarget, _NAMES, st.lists(_NAMES, max_size=2).map(tuple), st.booleans())
_VALUES = st.builds(RunningValue, st.one_of(st.none(), st.text(max_size=9)), st.text(max_size=9))
_TEXT = st.text(max_size=9)
_NUMBER = st.integers(0, 2**32 - 1)
_ADDRESSES = st.builds(
    AddressState, st.booleans(), _TEXT, st.integers(0, 255), _NUMBER, _TEXT, _TEXT, _TEXT, _NUMBER, _NUMBER
)
_ARGV = st.lists(st.text(max_size=9), max_size=3).map(tuple)
_STEPS = st.lists(
    st.one_of(
        st.builds(Change, _FILE_TARGETS, _FILES, _FILES),
        st.builds(Change, st.builds(SysctlTarget, _NAMES, st.one_of(st.none(), _NAMES)), _VALUES, _VALUES),
        st.builds(
            Change, st.builds(AddressTarget, _TEXT, _TEXT, st.one_of(st.none(), _NAMES)), _ADDRESSES, _ADDRESSES
        ),
        st.builds(Command, _ARGV, _ARGV, st.integers(1, 99)),
    ),
    max_size=4,
).map(tuple)
_ENTRIES = st.builds(
    Entry,
    id=st.text(),
    kind=st.sampled_from(["change", "rollback"]),
    state=st.sampled_from(entry_format.STATES),
    module=st.text(),
    summary=st.text(),
    started=st.text(),
    finished=st.one_of(st.none(), st.text()),
    undoes=_ARGV,
    rolled_back_by=st.one_of(st.none(), st.text()),
    note=st.one_of(st.none(), st.text()),
    steps=_STEPS,
)


@given(_ENTRIES)
def test_what_goes_in_comes_out(entry: Entry) -> None:
    data, blobs = entry_format.encode(entry)
    written = json.dumps(data).encode("ascii")
    assert entry_format.decode(json.loads(written), blobs.__getitem__) == entry
    assert data["format"] == entry_format.FORMAT


def entry_of(*contents: bytes) -> Entry:
    steps = tuple(Change(FileTarget("/x"), FileState("file", content), ABSENT) for content in contents)
    return Entry("id", "change", "open", "m", "s", "t", None, (), None, None, steps)


@pytest.mark.parametrize(
    ("content", "beside"),
    [(b"text\n", False), (b"\xff", True), (b"a\x00b", True), (b"x" * 32768, False), (b"x" * 32769, True)],
)
def test_text_is_readable_and_the_rest_is_beside(content: bytes, beside: bool) -> None:
    data, blobs = entry_format.encode(entry_of(b"first", content))
    assert blobs == ({"2.before": content} if beside else {})
    assert ("text" in data["steps"][1]["before"]) is not beside


@pytest.mark.parametrize("change", [{"state": "half"}, {"kind": "other"}, {"steps": [{"kind": "other"}]}, {"steps": 3}])
def test_an_entry_that_makes_no_sense(change: dict[str, object]) -> None:
    data = {**entry_format.encode(entry_of(b"x"))[0], **change}
    with pytest.raises((ValueError, TypeError, KeyError)):
        entry_format.decode(data, {}.__getitem__)
