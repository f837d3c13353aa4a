# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Keep what a host is like, and tell later what is different.

usage: snapshot.py save FILE PART...
       snapshot.py compare FILE PART...

Parts: "files", the configuration; "net", the sysctls of the network namespace that
this runs in; "machine", those that containers share with their machine; "listening",
the TCP sockets that listen; "addresses", those of all interfaces, and the routes;
names of units of systemd, when they were started or reloaded last. Comparing prints a
line for each difference in these parts. This must not need the collection that is tested.
"""

import hashlib
import ipaddress
import json
import os
import re
import stat
import struct
import subprocess
import sys

# Whatever reads sysctls reads it here, and whatever sets them as well.
ROOTS = (
    "/etc", "/opt", "/usr/local", "/usr/lib/sysctl.d", "/usr/lib/systemd", "/usr/lib/tmpfiles.d",
    "/usr/lib/tuned", "/usr/lib/ufw", "/run/sysctl.d", "/var/spool",
)  # fmt: skip
SYSCTLS = "/proc/sys"
# Counters, clocks, random numbers and what the kernel adapts by itself.
MOVING = re.compile(
    r"fs/(aio-nr|binfmt_misc/.*|dentry-state|file-nr|inode-nr|inode-state|quota/.*|nfs/.*)"
    r"|kernel/(ns_last_pid|pty/nr|random/.*|keys/.*|tainted|perf_event_max_sample_rate)"
    r"|net/ipv4/(tcp_fastopen_key|inet_peer_.*)"
    r"|net/ipv6/conf/[^/]+/stable_secret"
    r"|net/netfilter/nf_conntrack_count"
    r"|vm/(stat_refresh|compact_memory|drop_caches)"
)


def describe(path):
    """Type, mode, owner, extended attributes, and content or target."""
    found = os.lstat(path)
    said = "%o %d:%d" % (found.st_mode, found.st_uid, found.st_gid)
    if stat.S_ISLNK(found.st_mode):
        return "%s -> %s" % (said, os.readlink(path))
    for name in sorted(os.listxattr(path)):
        said += " %s=%s" % (name, os.getxattr(path, name).hex())
    if stat.S_ISREG(found.st_mode):
        with open(path, "rb") as file:
            said += " links %d sha256 %s" % (found.st_nlink, hashlib.sha256(file.read()).hexdigest())
    return said


def files():
    """What each path is like."""
    seen = {}
    for root in ROOTS:
        if os.path.lexists(root):
            seen[root] = describe(root)
        for folder, folders, names in os.walk(root):
            for name in folders + names:
                path = os.path.join(folder, name)
                # Python keeps what it has compiled.
                if "__pycache__" not in path:
                    seen[path] = describe(path)
    return seen


def sysctls(wanted):
    """Value of each key that can be read."""
    seen = {}
    for folder, _folders, names in os.walk(SYSCTLS):
        for name in names:
            path = os.path.join(folder, name)
            key = os.path.relpath(path, SYSCTLS)
            if not wanted(key) or MOVING.fullmatch(key) or not os.stat(path).st_mode & 0o444:
                continue
            try:
                with open(path, "rb") as file:
                    seen["sysctl " + key] = file.read().decode("ascii", "replace").strip()
            except OSError as error:
                # Some can be read only while something else is set.
                seen["sysctl " + key] = "error %d" % error.errno
    return seen


def in_net(key):
    return key.startswith("net/")


def in_machine(key):
    return not in_net(key)


def listening():
    """A line for each port, with the addresses at which it is listened on."""
    seen = {}
    for path in ("/proc/net/tcp", "/proc/net/tcp6"):
        with open(path, encoding="ascii") as file:
            for words in map(str.split, file):
                # TCP_LISTEN
                if words[3] == "0A":
                    address, port = words[1].split(":")
                    seen.setdefault(int(port, 16), set()).add(readable(address))
    return {"listening %d %s" % (port, " ".join(sorted(addresses))): "" for port, addresses in seen.items()}


def readable(address):
    """The kernel prints each 32 bits as a number, which it reads in its own byte order."""
    size = len(address) // 8
    return str(ipaddress.ip_address(struct.pack("=%dI" % size, *struct.unpack(">%dI" % size, bytes.fromhex(address)))))


def addresses():
    """A line for each address and each route, as ``ip`` tells them, but for those of a link alone: they follow from its
    hardware address, which is another one after a boot."""
    seen = {}
    for family in ("-4", "-6"):
        for what in (["address"], ["route", "show", "table", "all"]):
            told = subprocess.check_output(["ip", "-oneline", family, *what]).decode("ascii")
            for words in map(str.split, told.splitlines()):
                if not any(word.startswith("fe80:") for word in words):
                    # an address comes with the number of its interface
                    seen[" ".join(["ip", what[0], *words[1 if what[0] == "address" else 0 :]])] = ""
    return seen


def unit(name):
    """Its process, and when its state changed: reloading is a state of its own."""
    properties = "ActiveState,InvocationID,MainPID,StateChangeTimestampMonotonic"
    shown = subprocess.check_output(["systemctl", "show", "--property", properties, name])
    return {"unit " + name: " ".join(sorted(shown.decode("ascii").split()))}


PARTS = {
    "files": files,
    "net": lambda: sysctls(in_net),
    "machine": lambda: sysctls(in_machine),
    "listening": listening,
    "addresses": addresses,
}


def differences(before, after):
    """A line for each, sorted."""
    for name in sorted(set(before) | set(after)):
        if name not in before:
            yield "added %s" % name
        elif name not in after:
            yield "gone %s" % name
        elif before[name] != after[name] and not name.startswith("/"):
            yield "changed %s: %s -> %s" % (name, before[name], after[name])
        elif before[name] != after[name]:
            yield "changed %s" % name


def look(parts):
    """What is seen of each part."""
    return {part: PARTS[part]() if part in PARTS else unit(part) for part in parts}


def together(seen, parts):
    """Some parts in one."""
    return {name: value for part in parts for name, value in seen[part].items()}


def main():
    """Save or compare."""
    action, path, parts = sys.argv[1], sys.argv[2], sys.argv[3:]
    seen = look(parts)
    if action == "save":
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            json.dump(seen, file, indent=0, sort_keys=True)
        print("%d kept" % len(together(seen, parts)))
    else:
        with open(path, encoding="utf-8") as file:
            before = json.load(file)
        for line in differences(together(before, parts), together(seen, parts)):
            print(line)


if __name__ == "__main__":
    main()
