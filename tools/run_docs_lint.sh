#!/usr/bin/env bash
# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# The documentation blocks of every plugin, module and role.

set -eu
cd "$(dirname "$0")/.."
cd "$(tools/copy_collection.sh .cache/docs-lint)"
antsibull-docs lint-collection-docs --plugin-docs .
echo "checked: the documentation of every plugin"
