# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The transactions of the collection over a folder that stands for a host."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


class Tools:
    """The code under test, imported once the collection can be; a journal, and a folder of files."""

    def __init__(self, folder: Path) -> None:
        from ansible_collections.tcpops.timewait.plugins.module_utils import _transaction as transaction
        from ansible_collections.tcpops.timewait.plugins.module_utils._transaction import rollback, steps, survey

        self.transaction: Any = transaction
        self.rollback: Any = rollback
        self.steps: Any = steps
        self.survey: Any = survey
        self.etc = folder / "etc"
        self.etc.mkdir()
        self.journal = transaction.Journal(str(folder / "journal"), wait_seconds=1)

    def run(self, *steps: Any) -> Any:
        return self.transaction.run(self.journal, "test", "test", steps)

    def write(self, name: str, content: bytes) -> str:
        """Id of a transaction that writes one file."""
        identity: str = self.run(self.steps.WriteFile(str(self.etc / name), content)).transaction_id
        return identity

    def back(self, *, force: bool = False, **choice: Any) -> Any:
        return self.rollback.rollback(self.journal, self.rollback.Choice(**choice), force)

    def back_in_check_mode(self, *, force: bool = False, **choice: Any) -> Any:
        return self.rollback.preview_rollback(self.journal, self.rollback.Choice(**choice), force)

    def listed(self) -> list[dict[str, Any]]:
        transactions: list[dict[str, Any]] = self.survey.list_transactions(self.journal)[0]
        return transactions

    def entry_path(self, identity: str) -> Path:
        return Path(self.journal.path, identity, "entry.json")

    def edit_entry(self, identity: str, **fields: Any) -> None:
        """What no run would write: an entry of another time or version."""
        path = self.entry_path(identity)
        path.write_text(json.dumps({**json.loads(path.read_bytes()), **fields}), encoding="ascii")
