# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where nothing manages the interface: a unit of systemd that adds the addresses at boot."""

from functools import partial
from typing import Optional, Sequence

from ..aside import ip_options
from ..host import Host
from ..request import Address
from .manager import Manager, own_file

_BOOTED = "/run/systemd"  # sd_booted(3)
_FOLDER = "/etc/systemd/system"
_PROGRAMS = ("/usr/sbin/ip", "/sbin/ip", "/usr/bin/ip", "/bin/ip")
_PLAIN = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789:_.")


def find(host: Host, interface: str) -> Optional[Manager]:
    """It, where systemd runs and there is a program to add addresses with."""
    program = next((one for one in _PROGRAMS if host.files.has_file(one)), None)
    if "system" not in host.names(_BOOTED) or program is None:
        return None
    name = "tcpops-timewait-addresses-%s.service" % escaped(interface)
    path = "%s/%s" % (_FOLDER, name)
    # without udev, as in most containers, systemd knows no devices
    device = "sys-subsystem-net-devices-%s.device" % escaped(interface)
    known = host.runs(device)
    wants = "%s/%s.wants/%s" % (_FOLDER, device if known else "multi-user.target", name)
    return Manager(
        "systemd unit",
        "neither NetworkManager nor systemd-networkd nor ifupdown says that %s is its" % interface,
        (own_file(path, partial(render, program, interface, device if known else None)),),
        {},
        (("systemctl", "daemon-reload"),),
        ((wants, path),),
    )


def render(program: str, interface: str, device: Optional[str], addresses: Sequence[Address]) -> str:
    """``replace`` does no harm to what is there."""
    lines = ["[Unit]", "Description=Addresses of %s for more connections" % interface, "Wants=network.target"]
    if device:
        lines += ["BindsTo=%s" % device, "After=%s" % device]
    lines += ["After=network-pre.target", "Before=network.target", "", "[Service]", "Type=oneshot"]
    lines += ["RemainAfterExit=yes"]
    for one in addresses:
        # with a hyphen: one that cannot be added does not keep the others away
        added = "address replace %s dev %s%s" % (one, interface, ip_options(one, interface))
        lines.append("ExecStart=-%s %s" % (program, added))
    lines += ["", "[Install]", "WantedBy=%s" % (device or "multi-user.target")]
    return "\n".join(lines) + "\n"


def escaped(name: str) -> str:
    """As systemd-escape(1) does it."""
    text = "".join(one if one in _PLAIN else "".join("\\x%02x" % byte for byte in one.encode("utf-8")) for one in name)
    return "\\x2e" + text[1:] if text.startswith(".") else text
