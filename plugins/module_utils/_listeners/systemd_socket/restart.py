# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What makes systemd listen anew, for which it has no reload: sockets and their services stop and start again.

A socket is not started while its service runs, and stays down after a try; and as long as one socket of a service
listens, the next connection starts the service. So all of them stop together and start together, in one command.

Meanwhile nothing listens, and a client that connects is refused. So where nftables is there, the first packets of new
connections are dropped for that moment: clients send them again after a second (RFC 6298, 2.1) and notice nothing else.
What the kernel has accepted before is given time to be served. The ports are held in a set whose elements time out, so
that no death of the command leaves them shut.
"""

from typing import Collection, Iterable, List, Tuple

from ..plan import Command

#: Linux takes up to that many seconds for what was accepted, and to stop and start, before it opens the ports by itself
HELD_SECONDS = 20
_DRAIN_SECONDS = 4

#: in the order of the words: units to start again whatever they do now, services to take along if they run, ports
_AGAIN = """
units= services=
while [ "$1" != -- ]; do units="$units $1"; shift; done; shift
while [ "$1" != -- ]; do services="$services $1"; shift; done; shift
for service in $services; do
    case " $units " in *" $service "*) continue ;; esac
    if systemctl is-active --quiet "$service"; then units="$units $service"; fi
done
open() { nft delete table inet tcpops_timewait_hold 2> /dev/null; }
connected() {
    for port do
        cat /proc/net/tcp /proc/net/tcp6 2> /dev/null | awk -v "end=:$(printf %04X "$port")" '
            $4 == "01" && substr($2, length($2) - 4) == end { found = 1; exit }
            END { exit !found }' && return
    done
    return 1
}
trap open EXIT
trap 'exit 1' HUP INT TERM
# at once: a run that was killed may have left the table, and nothing that listens behind it
if nft -f - 2> /dev/null << RULES
add table inet tcpops_timewait_hold
delete table inet tcpops_timewait_hold
table inet tcpops_timewait_hold {
    set ports {
        type inet_service
        flags timeout
        elements = { $(printf '%s timeout SECONDSs, ' "$@") }
    }
    chain input {
        type filter hook input priority -450
        tcp flags & (syn | ack) == syn tcp dport @ports drop
    }
}
RULES
then
    # by the clock: to look takes long where there are many sockets, and the ports are not held for ever
    end=$(($(date +%s) + DRAIN))
    while sleep 0.1; [ "$(date +%s)" -lt "$end" ] && connected "$@"; do :; done
fi
systemctl stop $units; systemctl reset-failed $units; systemctl start $units
""".replace("SECONDS", str(HELD_SECONDS)).replace("DRAIN", str(_DRAIN_SECONDS))


def commands(units: Iterable[str], services: Collection[str], ports: Collection[int]) -> Tuple[Command, ...]:
    """In order. Wherever one fails, the same one takes it back: starts count against a limit, which is put back to 0.

    :param units: those that run. :param services: of the sockets; one that runs by then goes along.
    :param ports: that the sockets listen on already.
    """
    reload = ("systemctl", "daemon-reload")
    started: List[str] = list(units)
    if not started:
        return (Command(reload, reload),)
    again = ("sh", "-c", _AGAIN, "sh", *started, "--", *sorted(services), "--", *map(str, sorted(ports)))
    return (Command(reload, reload), Command(again, again))
