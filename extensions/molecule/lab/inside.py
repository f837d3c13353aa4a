# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run a command in a container of the lab, which has the name of its host.

usage: python3 -IS inside.py CONTAINER COMMAND...

As ``podman exec --interactive`` does, which costs more of a processor than most of what the lab runs. Namespaces,
capabilities, variables and limits are those of the container; the control group is that of the caller.
"""

import os
import resource
import sys

# The rest of the imports is where it is needed: this starts a thousand times, and they would take most of its time.
CACHE = os.path.abspath(f"{os.path.dirname(__file__)}/../../../.cache/containers")
#: as podman exits when there is no such container
NO_CONTAINER = 125


def read(path: str) -> str:
    """A file as text."""
    with open(path, encoding="utf-8", errors="surrogateescape") as file:
        return file.read()


def field(text: str, name: str) -> list[str]:
    """The words after a name at the beginning of a line."""
    return next(line[len(name) :].split() for line in text.splitlines() if line.startswith(name))


def is_inside(pid: str, name: str) -> bool:
    """Whether a process of the machine is one of this container: nothing must ever run on the machine itself."""
    try:
        is_named = read(f"/proc/{pid}/root/etc/hostname").strip() == name
        return is_named and os.readlink(f"/proc/{pid}/ns/mnt") != os.readlink("/proc/self/ns/mnt")
    except OSError:
        return False


def find(name: str) -> str:
    """Its first process. Remembered, because podman takes long to answer; what is remembered is looked at again."""
    remembered = f"{CACHE}/{name}"
    try:
        pid = read(remembered)
    except OSError:
        pid = ""
    if pid and is_inside(pid, name):
        return pid
    import subprocess  # noqa: PLC0415

    asked = ("podman", "inspect", "--format", "{{.State.Pid}}", name)
    pid = subprocess.run(asked, check=False, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True).stdout.strip()
    if not pid or not is_inside(pid, name):
        print(f"inside.py: {name} does not run", file=sys.stderr)
        sys.exit(NO_CONTAINER)
    os.makedirs(CACHE, exist_ok=True)
    unfinished = f"{remembered}.{os.getpid()}"
    with open(unfinished, "w", encoding="utf-8") as file:
        file.write(pid)
    os.replace(unfinished, remembered)
    return pid


def capabilities(mask: int) -> str:
    """What its first process may have, everything in it may have, and no more; for ``setpriv``."""
    return ",".join(["-all", *(f"+cap_{number}" for number in range(mask.bit_length()) if mask >> number & 1)])


def main() -> None:
    """Becomes the command."""
    name, *command = sys.argv[1:]
    pid = find(name)
    files = int(field(read(f"/proc/{pid}/limits"), "Max open files")[1])
    resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))
    environment = dict(one.split("=", 1) for one in read(f"/proc/{pid}/environ").split("\0") if "=" in one)
    environment.setdefault("HOME", "/root")
    mask = int(field(read(f"/proc/{pid}/status"), "CapBnd:")[0], 16)
    limited = ("setpriv", "--bounding-set", capabilities(mask), "--inh-caps=-all", "--")
    os.execvpe("nsenter", ["nsenter", "--target", pid, "--all", "--", *limited, *command], environment)  # noqa: S606


if __name__ == "__main__":
    main()
