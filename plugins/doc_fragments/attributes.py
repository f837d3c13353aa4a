# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Attributes that the modules of this collection share."""


class ModuleDocFragment:
    """Fragments ``attributes``, ``attributes.facts``, ``attributes.info`` and ``attributes.transaction``."""

    DOCUMENTATION = r"""
options: {}
attributes:
  check_mode:
    description: Can run in C(check_mode) and return changed status prediction without modifying target.
  diff_mode:
    description: Will return details on what has changed, or in C(check_mode) would change, when in diff mode.
  platform:
    description: Target operating systems that the module runs on.
    platforms: linux
    support: full
"""

    FACTS = r"""
options: {}
attributes:
  check_mode:
    support: full
    details:
      - It reads only, so that check mode is no different.
  diff_mode:
    support: N/A
    details:
      - It changes nothing.
  facts:
    description: Action returns an C(ansible_facts) dictionary that will update existing host facts.
    support: full
"""

    INFO = r"""
options: {}
attributes:
  check_mode:
    support: full
    details:
      - It reads only, so that check mode is no different.
  diff_mode:
    support: N/A
    details:
      - It changes nothing.
"""

    TRANSACTION = r"""
options: {}
attributes:
  check_mode:
    support: full
    details:
      - The same code, stopped before the first write.
  diff_mode:
    support: full
    details:
      - Contents of files and running values.
"""
