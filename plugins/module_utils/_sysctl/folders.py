# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which drop-in files a loader reads, in which order."""

import os
from typing import Dict, List, NamedTuple, Sequence

from .errors import AbsentError, FileReadError
from .files import Files


class Ordered(NamedTuple):
    """``paths`` in the order of reading; ``hidden``: files that one of the same name in an earlier folder replaces."""

    paths: List[str]
    hidden: List[str]
    problems: List[FileReadError]


def drop_ins(files: Files, folders: Sequence[str], hidden_too: bool) -> Ordered:
    """Files ``*.conf`` of some folders, sorted by their names alone.

    Of the same name, that of the first folder counts, whatever it is: a link to /dev/null, a broken one or an empty
    file hides the others as well (``conf_files_list_strv`` of systemd, ``PreloadSystem`` of procps,
    ``_apply_system_sysctl`` of TuneD).

    :param hidden_too: whether names that begin with a dot count (not for systemd, ``hidden_or_backup_file``).
    """
    found: Dict[str, str] = {}
    hidden = []
    problems = []
    seen = set()
    for folder in folders:
        try:
            real = files.real(folder)
            if real in seen:  # /lib is often a link to /usr/lib
                continue
            seen.add(real)
            names = files.list_names(folder)
        except AbsentError:
            continue
        except FileReadError as error:
            problems.append(error)
            continue
        for name in names:
            if not name.endswith(".conf") or (name.startswith(".") and not hidden_too):
                continue
            path = "%s/%s" % (folder, name)
            if name in found:
                hidden.append(path)
            else:
                found[name] = path
    return Ordered([found[name] for name in sorted(found, key=os.fsencode)], hidden, problems)
