# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Start one guest, or stop all that were started.

usage: guest.py start FOLDER IMAGE PUBLIC_KEY     FOLDER gets pid, port, console, accelerator and image
       guest.py stop PARENT                       those whose folders are in PARENT

A guest is reached at 127.0.0.1, at the port in FOLDER/port, and reaches nothing. It writes
to nothing either: its disk is a snapshot that goes with the process.
"""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

# The rest of the process is translated code, which would grow to a GiB without a limit.
_MEMORY_MIB = 512
_CODE_MIB = 128

_COMMAND_LINE = "root=/dev/vda rw console=ttyS0 quiet mitigations=off net.ifnames=0 lab.key={key}"

_SECONDS_TO_END = 20


# No SVM: the guest has no guests. No LA57: the emulation of five-level page tables makes kernels
# refuse to read their own memory, and write "xxx" for the names of mount points.
_ACCELERATORS = {
    "kvm": ["-accel", "kvm", "-cpu", "host"],
    "tcg": ["-accel", f"tcg,tb-size={_CODE_MIB}", "-cpu", "max,-svm,-la57"],
}


def accelerator() -> str:
    """KVM where the CPU has it and the device opens, emulation elsewhere."""
    flags = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    # A device without the CPU's support is another hypervisor's, and not tried.
    if re.search(r"^flags\s*:.*\b(?:vmx|svm)\b", flags, re.MULTILINE) and os.access("/dev/kvm", os.R_OK | os.W_OK):
        return "kvm"
    return "tcg"


def free_port() -> int:
    """A port of loopback that nobody has now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def command(folder: Path, image: Path, key: str, port: int, accelerated: str) -> list[str]:
    """QEMU's; it goes to the background when the guest runs."""
    network = f"user,id=lab,restrict=on,hostfwd=tcp:127.0.0.1:{port}-:22"
    return [
        *("qemu-system-x86_64", "-daemonize", "-pidfile", str(folder / "pid"), *_ACCELERATORS[accelerated]),
        *("-m", str(_MEMORY_MIB), "-display", "none", "-vga", "none", "-nodefaults", "-no-reboot"),
        *("-serial", f"file:{folder / 'console'}"),
        *("-kernel", str(image / "vmlinuz"), "-initrd", str(image / "initrd")),
        *("-append", _COMMAND_LINE.format(key=key)),
        *("-drive", f"file={image / 'disk.raw'},if=virtio,format=raw,snapshot=on"),
        *("-netdev", network, "-device", "virtio-net-pci,netdev=lab"),
    ]


def start(folder: Path, image: Path, public_key: str) -> None:
    """Boot one, with what others want to know of it beside its pid."""
    port, accelerated = free_port(), accelerator()
    folder.mkdir()
    (folder / "image").symlink_to(image)
    (folder / "port").write_text(f"{port}\n", encoding="utf-8")
    (folder / "accelerator").write_text(f"{accelerated}\n", encoding="utf-8")
    arguments = command(folder, image, public_key.split()[1], port, accelerated)
    subprocess.run(arguments, check=True, stdin=subprocess.DEVNULL)


def is_guest(pid: int, pid_file: Path) -> bool:
    """Whether that process is the guest of this file: numbers are given again."""
    try:
        arguments = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except (FileNotFoundError, ProcessLookupError):
        return False
    return b"-pidfile" in arguments and os.fsencode(pid_file) in arguments


def stop(pid_file: Path) -> bool:
    """End one; whether there was something to end."""
    pid = int(pid_file.read_text(encoding="utf-8"))
    if not is_guest(pid, pid_file):
        return False
    os.kill(pid, signal.SIGKILL)  # nothing of it is to be kept
    deadline = time.monotonic() + _SECONDS_TO_END
    while is_guest(pid, pid_file):
        if time.monotonic() > deadline:
            name = pid_file.parent.name
            raise SystemExit(f"guest {name}: process {pid} is still there {_SECONDS_TO_END} s after it was killed")
        time.sleep(0.1)
    return True


def main() -> None:
    """As the usage says."""
    match sys.argv[1:]:
        case ["start", folder, image, public_key]:
            start(Path(folder), Path(image), public_key)
        case ["stop", parent]:
            for pid_file in sorted(Path(parent).glob("*/pid")):
                if stop(pid_file):
                    print(f"stopped {pid_file.parent.name}")
        case _:
            raise SystemExit(__doc__)


if __name__ == "__main__":
    main()
