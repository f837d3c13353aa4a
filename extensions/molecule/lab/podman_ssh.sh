#!/bin/sh
# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Run a command in a container, for Ansible, which calls this as it would call ssh: the
# last two words are host and command. Its connection plugin for podman cannot pipeline,
# and so starts five processes in the container for each task, where this starts one.

while [ $# -gt 2 ]; do
    shift
done
exec python3 -IS "${0%/*}/inside.py" "$1" sh -c "$2"
