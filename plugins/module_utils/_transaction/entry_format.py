# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Entries as JSON, and back. Contents that are long or no text go into files of their own beside it."""

import base64
from typing import Any, Callable, Dict, Tuple

from .address_target import AddressState, AddressTarget
from .changes import Change, Command, Entry, Planned
from .file_state import FileState
from .targets import FileTarget, RunningValue, SysctlTarget

FORMAT = 1
STATES = ("open", "committed", "aborted", "rolled_back")
_LONGEST_TEXT = 32768

Data = Dict[str, Any]
Blobs = Dict[str, bytes]


def encode(entry: Entry) -> Tuple[Data, Blobs]:
    """``(what goes into entry.json, contents of the files beside it by name)``."""
    blobs: Blobs = {}
    data: Data = {"format": FORMAT}
    data.update(entry._asdict())
    data["undoes"] = list(entry.undoes)
    data["steps"] = [_encode_step(step, "%d" % number, blobs) for number, step in enumerate(entry.steps, 1)]
    return data, blobs


def decode(data: Data, read_blob: Callable[[str], bytes]) -> Entry:
    """The entry again.

    :raises KeyError, TypeError, ValueError: when it is none.
    """
    if data["state"] not in STATES or data["kind"] not in ("change", "rollback"):
        raise ValueError("neither state %r nor kind %r is known" % (data["state"], data["kind"]))
    fields = {name: data[name] for name in Entry._fields}
    fields["undoes"] = tuple(data["undoes"])
    fields["steps"] = tuple(_decode_step(step, read_blob) for step in data["steps"])
    return Entry(**fields)


def _encode_step(step: Planned, number: str, blobs: Blobs) -> Data:
    if isinstance(step, Command):
        return {
            "kind": "command",
            "argv": list(step.argv),
            "undo_argv": list(step.undo_argv),
            "timeout_seconds": step.timeout,
        }
    target = step.target
    if isinstance(target, SysctlTarget):
        data: Data = {"kind": "sysctl", "key": target.key_path, "namespace": target.namespace}
        data["before"], data["after"] = dict(step.before._asdict()), dict(step.after._asdict())
        return data
    if isinstance(target, AddressTarget):
        data = {"kind": "address", "interface": target.interface, "address": target.address}
        data["namespace"] = target.namespace
        data["before"], data["after"] = dict(step.before._asdict()), dict(step.after._asdict())
        return data
    data = {"kind": "file", "path": target.path, "folders_made": list(target.folders), "whole": target.whole}
    data["before"] = _encode_file(step.before, number + ".before", blobs)
    data["after"] = _encode_file(step.after, number + ".after", blobs)
    return data


def _encode_file(state: FileState, name: str, blobs: Blobs) -> Data:
    data: Data = {"kind": state.kind}
    if state.kind == "absent":
        return data
    data.update(mode="%04o" % state.mode, uid=state.uid, gid=state.gid, links=state.links)
    data["xattrs_base64"] = {key: base64.b64encode(value).decode("ascii") for key, value in state.xattrs}
    try:
        text = state.content.decode("utf-8")
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text or len(state.content) > _LONGEST_TEXT:
        blobs[name] = state.content
        data["content_file"] = name
    else:
        data["text"] = text
    return data


def _decode_step(data: Data, read_blob: Callable[[str], bytes]) -> Planned:
    kind = data["kind"]
    if kind == "command":
        return Command(tuple(data["argv"]), tuple(data["undo_argv"]), int(data["timeout_seconds"]))
    if kind == "sysctl":
        target = SysctlTarget(data["key"], data["namespace"])
        return Change(target, RunningValue(**data["before"]), RunningValue(**data["after"]))
    if kind == "address":
        held = AddressTarget(data["interface"], data["address"], data["namespace"])
        return Change(held, AddressState(**data["before"]), AddressState(**data["after"]))
    if kind != "file":
        raise ValueError("no step is a %r" % kind)
    return Change(
        FileTarget(data["path"], tuple(data["folders_made"]), data["whole"]),
        _decode_file(data["before"], read_blob),
        _decode_file(data["after"], read_blob),
    )


def _decode_file(data: Data, read_blob: Callable[[str], bytes]) -> FileState:
    if data["kind"] == "absent":
        return FileState("absent")
    xattrs = tuple(sorted((key, base64.b64decode(value)) for key, value in data["xattrs_base64"].items()))
    content = read_blob(data["content_file"]) if "content_file" in data else data["text"].encode("utf-8")
    return FileState(data["kind"], content, int(data["mode"], 8), data["uid"], data["gid"], xattrs, data["links"])
