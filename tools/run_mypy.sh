#!/usr/bin/env bash
# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# mypy on what is ours. Plugins go by the names that Ansible imports them by, so
# that a module and its test mean the same class; hence through the link in .cache.

set -eu
cd "$(dirname "$0")/.."
tools/link_collection.sh

status=0
(cd .cache && mypy --config-file ../pyproject.toml --cache-dir mypy ansible_collections/tcpops/timewait/plugins) || status=1
# Each of these folders is where its own scripts import from.
MYPYPATH=.cache:tools:tests/benchmark:tests/unit mypy --cache-dir .cache/mypy tools || status=1
for support in tests/lab tests/unit/support tests/host_python/pythons.py tests/packaging/conftest.py; do
    MYPYPATH=.cache:tests/unit mypy --cache-dir .cache/mypy "$support" || status=1
done
exit $status
