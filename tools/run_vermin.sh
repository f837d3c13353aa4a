#!/usr/bin/env bash
# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Host code runs on Python 3.6 and later, RHEL 8's platform Python. Annotations are
# left out: those of local variables are never evaluated, and vermin cannot tell;
# tests/host_python runs the rest on the real 3.6.

set -eu
cd "$(dirname "$0")/.."
vermin --quiet --no-tips --violations --target=3.6- plugins/modules plugins/module_utils
echo "checked: $(find plugins/modules plugins/module_utils -name '*.py' | wc -l) files for Python 3.6"
