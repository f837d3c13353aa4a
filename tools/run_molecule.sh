#!/usr/bin/env bash
# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Run Molecule scenarios from the checkout. usage: run_molecule.sh SCENARIO...

set -eu
cd "$(dirname "$0")/.."
# shellcheck source=tools/machine_quirks.sh
. tools/machine_quirks.sh
tools/link_collection.sh
tools/fetch_test_collections.sh .cache

# Now, while there is a network.
suites=$(sed -n 's/^ *lab_suite: //p' extensions/molecule/*/inventory/hosts.yml | sort -u)
# shellcheck disable=SC2086  # one word an image
tools/build_lab_images.sh $suites

scenarios=()
for scenario in "$@"; do
    scenarios+=(--scenario-name "$scenario")
done
# In a network namespace of its own: podman makes its bridges there, and turns on
# forwarding there, where it would otherwise stay on in the machine's own. All of it
# goes with the last process. Molecule calls ansible-playbook by name, hence PATH.
export PATH=$PWD/.venv/bin:$PATH:/usr/sbin:/sbin
# This shell stays outside, so that a scenario can look from inside whether all is as it was.
export LAB_MACHINE_NET=/proc/$$/ns/net
# Told to end, it takes the lab away first; this shell waits for that.
trap 'exit 143' INT TERM
# shellcheck disable=SC2016  # that shell's
unshare --net -- sh -c '
    trap "kill \$! 2> /dev/null; wait; molecule destroy \"\$@\"; exit 143" INT TERM
    ip link set lo up
    molecule test "$@" &
    wait $!' sh "${scenarios[@]}"
