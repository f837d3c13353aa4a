#!/usr/bin/env bash
# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Copy what git tracks or would track into a real collections path: tools that
# follow or refuse symlinks get a clone's view, without .cache and .venv.
# usage: copy_collection.sh FOLDER      prints FOLDER/ansible_collections/tcpops/timewait

set -eu -o pipefail
cd "$(dirname "$0")/.."
case $1 in /*) folder=$1 ;; *) folder=$PWD/$1 ;; esac

target=$folder/ansible_collections/tcpops/timewait
rm -rf "$target"
mkdir -p "$target"
# A deleted file is listed until the deletion is committed.
git ls-files -z --cached --others --exclude-standard |
    while IFS= read -r -d '' file; do
        if [ -e "$file" ]; then printf '%s\0' "$file"; fi
    done |
    tar --null --files-from=- -cf - | tar -xf - -C "$target"
# The same tools ask git what belongs to the collection.
git -C "$target" init --quiet
git -C "$target" add --all
printf '%s\n' "$target"
