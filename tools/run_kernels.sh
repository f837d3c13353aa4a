#!/usr/bin/env bash
# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Run the Molecule scenario `kernels`: guests with real kernels, in QEMU.
# usage: run_kernels.sh SUITE...      some of the scenario's inventory
#        run_kernels.sh [--keep]      all of it; --keep: write docs/kernel-matrix.md

set -eu
cd "$(dirname "$0")/.."
# shellcheck source=tools/machine_quirks.sh
. tools/machine_quirks.sh
tools/link_collection.sh

KERNELS_KEEP=
if [ "${1:-}" = --keep ]; then
    KERNELS_KEEP=yes
    shift
    # A part of the matrix is no matrix.
    [ $# -eq 0 ] || { echo "run_kernels.sh: --keep takes no suites: the page is about all of them" >&2; exit 1; }
fi
if [ $# -gt 0 ]; then
    guests=("$@")
else
    mapfile -t guests < <(sed -n '/^  hosts:/,$s/^    \([a-z]*\):$/\1/p' extensions/molecule/kernels/inventory/hosts.yml)
fi
# Now, while there is a network. Two at a time, as many as run at a time.
printf '%s\n' "${guests[@]}" | xargs -n 1 -P 2 tools/build_guest_images.sh

export PATH=$PWD/.venv/bin:$PATH:/usr/sbin:/sbin
KERNELS_GUESTS=$(IFS=,; echo "${guests[*]}")
export KERNELS_GUESTS KERNELS_KEEP
# In a network namespace, so that nothing leaves this machine, and in a process namespace,
# so that the kernel ends the guests with the run, however that ends. Its first process is
# a shell, which unlike Molecule collects the guests that it inherits.
exec unshare --net --pid --fork --kill-child --mount-proc -- \
    sh -c 'ip link set lo up && molecule test --scenario-name kernels; exit $?'
