# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was opened by this collection, where the thing that was opened cannot carry a mark: so that no more is closed.

A file for each, which goes through the transaction as every other one, and is gone with the last entry.
"""

import json
from typing import Any, List, Sequence, Tuple, Type

from ._files import FileError, Files, MissingFileError
from ._transaction.errors import TransactionError
from ._transaction.steps import RemoveFile, Step, WriteFile

FOLDER = "/var/lib/tcpops-timewait-opened"
_FORMAT = 1


def read(files: Files, name: str, entry_type: Type[Any]) -> List[Any]:
    """The entries, each an ``entry_type``, a NamedTuple of plain values.

    :raises TransactionError: when it is none of ours.
    """
    path = _path(name)
    try:
        data = json.loads(files.read_text(path))
        if data["format"] != _FORMAT:
            raise ValueError("format %r" % data["format"])
        return [entry_type(**entry) for entry in data["opened"]]
    except MissingFileError:
        return []
    except FileError as error:
        raise TransactionError("%s cannot be read: %s" % (path, error.reason)) from None
    except (KeyError, TypeError, ValueError) as error:
        raise TransactionError(
            "%s is no record of opened ports (%s: %s): look at it and move it away; ports that were opened before "
            "then stay open" % (path, type(error).__name__, error)
        ) from None


def steps(name: str, before: Sequence[Any], after: Sequence[Any]) -> List[Step]:
    """What brings the record from one list of entries to another."""
    if sorted(before) == sorted(after):
        return []
    if not after:
        return [RemoveFile(_path(name))]
    data = {"format": _FORMAT, "opened": [dict(entry._asdict()) for entry in sorted(after)]}
    return [WriteFile(_path(name), (json.dumps(data, indent=1, sort_keys=True) + "\n").encode("ascii"))]


def merged(before: Sequence[Any], new: Sequence[Any], key: Tuple[str, ...]) -> List[Any]:
    """Entries of both; a new one takes the place of an old one that is the same in the fields of ``key``."""
    found = {tuple(getattr(entry, field) for field in key): entry for entry in [*before, *new]}
    return list(found.values())


def _path(name: str) -> str:
    return "%s/%s.json" % (FOLDER, name)
