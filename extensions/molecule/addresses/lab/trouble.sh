#!/bin/sh
# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Make trouble for whoever has a load balancer use something else, and end it.
# usage: trouble.sh failing|killing|end

set -eu

drop_in() {
    for unit in nginx haproxy; do
        mkdir -p "/run/systemd/system/$unit.service.d"
        printf '[Service]\n%s\n' "$1" > "/run/systemd/system/$unit.service.d/lab-trouble.conf"
    done
}

case $1 in
failing)
    drop_in 'ExecReload=
ExecReload=/bin/false'
    ;;
killing)
    # Once, after the reload: the lock names the process that carries a transaction out.
    drop_in "ExecReload=-/bin/sh -c 'rm /run/lab-kill-%p && kill -9 \$\$(cat /var/lib/tcpops-timewait/lock)'"
    touch /run/lab-kill-nginx /run/lab-kill-haproxy
    ;;
end)
    rm -f /run/systemd/system/*.service.d/lab-trouble.conf /run/lab-kill-*
    ;;
esac
systemctl daemon-reload
