#!/usr/bin/env python
# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every file names its licence, and no file knows the machine it was written on."""

from __future__ import annotations

import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent

HEADER = (
    "Copyright: (c) 2026, tcpops.timewait contributors",
    "GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)",
    "SPDX-License-Identifier: GPL-3.0-or-later",
)
# The header has to be in the first lines, after a shebang or a document start.
HEADER_LINES = 12

# No place for a comment, or not written by hand: the licence itself, pictures,
# data, captures from kernels, and Markdown, which the README covers.
WITHOUT_HEADER = re.compile(
    r"LICENSE|changelogs/changelog\.yaml|tests/unit/fixtures/.*|tests/sanity/ignore-.*|.*\.(?:md|json|png|jpg|bin|gz)"
)

# Paths and addresses of a developer's machine. In pieces, or this file would be a find.
FORBIDDEN = re.compile(
    "|".join((r"(?<![\w.-])/" + "work/", "pythonhosted" + r"\.org", "pypi" + r"\.org", "/root/" + r"\.pyenv"))
)


def files() -> list[str]:
    """What git tracks or would track."""
    command = ("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    output = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout
    return sorted(name for name in output.split("\0") if name and (ROOT / name).is_file())


def problems(name: str) -> list[str]:
    """What is wrong with one file."""
    try:
        text = (ROOT / name).read_text(encoding="utf-8")
    except UnicodeDecodeError:  # a picture or a capture
        return []
    found = [f"{name}:{text.count(chr(10), 0, hit.start()) + 1}: {hit.group()}" for hit in FORBIDDEN.finditer(text)]
    head = "\n".join(text.splitlines()[:HEADER_LINES])
    # An empty __init__.py has nothing to license.
    if text.strip() and not WITHOUT_HEADER.fullmatch(name):
        found += [f"{name}: its head lacks: {line}" for line in HEADER if line not in head]
    return found


def main() -> int:
    """Print the problems and count the files."""
    names = files()
    found = [problem for name in names for problem in problems(name)]
    print("\n".join(found))
    print(f"checked: {len(names)} files, {len(found)} problems")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
