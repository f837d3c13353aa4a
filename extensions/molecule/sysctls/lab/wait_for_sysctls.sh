#!/bin/sh
# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# First process of a container whose /proc/sys/net is made writable from outside,
# after its start: what boots has to wait for that. It ends the container otherwise.

left=600
until [ -w /proc/sys/net/ipv4/ip_local_port_range ]; do
    left=$((left - 1))
    [ "$left" -gt 0 ] || exit 1
    sleep 0.1
done
exec /lib/systemd/systemd
