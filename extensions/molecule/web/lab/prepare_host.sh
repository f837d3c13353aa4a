#!/bin/sh
# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Certificates and content, then the servers that could not start without them. Prints the certificates.

set -eu

mkdir -p /etc/lab-tls
for name in shop blog balanced secure; do
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 \
        -subj "/CN=$name.lab" -addext "subjectAltName=DNS:$name.lab" \
        -keyout "/etc/lab-tls/$name.key" -out "/etc/lab-tls/$name.crt" 2> /dev/null
    cat "/etc/lab-tls/$name.crt" "/etc/lab-tls/$name.key" > "/etc/lab-tls/$name.lab.pem"
    cat "/etc/lab-tls/$name.crt"
    rm "/etc/lab-tls/$name.crt" "/etc/lab-tls/$name.key"
done

for site in default shop blog behind backend front docs secure app; do
    mkdir -p "/var/www/$site"
    echo "$site" > "/var/www/$site/index.html"
    yes slow | head -n 4000 > "/var/www/$site/slow"
done

systemctl restart nginx haproxy apache2
