# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a server is told to read its configuration again, and how that is taken back.

Taking it back must do no harm where the server was not told, since after a crash nobody knows: so it starts what has
failed, reloads what runs, and leaves alone what is stopped. Where the reload itself is what fails, nothing is lost as
long as the server still listens on what it listened on before.
"""

from typing import Iterable, Sequence, Tuple

from ._listeners.plan import Command

#: $1 a unit, or nothing; $2 whether the ports are to be listened on; $3 what tells a server without a unit; then ports
_TAKE_BACK = """
unit=$1 wanted=$2 command=$3
shift 3
seconds=0
while state=$(systemctl is-active "$unit" 2> /dev/null); [ "$state" = deactivating ] && [ $seconds -lt 100 ]; do
    sleep 1
    seconds=$((seconds + 1))
done
if [ -z "$unit" ]; then sh -c "$command"
elif [ "$state" = failed ]; then systemctl reset-failed "$unit"; systemctl start "$unit"
elif [ "$state" = activating ]; then systemctl start "$unit"
elif [ "$state" = active ] || [ "$state" = reloading ]; then systemctl reload "$unit"
fi && exit
status=$?
for port do
    heard=no
    for table in /proc/net/tcp /proc/net/tcp6; do
        if [ -e "$table" ] && awk -v "end=:$port" '
            # what listens comes first
            NR > 1 && $4 != "0A" { exit }
            substr($2, length($2) - 4) == end { found = 1; exit }
            END { exit !found }' "$table"
        then heard=yes; fi
    done
    [ "$heard" = "$wanted" ] || exit $status
done
"""


def by_unit(unit: str, ports: Iterable[int], adding: bool) -> Command:
    """Reload a unit of systemd.

    :param ports: those that are added, or taken away.
    """
    return Command(("systemctl", "reload", unit), _take_back(unit, "", ports, adding))


def by_command(argv: Sequence[str], ports: Iterable[int], adding: bool) -> Command:
    """Run what the server itself has for it: where it is no unit that runs it, as in a container without systemd."""
    line = " ".join("'%s'" % word.replace("'", "'\\''") for word in argv)
    return Command(tuple(argv), _take_back("", line, ports, adding))


def _take_back(unit: str, line: str, ports: Iterable[int], adding: bool) -> Tuple[str, ...]:
    wanted = "no" if adding else "yes"
    return ("sh", "-c", _TAKE_BACK, "sh", unit, wanted, line, *("%04X" % port for port in sorted(ports)))
