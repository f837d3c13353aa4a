#!/usr/bin/env bash
# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Everything that is generated: the reference, the rules, the READMEs of roles.
# usage: generate_docs.sh [--check]     --check: change nothing, fail if something is out of date

set -eu
cd "$(dirname "$0")/.."
tools/link_collection.sh

# All of them, whatever the first one says.
status=0
for generator in tools/generate_*.py; do
    PYTHONPATH=.cache .venv/bin/python "$generator" "$@" || status=1
done
exit $status
