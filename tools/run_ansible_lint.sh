#!/usr/bin/env bash
# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# ansible-lint, profile production, on what a clone has.

set -eu
cd "$(dirname "$0")/.."
collections=$PWD/.cache/lint
tools/fetch_test_collections.sh "$collections"
cd "$(tools/copy_collection.sh "$collections")"
# It knows modules, ours included, only through a collections path.
ANSIBLE_COLLECTIONS_PATH=$collections ansible-lint --offline --strict --nocolor
