# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one exception of what plans addresses."""


class AddressError(Exception):
    """Addresses cannot or must not be changed so. One sentence without its full stop: what, where, why, what to do."""
