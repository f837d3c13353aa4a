#!/usr/bin/env bash
# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# The collections that only tests use, unless they are there.
# usage: fetch_test_collections.sh FOLDER     fills FOLDER/ansible_collections
#
# Out of the "ansible" wheel, which every package index and mirror of Python has:
# two megabytes of it, unpacked without installing the rest.

set -eu
cd "$(dirname "$0")/.."
folder=$1
# Others wait for what it fetches.
mkdir -p "$folder"
exec 9> "$folder/fetch.lock"
flock 9
wheel_version=12.3.0

if [ ! -e "$folder/ansible_collections/containers/podman" ]; then
    wheels=.cache/wheels
    if ! compgen -G "$wheels/ansible-$wheel_version-*.whl" > /dev/null; then
        .venv/bin/python -m pip download -qq --disable-pip-version-check --no-deps -d "$wheels" "ansible==$wheel_version"
    fi
    .venv/bin/python - "$wheels"/ansible-"$wheel_version"-*.whl "$folder" << 'PYTHON'
import sys
import zipfile

with zipfile.ZipFile(sys.argv[1]) as wheel:
    wheel.extractall(sys.argv[2], [n for n in wheel.namelist() if n.startswith("ansible_collections/containers/podman/")])
PYTHON
fi
