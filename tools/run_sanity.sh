#!/usr/bin/env bash
# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# ansible-test sanity on a real copy of the collection, with every Python it finds.

set -eu
cd "$(dirname "$0")/.."
# shellcheck source=tools/machine_quirks.sh
. tools/machine_quirks.sh
cd "$(tools/copy_collection.sh .cache/sanity)"
# What users get, which is what Galaxy has looked at. Ruff and mypy look at the rest.
rm -rf extensions tools
find tests -mindepth 1 -maxdepth 1 ! -name config.yml ! -name sanity -exec rm -rf {} +
git add --all
# Its virtual environments go to $HOME/.ansible; the machine's own is left alone.
# Not "import", which makes an environment for each Python, and knows fewer of them than
# tests/host_python, where every file is imported by each.
HOME=$quirks_ansible_test_home ansible-test sanity --color no --skip-test import "$@"
echo "checked: sanity, $(find tests/sanity -name 'ignore-*' -exec cat {} + 2> /dev/null | grep -c .) ignores"
