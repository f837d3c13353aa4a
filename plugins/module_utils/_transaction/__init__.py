# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The undo log that every changing module goes through; docs/transactions.md describes what it keeps."""

from .engine import preview, run
from .errors import TransactionError
from .journal import Journal
from .outcome import Outcome, Recovered

__all__ = ["Journal", "Outcome", "Recovered", "TransactionError", "preview", "run"]
