# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A tree of files for tests."""

from ansible_collections.tcpops.timewait.plugins.module_utils._files import Files


def make_tree(root, entries):
    """``Files`` over a folder with these paths: text, or ``("link", target)``."""
    for path, content in entries.items():
        here = root / path.lstrip("/")
        here.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, tuple):
            here.symlink_to(content[1])
        else:
            here.write_text(content)
    return Files(str(root))
