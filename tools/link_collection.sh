#!/usr/bin/env bash
# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Make .cache a collections path that holds this checkout, without a copy.

set -eu
cd "$(dirname "$0")/.."
mkdir -p .cache/ansible_collections/tcpops
# -n: replace the link, do not put another one into the folder it points to.
[ -e .cache/ansible_collections/tcpops/timewait ] || ln -sfn ../../.. .cache/ansible_collections/tcpops/timewait
