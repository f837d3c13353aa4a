#!/usr/bin/env bash
# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Every shell script of the project, found by its name or by its first line.

set -eu
cd "$(dirname "$0")/.."

scripts=(.ci/run)
while IFS= read -r -d '' file; do
    [ -f "$file" ] || continue
    case $file in
        .ci/run) ;;
        *.sh) scripts+=("$file") ;;
        *.*) ;;
        *) if head -n 1 "$file" | grep -q -a -E '^#!.*\b(ba)?sh$'; then scripts+=("$file"); fi ;;
    esac
done < <(git ls-files -z --cached --others --exclude-standard -- ':!tests/unit/fixtures')

shellcheck --external-sources "${scripts[@]}"
echo "checked: ${#scripts[@]} scripts"
