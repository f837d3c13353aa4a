# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The exception of this layer."""

from __future__ import annotations


class RemediationError(ValueError):
    """A remedy that cannot be worked out. The message is one sentence for the user."""
