# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Have Python compile once what Ansible sends to this host again and again.

A module comes as an archive of sources, for which Python keeps nothing compiled: to compile them takes longer than what
most modules do. A host of the lab gets more of them in ten minutes than another one in a year. What runs is the same.
"""

import hashlib
import marshal
import os
import zipimport

CACHE = "/var/cache/lab-python"
compile_source = zipimport._compile_source


def compile_once(path, source):
    """The code of a source, as ``zipimport`` would compile it."""
    file = "%s/%s" % (CACHE, hashlib.sha256(source).hexdigest())
    try:
        with open(file, "rb") as kept:
            return marshal.load(kept)  # noqa: S302  # written by this function alone
    except (OSError, EOFError, ValueError):
        code = compile_source(path, source)
    try:
        os.makedirs(CACHE, mode=0o700, exist_ok=True)
        unfinished = "%s.%d" % (file, os.getpid())
        with open(unfinished, "wb") as kept:
            marshal.dump(code, kept)
        os.replace(unfinished, file)
    except OSError:
        pass  # not root, whose cache it is
    return code


zipimport._compile_source = compile_once
