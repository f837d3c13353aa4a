#!/bin/sh
# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Make trouble for whoever adds a port to one of the servers, and end it.
# usage: trouble.sh broken|busy|failing|killing SNAPSHOT PART...    make it, and keep what the host is like with it
#        trouble.sh end SNAPSHOT PART...                            print what is different since, and end it

set -eu

# With something after the last directive, of the service of each server.
drop_in() {
    mkdir -p "/run/systemd/system/$1.service.d"
    printf '[Service]\n%s\n' "$2" > "/run/systemd/system/$1.service.d/lab-trouble.conf"
}
added=/etc/systemd/system/app.socket.d/50-tcpops-timewait.conf
trouble=$1
shift

case $trouble in
broken)
    # An administrator's slips, each in the last line but one; and one in a file that is not theirs.
    printf 'server {\n    listen 80;\n    lisen 99;\n}\n' > /etc/nginx/conf.d/zz-slip.conf
    printf 'frontend slip\n    bnd :99\n\n' > /etc/haproxy/conf.d/zz-slip.cfg
    printf '<VirtualHost *:7080>\n    ServerName slip.lab\n    Lisen 99\n</VirtualHost>\n' > /etc/apache2/sites-enabled/zz-slip.conf
    cp -p "$added" /run/lab-drop-in
    echo 'ListenStream=6099' >> "$added"
    ;;
busy)
    systemd-run --quiet --unit=lab-other --collect /usr/bin/python3 /opt/lab/listen.py 83 9003 7083 6083
    until ss -Hltn 'sport = :6083' | grep -q .; do sleep 0.1; done
    ;;
failing)
    for unit in nginx haproxy apache2; do
        drop_in "$unit" 'ExecReload=
ExecReload=/bin/false'
    done
    # A service that does not start with a socket more.
    drop_in app "ExecStartPre=/bin/sh -c '! grep -q 6083 $added'"
    ;;
killing)
    # Once, after the reload: the lock names the process that carries a transaction out.
    kill="-/bin/sh -c 'rm /run/lab-kill-%p && kill -9 \$\$(cat /var/lib/tcpops-timewait/lock)'"
    for unit in nginx haproxy apache2; do
        drop_in "$unit" "ExecReload=$kill"
        touch "/run/lab-kill-$unit"
    done
    drop_in app "ExecStartPre=$kill"
    touch /run/lab-kill-app
    ;;
end)
    python3 /opt/lab/snapshot.py compare "$@"
    rm -f /etc/nginx/conf.d/zz-slip.conf /etc/haproxy/conf.d/zz-slip.cfg /etc/apache2/sites-enabled/zz-slip.conf
    rm -f /run/systemd/system/*.service.d/lab-trouble.conf
    if [ -e /run/lab-drop-in ]; then
        cp -p /run/lab-drop-in "$added"
        rm /run/lab-drop-in
    fi
    if systemctl is-active --quiet lab-other; then systemctl stop lab-other; fi
    ;;
esac
systemctl daemon-reload
if [ "$trouble" != end ]; then
    python3 /opt/lab/snapshot.py save "$@"
fi
